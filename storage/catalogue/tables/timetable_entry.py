"""A timetable entry (课表条目): one occurrence in a timetable and the session that it made.

`uid` and `occurrence` are the source's own names for it, so that a second import finds the first one's rows.
"""

from uuid import UUID

from sqlalchemy import ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from storage.catalogue.tables.base import Identified, Table


class TimetableEntry(Identified, Table):
    __tablename__ = "timetable_entry"
    __table_args__ = (UniqueConstraint("timetable_id", "uid", "occurrence"),)

    timetable_id: Mapped[UUID] = mapped_column(ForeignKey("timetable.id"))
    uid: Mapped[str]
    occurrence: Mapped[str]
    """The occurrence's own mark within `uid` (iCalendar's RECURRENCE-ID, else the start it was first given)."""
    fingerprint: Mapped[str]
    """A digest of what the row says; equal means unchanged."""
    session_id: Mapped[UUID] = mapped_column(ForeignKey("session.id"), index=True)
