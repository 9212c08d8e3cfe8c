"""An ingest credential: one session, one slot, one window; the key is kept as a hash only."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, func
from sqlalchemy.orm import Mapped, mapped_column

from domain.kinds import Slot
from storage.catalogue.tables.base import Digest, Identified, Table, choice


class IngestCredential(Identified, Table):
    __tablename__ = "ingest_credential"
    __table_args__ = (CheckConstraint("not_after > not_before", name="window"),)

    session_id: Mapped[UUID] = mapped_column(ForeignKey("session.id"), index=True)
    slot: Mapped[Slot] = mapped_column(choice(Slot, "slot"))
    key_hash: Mapped[Digest] = mapped_column(unique=True)
    not_before: Mapped[datetime]
    not_after: Mapped[datetime]
    revoked_at: Mapped[datetime | None]
    created_by: Mapped[UUID | None] = mapped_column(ForeignKey("account.id"))
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
