"""A session (直播课 / 直播活动): one planned live class or event.

Every change through the mapper raises `version`, which is the API's ETag.
"""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, func, text
from sqlalchemy.orm import Mapped, mapped_column

from domain.kinds import Interaction, Release, SessionKind
from domain.states import SessionState
from storage.catalogue.tables.base import Identified, Table, choice


class Session(Identified, Table):
    __tablename__ = "session"
    __table_args__ = (
        CheckConstraint("ends_at > starts_at", name="window"),
        CheckConstraint("delay_seconds >= 0", name="delay_seconds"),
        Index(None, "starts_at", "id"),
        Index(None, "state", "starts_at", "id"),
        Index(None, "department_id", "starts_at", "id"),
        Index(None, "programme_id", "starts_at", "id"),
        Index(None, "cohort_id", "starts_at", "id"),
        Index(None, "instructor_id", "starts_at", "id"),
        Index(None, "responsible_id", "starts_at", "id"),
        Index(None, "reviewer_id", "starts_at", "id", postgresql_where=text("reviewer_id IS NOT NULL")),
    )

    kind: Mapped[SessionKind] = mapped_column(choice(SessionKind, "kind"))
    interaction: Mapped[Interaction] = mapped_column(choice(Interaction, "interaction"))
    title: Mapped[str]
    state: Mapped[SessionState] = mapped_column(choice(SessionState, "state"))
    programme_id: Mapped[UUID | None] = mapped_column(ForeignKey("programme.id"))
    department_id: Mapped[UUID | None] = mapped_column(ForeignKey("department.id"))
    cohort_id: Mapped[UUID | None] = mapped_column(ForeignKey("cohort.id"))
    instructor_id: Mapped[UUID | None] = mapped_column(ForeignKey("account.id"))
    responsible_id: Mapped[UUID | None] = mapped_column(ForeignKey("account.id"))
    """Who answers for it (article 15)."""
    reviewer_id: Mapped[UUID | None] = mapped_column(ForeignKey("account.id"))
    """Who watches a large event live and may cut it."""
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    room: Mapped[str | None]
    release: Mapped[Release] = mapped_column(choice(Release, "release"))
    retention_class: Mapped[str] = mapped_column(ForeignKey("retention_class.slug"))
    delay_seconds: Mapped[int] = mapped_column(default=0, server_default=text("0"))
    """How long the release gate holds media back."""
    filing_approved_at: Mapped[datetime | None]
    cut_reason: Mapped[str | None]
    went_live_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]
    end_reason: Mapped[str | None]
    peak_viewers: Mapped[int | None]
    """How many watched it live at one time, at most; None: nobody counted."""
    version: Mapped[int] = mapped_column(default=1, server_default=text("1"))
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())

    __mapper_args__ = {"version_id_col": version}  # noqa: RUF012 - the form that SQLAlchemy asks for
