"""A text reference (文字参考资料) of a course (article 12)."""

from uuid import UUID

from sqlalchemy import ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from storage.catalogue.tables.base import Identified, Table


class CourseReference(Identified, Table):
    __tablename__ = "course_reference"
    __table_args__ = (UniqueConstraint("course_id", "position"),)

    course_id: Mapped[UUID] = mapped_column(ForeignKey("course.id"))
    position: Mapped[int]
    title: Mapped[str]
    url: Mapped[str]
