"""A reel of what a cut kept from the audience. A table of its own: whoever reads reels finds none of it."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from storage.catalogue.tables.base import Digest, Identified, Json, Table


class EvidenceReel(Identified, Table):
    __tablename__ = "evidence_reel"
    __table_args__ = (Index(None, "recording_id", "starts_at"),)

    recording_id: Mapped[UUID] = mapped_column(ForeignKey("recording.id"))
    take_id: Mapped[UUID] = mapped_column(ForeignKey("take.id"))
    init_key: Mapped[str]
    object_key: Mapped[str] = mapped_column(unique=True)
    bytes: Mapped[int] = mapped_column(BigInteger)
    sha256: Mapped[Digest]
    duration_ms: Mapped[int]
    starts_at: Mapped[datetime]
    """Program date time of its first sample."""
    segments: Mapped[list[Json]]
    """As a reel's; their `msn` says nothing: they are in no playlist of the audience."""
    tracks: Mapped[list[Json] | None]
    """As a reel's: what is in it was counted at capture."""
    stored_at: Mapped[datetime]
    """When the object had been read back and matched `sha256`."""
