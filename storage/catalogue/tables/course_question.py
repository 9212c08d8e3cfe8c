"""A test question (试题) of a course (article 12); `answer` is never shown beside `choices` to who is asked."""

from uuid import UUID

from sqlalchemy import ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from storage.catalogue.tables.base import Identified, Table


class CourseQuestion(Identified, Table):
    __tablename__ = "course_question"
    __table_args__ = (UniqueConstraint("course_id", "position"),)

    course_id: Mapped[UUID] = mapped_column(ForeignKey("course.id"))
    position: Mapped[int]
    prompt: Mapped[str]
    choices: Mapped[list[str]]
    answer: Mapped[int]
    """Position in `choices`, from 0."""
