"""Any timetable's file to its rows: the form is told by what the file begins with, not by its name."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from domain.refusals import Refusal, RefusalCode
from domain.schedule import require_span
from teaching.csv_timetable import UTF_16_MARKS, read_csv
from teaching.ical_timetable import Window, read_ical
from teaching.import_limits import Budget
from teaching.rows import BadRow, Row, RowCode, Rows
from teaching.settings import TeachingSettings
from teaching.xlsx_timetable import read_xlsx

ZIP_MARK = b"PK\x03\x04"
OLD_EXCEL_MARK = b"\xd0\xcf\x11\xe0"
PDF_MARK = b"%PDF-"
CALENDAR_WITHIN = 1024
BINARY_WITHIN = 4096
"""No text that is not UTF-16 has a zero byte here; pictures, programs and old documents do."""


@dataclass
class Reading:
    """What a file says, in its order. No two rows have the same name."""

    rows: list[Row] = field(default_factory=list)
    bad: list[BadRow] = field(default_factory=list)
    until: datetime | None = None
    """The horizon: of what lies beyond it the file says nothing."""


def read_timetable(data: bytes, settings: TeachingSettings, now: datetime, budget: Budget | None = None) -> Reading:
    """All rows, checked as far as the file alone allows. It computes for seconds: call it in a thread.

    Refusals of the whole file: invalid_input (no known form, encoding or columns), too_large (rows, seconds, size).
    """
    window = Window(now, now + timedelta(days=settings.horizon_days), ZoneInfo(settings.time_zone))
    return _gathered(_rows(data, budget or Budget(settings.import_max_rows), window), window)


def _rows(data: bytes, budget: Budget, window: Window) -> Rows:
    if not data.strip():
        raise Refusal(RefusalCode.invalid_input, field="file", reason="empty")
    if data.startswith(ZIP_MARK):
        return read_xlsx(data, window.zone, budget)
    if data.startswith(OLD_EXCEL_MARK):
        raise Refusal(RefusalCode.invalid_input, field="file", reason="old_excel", known="xlsx")
    if b"BEGIN:VCALENDAR" in data[:CALENDAR_WITHIN].upper():
        return read_ical(data, budget, window)
    if data.startswith(PDF_MARK) or (b"\0" in data[:BINARY_WITHIN] and data[:2] not in UTF_16_MARKS):
        raise Refusal(RefusalCode.invalid_input, field="file", reason="not_a_timetable", known="ics,csv,xlsx")
    return read_csv(data, window.zone, budget)


def _gathered(rows: Iterable[Row | BadRow], window: Window) -> Reading:
    reading = Reading(until=window.until)
    names: dict[tuple[str, str], int] = {}
    for row in rows:
        checked = _checked(row, window) if isinstance(row, Row) else row
        if isinstance(checked, Row) and checked.key in names:
            checked = _bad(checked, RowCode.duplicate, f"it has the same name as row {names[checked.key]}")
        if isinstance(checked, Row):
            names[checked.key] = checked.number
            reading.rows.append(checked)
        else:
            reading.bad.append(checked)
    return reading


def _checked(row: Row, window: Window) -> Row | BadRow:
    try:
        require_span(row.starts_at, row.ends_at)
    except Refusal:
        return _bad(row, RowCode.window_invalid, "the class does not end after it begins, or lasts over 16 hours")
    if row.starts_at >= window.until:
        return _bad(row, RowCode.beyond_horizon, f"{row.starts_at:%Y-%m-%d} is later than {window.until:%Y-%m-%d}")
    return row


def _bad(row: Row, code: RowCode, detail: str) -> BadRow:
    return BadRow(row.number, code, detail, row.uid, row.occurrence, row.title)
