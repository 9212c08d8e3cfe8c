"""A hold (保全): a stop put on purging, with who and why; it counts until it is lifted."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from storage.catalogue.tables.base import Identified, Table


class Hold(Identified, Table):
    __tablename__ = "hold"
    __table_args__ = (
        Index(None, "recording_id", "placed_at"),
        Index("ix_hold_recording_id_standing", "recording_id", postgresql_where=text("lifted_at IS NULL")),
    )

    recording_id: Mapped[UUID] = mapped_column(ForeignKey("recording.id"))
    reason: Mapped[str]
    placed_by: Mapped[UUID | None] = mapped_column(ForeignKey("account.id"))
    placed_at: Mapped[datetime]
    lifted_by: Mapped[UUID | None] = mapped_column(ForeignKey("account.id"))
    lifted_at: Mapped[datetime | None]
    lift_reason: Mapped[str | None]
