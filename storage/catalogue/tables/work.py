"""A work item: one thing a worker must do for a recording, and how it went. `subject` names it once and for all."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from domain.states import WorkState
from storage.catalogue.tables.base import Identified, Table, choice


class Work(Identified, Table):
    __tablename__ = "work"
    __table_args__ = (
        Index(None, "recording_id", "state"),
        Index("ix_work_state_queued_at_open", "state", "queued_at", postgresql_where=text("state <> 'done'")),
    )

    recording_id: Mapped[UUID] = mapped_column(ForeignKey("recording.id"))
    kind: Mapped[str]
    subject: Mapped[str] = mapped_column(unique=True)
    state: Mapped[WorkState] = mapped_column(choice(WorkState, "state"))
    attempts: Mapped[int] = mapped_column(default=0, server_default=text("0"))
    queued_at: Mapped[datetime]
    started_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]
    error: Mapped[str | None]
    """One line for a person; `log` has the rest."""
    log: Mapped[str | None]
