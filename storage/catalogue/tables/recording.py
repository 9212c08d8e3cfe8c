"""A recording (录像): what a session's takes left, and the clock on it.

Promotion and purge both lock this row first: exactly one of them wins. Every change through the mapper raises
`version`, which is the API's ETag.
"""

from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, ForeignKey, Index, func, text
from sqlalchemy.orm import Mapped, mapped_column

from domain.kinds import Release
from domain.states import RecordingState
from storage.catalogue.tables.base import Identified, Table, choice


class Recording(Identified, Table):
    __tablename__ = "recording"
    __table_args__ = (
        Index(None, "started_at", "id"),
        Index(None, "state", "started_at", "id"),
        Index(None, "department_id", "started_at", "id"),
        Index(None, "programme_id", "started_at", "id"),
        Index(None, "cohort_id", "started_at", "id"),
        Index(None, "instructor_id", "started_at", "id"),
        Index(None, "state", "expires_at", postgresql_where=text("expires_at IS NOT NULL")),
        Index(None, "marked_at", postgresql_where=text("state IN ('marked', 'purging')")),
    )

    session_id: Mapped[UUID] = mapped_column(ForeignKey("session.id"), unique=True)
    title: Mapped[str]
    state: Mapped[RecordingState] = mapped_column(choice(RecordingState, "state"))
    programme_id: Mapped[UUID | None] = mapped_column(ForeignKey("programme.id"))
    department_id: Mapped[UUID | None] = mapped_column(ForeignKey("department.id"))
    cohort_id: Mapped[UUID | None] = mapped_column(ForeignKey("cohort.id"))
    instructor_id: Mapped[UUID | None] = mapped_column(ForeignKey("account.id"))
    release: Mapped[Release] = mapped_column(choice(Release, "release"))
    reviewed_at: Mapped[datetime | None]
    retention_class: Mapped[str] = mapped_column(ForeignKey("retention_class.slug"))
    started_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    expires_at: Mapped[datetime | None]
    """When its time is up; none while it is captured, or where its class keeps it for good."""
    marked_at: Mapped[datetime | None]
    purge_reason: Mapped[str | None]
    purged_at: Mapped[datetime | None]
    duration_ms: Mapped[int] = mapped_column(BigInteger, default=0, server_default=text("0"))
    """The sum of its reels."""
    bytes: Mapped[int] = mapped_column(BigInteger, default=0, server_default=text("0"))
    """The sum of its source reels and inits."""
    poster_key: Mapped[str | None]
    version: Mapped[int] = mapped_column(default=1, server_default=text("1"))
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())

    __mapper_args__ = {"version_id_col": version}  # noqa: RUF012 - the form that SQLAlchemy asks for
