"""An init segment of a take: what a player needs before its reels. A changed codec configuration makes a new one."""

from uuid import UUID

from sqlalchemy import BigInteger, ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from storage.catalogue.tables.base import Digest, Identified, Json, Table


class TakeInit(Identified, Table):
    __tablename__ = "take_init"
    __table_args__ = (UniqueConstraint("take_id", "number"),)

    take_id: Mapped[UUID] = mapped_column(ForeignKey("take.id"))
    number: Mapped[int]
    object_key: Mapped[str] = mapped_column(unique=True)
    sha256: Mapped[Digest]
    bytes: Mapped[int] = mapped_column(BigInteger)
    tracks: Mapped[list[Json]]
    """One object per track: kind, codec string, timescale, size or sample rate."""
