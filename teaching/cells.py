"""A sheet's cells as dates and times, whatever wrote them: real ones, serial numbers, and the texts people type.

Times have no zone here; the sheet's reader gives them the institute's.
"""

import re
import unicodedata
from datetime import date, datetime, time, timedelta

from openpyxl.utils.datetime import from_excel

from teaching.rows import RowCode, RowError

Cell = str | int | float | bool | date | datetime | time | timedelta | None

_DATE = re.compile(r"(\d{4})\s*[-/.年]\s*(\d{1,2})\s*[-/.月]\s*(\d{1,2})\s*日?")
_COMPACT_DATE = re.compile(r"(\d{4})(\d{2})(\d{2})")
_TIME = re.compile(r"(\d{1,2}):(\d{2})(?::(\d{2}))?")
_DATE_AND_TIME = re.compile(r"(.+?)[\sT]+(\d{1,2}:\d{2}(?::\d{2})?)")
_SPAN = re.compile(r"(\d{1,2}:\d{2}(?::\d{2})?)\s*[-~–—至到]\s*(\d{1,2}:\d{2}(?::\d{2})?)")
FIRST_SERIAL = 20_000
"""Days since 1900 in 1954: a smaller number in a date column is no date."""
DAY_SECONDS = 86_400


def text_of(cell: Cell) -> str:
    """What a person reads in the cell, full-width digits and colons made plain, outer spaces gone."""
    if cell is None:
        return ""
    if isinstance(cell, float) and cell.is_integer():
        cell = int(cell)
    return " ".join(unicodedata.normalize("NFKC", str(cell)).split())


def date_of(cell: Cell) -> date:
    """The cell's date; RowError where it has none."""
    if isinstance(cell, datetime):
        return cell.date()
    if isinstance(cell, date):
        return cell
    if isinstance(cell, int | float) and not isinstance(cell, bool) and FIRST_SERIAL <= cell < 3_000_000:
        return _from_serial(cell).date()
    text = text_of(cell)
    if not text:
        raise RowError(RowCode.date_missing, "the date is missing")
    both = _DATE_AND_TIME.fullmatch(text)
    return _date(both.group(1) if both else text)


def time_of(cell: Cell) -> time:
    """The cell's time of day; RowError where it has none."""
    if isinstance(cell, datetime):
        return cell.time().replace(microsecond=0)
    if isinstance(cell, time):
        return cell.replace(microsecond=0, tzinfo=None)
    if isinstance(cell, timedelta):
        return _of_seconds(cell.total_seconds())
    if isinstance(cell, int | float) and not isinstance(cell, bool):
        return _of_seconds(cell % 1 * DAY_SECONDS)
    text = text_of(cell)
    if not text:
        raise RowError(RowCode.time_missing, "the time is missing")
    both = _DATE_AND_TIME.fullmatch(text)
    return _time(both.group(2) if both else text)


def has_date(cell: Cell) -> bool:
    """Whether the cell tells a day beside a time: a start that needs no date column."""
    if isinstance(cell, datetime):
        return True
    if isinstance(cell, int | float) and not isinstance(cell, bool):
        return cell >= FIRST_SERIAL
    return isinstance(cell, str) and _DATE_AND_TIME.fullmatch(text_of(cell)) is not None


def span_of(cell: Cell) -> tuple[time, time]:
    """Start and end from one cell, as in 08:00-09:40."""
    found = _SPAN.fullmatch(text_of(cell))
    if found is None:
        raise RowError(RowCode.time_invalid, f"{_quoted(cell)} is not a time such as 08:00-09:40")
    return _time(found.group(1)), _time(found.group(2))


def _date(text: str) -> date:
    found = _DATE.fullmatch(text) or _COMPACT_DATE.fullmatch(text)
    try:
        if found is not None:
            return date(int(found.group(1)), int(found.group(2)), int(found.group(3)))
    except ValueError:
        pass
    raise RowError(RowCode.date_invalid, f"{_quoted(text)} is not a date such as 2026-09-14")


def _time(text: str) -> time:
    found = _TIME.fullmatch(text)
    try:
        if found is not None:
            return time(int(found.group(1)), int(found.group(2)), int(found.group(3) or 0))
    except ValueError:
        pass
    raise RowError(RowCode.time_invalid, f"{_quoted(text)} is not a time such as 08:00")


def _from_serial(number: float) -> datetime:
    try:
        found = from_excel(number)
    except (ValueError, OverflowError) as error:
        raise RowError(RowCode.date_invalid, f"{number} is not a date") from error
    if not isinstance(found, datetime):
        raise RowError(RowCode.date_invalid, f"{number} is not a date")
    return found


def _of_seconds(seconds: float) -> time:
    """Sheets keep times as fractions of a day, so that 08:00 is 28,799.9999 s."""
    whole = round(seconds)
    if not 0 <= whole < DAY_SECONDS:
        raise RowError(RowCode.time_invalid, "the time is not within a day")
    return time(whole // 3600, whole // 60 % 60, whole % 60)


def _quoted(cell: Cell) -> str:
    text = text_of(cell)
    return f'"{text[:40]}…"' if len(text) > 40 else f'"{text}"'
