"""The shapes of timetables and their imports."""

from dataclasses import dataclass
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
    """A file, and the slug or the id of the timetable that it is for."""

    file: UploadFile
    timetable: str


class RejectedRow(msgspec.Struct):
    """A row that was not taken: its number in the file, a stable word and a sentence."""

    row: int
    code: RowCode
    detail: str


class ImportShape(msgspec.Struct):
    """What an import did. `past` rows were over and unknown, and make nothing; `kept` sessions are gone from the file,
    but one of its unreadable rows may have meant them.
    """

    id: UUID
    created: int
    changed: int
    unchanged: int
    cancelled: int
    past: int
    kept: int
    rejected: list[RejectedRow]
