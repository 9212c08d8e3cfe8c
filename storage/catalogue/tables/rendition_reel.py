"""One reel encoded at one rung of one ladder plan."""

from uuid import UUID

from sqlalchemy import BigInteger, ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from storage.catalogue.tables.base import Digest, Identified, Json, Table


class RenditionReel(Identified, Table):
    __tablename__ = "rendition_reel"
    __table_args__ = (
        UniqueConstraint("reel_id", "ladder_plan_id", "rendition"),
        Index(None, "recording_id", "rendition"),
    )

    reel_id: Mapped[UUID] = mapped_column(ForeignKey("reel.id"))
    recording_id: Mapped[UUID] = mapped_column(ForeignKey("recording.id"))
    ladder_plan_id: Mapped[UUID] = mapped_column(ForeignKey("ladder_plan.id"))
    rendition: Mapped[str]
    init_key: Mapped[str]
    object_key: Mapped[str] = mapped_column(unique=True)
    bytes: Mapped[int] = mapped_column(BigInteger)
    sha256: Mapped[Digest]
    duration_ms: Mapped[int]
    segments: Mapped[list[Json]]
    width: Mapped[int]
    height: Mapped[int]
    bit_rate: Mapped[int]
    """Bits per second, measured over this reel."""
