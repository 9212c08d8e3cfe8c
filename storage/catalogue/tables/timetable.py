"""A timetable (课表): a named source of daily sessions for one programme or cohort."""

from uuid import UUID

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from storage.catalogue.tables.base import Identified, Table


class Timetable(Identified, Table):
    __tablename__ = "timetable"

    slug: Mapped[str] = mapped_column(unique=True)
    title: Mapped[str]
    programme_id: Mapped[UUID | None] = mapped_column(ForeignKey("programme.id"))
    cohort_id: Mapped[UUID | None] = mapped_column(ForeignKey("cohort.id"))
