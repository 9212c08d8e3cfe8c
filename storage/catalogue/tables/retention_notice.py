"""A notice that a recording's time is nearly up; each of its days is told once."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from storage.catalogue.tables.base import Identified, Table


class RetentionNotice(Identified, Table):
    __tablename__ = "retention_notice"
    __table_args__ = (UniqueConstraint("recording_id", "days"),)

    recording_id: Mapped[UUID] = mapped_column(ForeignKey("recording.id"))
    days: Mapped[int]
    sent_at: Mapped[datetime]
