"""A premium course (精品课程): kept content made from a recording, with its review and filing (R10).

Every change through the mapper raises `version`, which is the API's ETag.
"""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, Index, func, text
from sqlalchemy.orm import Mapped, mapped_column

from domain.kinds import Audience
from domain.states import CourseState
from storage.catalogue.tables.base import Identified, Table, choice


class Course(Identified, Table):
    __tablename__ = "course"
    __table_args__ = (
        Index(None, "created_at", "id"),
        Index(None, "state", "created_at", "id"),
        Index(None, "department_id", "created_at", "id"),
        Index(None, "programme_id", "created_at", "id"),
        Index(None, "provider_id", "created_at", "id"),
    )

    recording_id: Mapped[UUID] = mapped_column(ForeignKey("recording.id"), index=True)
    title: Mapped[str]
    summary: Mapped[str] = mapped_column(default="", server_default=text("''"))
    provider_id: Mapped[UUID] = mapped_column(ForeignKey("account.id"))
    """Who provides it answers for it (article 13)."""
    programme_id: Mapped[UUID | None] = mapped_column(ForeignKey("programme.id"))
    department_id: Mapped[UUID | None] = mapped_column(ForeignKey("department.id"))
    audience: Mapped[Audience] = mapped_column(choice(Audience, "audience"))
    state: Mapped[CourseState] = mapped_column(choice(CourseState, "state"))
    reviewed_by: Mapped[UUID | None] = mapped_column(ForeignKey("account.id"))
    reviewed_at: Mapped[datetime | None]
    review_note: Mapped[str | None]
    filed_by: Mapped[UUID | None] = mapped_column(ForeignKey("account.id"))
    filed_at: Mapped[datetime | None]
    published_at: Mapped[datetime | None]
    version: Mapped[int] = mapped_column(default=1, server_default=text("1"))
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())

    __mapper_args__ = {"version_id_col": version}  # noqa: RUF012 - the form that SQLAlchemy asks for
