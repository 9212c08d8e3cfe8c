"""The shapes of timetables and their imports."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import msgspec
from litestar.datastructures import UploadFile

from api.shapes import Place
from domain.permissions import Action
from teaching.rows import RowCode


class TimetableShape(msgspec.Struct):
    """A source of daily sessions; `may` lists what the asking account may do to it."""

    id: UUID
    slug: str
    title: str
    programme: Place | None
    cohort: Place | None
    may: list[Action]


@dataclass
class ImportForm:
    """A file, and the slug or the id of the timetable that it is for. With `preview` the import is only tried."""

    file: UploadFile
    timetable: str
    preview: bool = False


class RejectedRow(msgspec.Struct):
    """A row that was not taken: its number in the file, its course's name as far as it has one, a stable word and a
    sentence.
    """

    row: int
    title: str
    code: RowCode
    detail: str


class CancelledSession(msgspec.Struct):
    """A class that is gone from the file, or called off in it."""

    id: UUID
    title: str
    starts_at: datetime


class ImportShape(msgspec.Struct):
    """What an import did, or would do: a preview has no id. `cancelled_sessions` are the first 200 by
    time. `past` rows were over and unknown, and make nothing; `kept` sessions are gone from the file, but one of its
    unreadable rows may have meant them.
    """

    id: UUID | None
    created: int
    changed: int
    unchanged: int
    cancelled: int
    past: int
    kept: int
    cancelled_sessions: list[CancelledSession]
    rejected: list[RejectedRow]
