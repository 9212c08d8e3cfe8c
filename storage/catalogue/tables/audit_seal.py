"""A seal over a batch of audit entries, chained to the seal before it. The application can only add."""

from datetime import datetime

from sqlalchemy import BigInteger, CheckConstraint, Identity
from sqlalchemy.orm import Mapped, mapped_column

from storage.catalogue.tables.base import Digest, Table


class AuditSeal(Table):
    __tablename__ = "audit_seal"
    __table_args__ = (CheckConstraint("last_entry >= first_entry", name="entries"),)

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    first_entry: Mapped[int] = mapped_column(BigInteger, unique=True)
    last_entry: Mapped[int] = mapped_column(BigInteger, unique=True)
    """Every entry from `first_entry` to this one belongs to the seal; ids that no row has were rolled back."""
    digests: Mapped[bytes]
    """40 bytes for each entry: its id (big endian) and the SHA-256 of its canonical JSON; they find the altered row."""
    previous_hash: Mapped[Digest]
    hash: Mapped[Digest] = mapped_column(unique=True)
    """SHA-256 over `previous_hash` and `digests`."""
    sealed_at: Mapped[datetime]
