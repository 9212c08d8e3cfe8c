"""A cohort (班级): a class of learners of one programme."""

from uuid import UUID

from sqlalchemy import ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from storage.catalogue.tables.base import Identified, Table


class Cohort(Identified, Table):
    __tablename__ = "cohort"
    __table_args__ = (UniqueConstraint("programme_id", "slug"),)

    programme_id: Mapped[UUID] = mapped_column(ForeignKey("programme.id"))
    slug: Mapped[str]
    title: Mapped[str]
