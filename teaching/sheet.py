"""A sheet's lines to rows, for CSV and XLSX alike.

The header is the first of the sheet's first lines that names a course and a time; lines above it (a title, a term) are
passed over. A row without an id of its own is known by its course and its start.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

from domain.refusals import Refusal, RefusalCode
from teaching.cells import Cell, date_of, has_date, span_of, text_of, time_of
from teaching.columns import CANCELLED, CONFIRMED, Column, missing, places
from teaching.import_limits import Budget
from teaching.rows import BadRow, Row, RowCode, RowError, Rows, require_lengths

HEADER_WITHIN = 10
"""Lines in which the header is looked for."""
OWN_ID = "id:"
BY_COURSE = "course:"

Line = tuple[int, Sequence[Cell]]
"""A line's number, from 1, and its cells."""


def rows_of(lines: Iterable[Line], zone: ZoneInfo, budget: Budget) -> Rows:
    """The sheet's rows. Refusals: invalid_input where it has no header, too_large where it has too many rows."""
    numbered = iter(lines)
    found = _header(numbered)
    seen: Counter[tuple[str, str]] = Counter()
    for number, cells in numbered:
        if not any(text_of(cell) for cell in cells):
            continue
        budget.spend()
        yield _Reader(number, {column: _cell(cells, place) for column, place in found.items()}, zone).row(seen)


def _header(lines: Iterator[Line]) -> dict[Column, int]:
    best: dict[Column, int] = {}
    for number, cells in lines:
        found = places([text_of(cell) for cell in cells])
        if not missing(found):
            return found
        best = max(best, found, key=len)
        if number >= HEADER_WITHIN:
            break
    columns = ",".join(missing(best))
    raise Refusal(RefusalCode.invalid_input, field="file", reason="columns_missing", columns=columns)


def _cell(cells: Sequence[Cell], place: int) -> Cell:
    return cells[place] if place < len(cells) else None


class _Reader:
    """One line being read; remembers how far its name is known when something in it is wrong."""

    def __init__(self, number: int, cells: dict[Column, Cell], zone: ZoneInfo) -> None:
        self.number = number
        self.cells = cells
        self.zone = zone
        self.uid: str | None = None
        self.occurrence: str | None = None
        self.title = self._text(Column.course)

    def row(self, seen: Counter[tuple[str, str]]) -> Row | BadRow:
        try:
            return self._row(seen)
        except RowError as error:
            return BadRow(self.number, error.code, error.detail, self.uid, self.occurrence, self.title)

    def _row(self, seen: Counter[tuple[str, str]]) -> Row:
        title, own = self.title, self._text(Column.uid)
        if own:
            self.uid, self.occurrence = OWN_ID + own, ""
        elif title:
            self.uid = BY_COURSE + title
        starts_at, ends_at = self._span()
        if not own:
            self.occurrence = starts_at.astimezone(UTC).isoformat()
            # The same course twice at one time is two groups of it; their order in the file tells them apart.
            seen[title, self.occurrence] += 1
            if (count := seen[title, self.occurrence]) > 1:
                self.occurrence += f"#{count}"
        instructor = self._text(Column.instructor)
        row = Row(
            number=self.number,
            uid=self.uid or "",
            occurrence=self.occurrence or "",
            title=title,
            starts_at=starts_at,
            ends_at=ends_at,
            instructors=(instructor,) if instructor else (),
            room=self._text(Column.room) or None,
            cancelled=self._cancelled(),
        )
        return require_lengths(row)

    def _span(self) -> tuple[datetime, datetime]:
        start, end = self.cells.get(Column.start), self.cells.get(Column.end)
        if Column.time in self.cells and not (text_of(start) and text_of(end)):
            day = date_of(self.cells.get(Column.date))
            first, last = span_of(self.cells[Column.time])
            return self._at(day, first.isoformat()), self._at(day, last.isoformat())
        day = date_of(start if has_date(start) and not self._text(Column.date) else self.cells.get(Column.date))
        last_day = date_of(end) if has_date(end) and not self._text(Column.date) else day
        return self._at(day, time_of(start).isoformat()), self._at(last_day, time_of(end).isoformat())

    def _at(self, day: date, clock: str) -> datetime:
        return datetime.fromisoformat(f"{day.isoformat()}T{clock}").replace(tzinfo=self.zone)

    def _cancelled(self) -> bool:
        status = self._text(Column.status).casefold()
        if status not in CANCELLED | CONFIRMED:
            raise RowError(RowCode.status_unknown, f'the status "{status[:40]}" is not known')
        return status in CANCELLED

    def _text(self, column: Column) -> str:
        return text_of(self.cells.get(column))
