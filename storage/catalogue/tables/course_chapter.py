"""A chapter of a course: a title at a time."""

from uuid import UUID

from sqlalchemy import BigInteger, ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from storage.catalogue.tables.base import Identified, Table


class CourseChapter(Identified, Table):
    __tablename__ = "course_chapter"
    __table_args__ = (UniqueConstraint("course_id", "at_ms"),)

    course_id: Mapped[UUID] = mapped_column(ForeignKey("course.id"))
    at_ms: Mapped[int] = mapped_column(BigInteger)
    title: Mapped[str]
