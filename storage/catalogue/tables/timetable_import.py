"""One import of a file into a timetable, with its report (R4)."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from storage.catalogue.tables.base import Digest, Identified, Json, Table


class TimetableImport(Identified, Table):
    __tablename__ = "timetable_import"
    __table_args__ = (Index(None, "timetable_id", "at"),)

    timetable_id: Mapped[UUID] = mapped_column(ForeignKey("timetable.id"))
    account_id: Mapped[UUID | None] = mapped_column(ForeignKey("account.id"))
    at: Mapped[datetime]
    file_name: Mapped[str]
    file_sha256: Mapped[Digest]
    report: Mapped[Json]
