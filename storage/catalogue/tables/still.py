"""A still picture out of a recording: its poster, or one of the pictures along its time line."""

from enum import StrEnum
from uuid import UUID

from sqlalchemy import BigInteger, ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from storage.catalogue.tables.base import Identified, Table, choice


class StillKind(StrEnum):
    poster = "poster"
    still = "still"


class Still(Identified, Table):
    __tablename__ = "still"
    __table_args__ = (UniqueConstraint("recording_id", "kind", "at_ms"),)

    recording_id: Mapped[UUID] = mapped_column(ForeignKey("recording.id"))
    kind: Mapped[StillKind] = mapped_column(choice(StillKind, "kind"))
    at_ms: Mapped[int] = mapped_column(BigInteger)
    object_key: Mapped[str] = mapped_column(unique=True)
    width: Mapped[int]
    height: Mapped[int]
    bytes: Mapped[int] = mapped_column(BigInteger)
