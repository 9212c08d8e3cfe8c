"""A certificate: the proof that a recording was purged, kept for good. The application can add one, never change it.

No foreign keys: a restored backup must be able to take certificates of recordings that it does not know.
"""

from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, Index
from sqlalchemy.orm import Mapped, mapped_column

from storage.catalogue.tables.base import Digest, Identified, Table


class Certificate(Identified, Table):
    __tablename__ = "certificate"
    __table_args__ = (Index(None, "purged_at", "id"),)

    recording_id: Mapped[UUID] = mapped_column(unique=True)
    session_id: Mapped[UUID]
    title: Mapped[str]
    purged_at: Mapped[datetime]
    reason: Mapped[str]
    objects: Mapped[int]
    """How many objects (every version counted) were deleted."""
    bytes: Mapped[int] = mapped_column(BigInteger)
    listing_sha256: Mapped[Digest]
    """SHA-256 of the listing of what was deleted."""
    verified_at: Mapped[datetime]
    """When the store was seen to hold nothing more under the recording's prefix."""
    actor: Mapped[str]
