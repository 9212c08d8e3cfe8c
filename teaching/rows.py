"""What every form of timetable becomes: rows, good ones and bad ones, in one stream.

Rule of this file: a row is known by (uid, occurrence), both as its source names them; its number is the one that an
editor or a spreadsheet shows for it. A bad row says which entries it may have been, so that none of those is taken for
vanished: what it cannot tell is None and may be any.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum, auto

LONGEST_TITLE = 200
LONGEST_ROOM = 100
LONGEST_NAME = 255
"""Characters of a uid, an occurrence or a login; the catalogue's index holds them."""


class RowCode(StrEnum):
    """Why a row was not taken. Codes are an interface: added to, never renamed."""

    row_malformed = auto()
    title_missing = auto()
    title_too_long = auto()
    room_too_long = auto()
    uid_too_long = auto()
    date_missing = auto()
    date_invalid = auto()
    time_missing = auto()
    time_invalid = auto()
    status_unknown = auto()
    zone_unknown = auto()
    rule_invalid = auto()
    rule_too_frequent = auto()
    window_invalid = auto()
    beyond_horizon = auto()
    duplicate = auto()
    instructor_missing = auto()
    instructor_unknown = auto()
    instructor_may_not_publish = auto()
    slot_taken = auto()
    in_the_past = auto()
    session_live = auto()
    session_over = auto()


@dataclass(frozen=True, slots=True)
class Row:
    """One class as the file has it. Instants are aware; `instructors` are logins, the first known one counts."""

    number: int
    uid: str
    occurrence: str
    title: str
    starts_at: datetime
    ends_at: datetime
    instructors: tuple[str, ...] = ()
    room: str | None = None
    cancelled: bool = False

    @property
    def key(self) -> tuple[str, str]:
        """Its name in the timetable."""
        return self.uid, self.occurrence


@dataclass(frozen=True, slots=True)
class BadRow:
    """A row that was not taken, with what is known of its name."""

    number: int
    code: RowCode
    detail: str
    uid: str | None = None
    occurrence: str | None = None
    title: str = ""
    """The course's name, as far as the row has one."""

    def may_be(self, uid: str, occurrence: str) -> bool:
        """Whether this row may have meant the entry of that name."""
        return self.uid in (None, uid) and self.occurrence in (None, occurrence)


class RowError(Exception):
    """What is wrong with a row, while it is being read; becomes a `BadRow`."""

    def __init__(self, code: RowCode, detail: str) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail


Rows = Iterator[Row | BadRow]


def require_lengths(row: Row) -> Row:
    """The row; RowError for one with a title that is missing, or a text longer than its column."""
    if not row.title:
        raise RowError(RowCode.title_missing, "the course has no name")
    if len(row.title) > LONGEST_TITLE:
        raise RowError(RowCode.title_too_long, f"the course's name has more than {LONGEST_TITLE} characters")
    if row.room and len(row.room) > LONGEST_ROOM:
        raise RowError(RowCode.room_too_long, f"the room's name has more than {LONGEST_ROOM} characters")
    if len(row.uid) > LONGEST_NAME:
        raise RowError(RowCode.uid_too_long, f"the row's id has more than {LONGEST_NAME} characters")
    return row
