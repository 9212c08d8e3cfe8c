"""Timetables as XLSX: the first sheet that is shown, read as a stream; formulas give the value that was last saved.

The file is a ZIP of XML. Before anything is parsed, what it says it unpacks to is held to a limit (`zipfile` never
gives more than that), and a document type is refused: OOXML allows none (ECMA-376 part 2, 8.1.4), so no entities.
"""

import io
import zipfile
import zlib
from collections.abc import Iterator
from typing import Any, cast
from xml.etree.ElementTree import ParseError
from zoneinfo import ZoneInfo

from openpyxl import load_workbook
from openpyxl.utils.exceptions import InvalidFileException

from domain.refusals import Refusal, RefusalCode
from teaching.cells import Cell
from teaching.csv_timetable import MOST_COLUMNS
from teaching.import_limits import Budget
from teaching.rows import Rows
from teaching.sheet import Line, rows_of

MOST_UNPACKED_BYTES = 32 * 1024 * 1024
MOST_PARTS = 500
PROLOGUE_BYTES = 4096
BLANK_LINES_PER_ROW = 5
"""Lines that a sheet may have for each row it may hold: formatting reaches far below the last row."""


def read_xlsx(data: bytes, zone: ZoneInfo, budget: Budget) -> Rows:
    """The sheet's rows by their numbers. Refusals: invalid_input, too_large."""
    _require_harmless(data)
    return rows_of(_lines(data, budget), zone, budget)


def _require_harmless(data: bytes) -> None:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            parts = archive.infolist()
            if len(parts) > MOST_PARTS:
                raise Refusal(RefusalCode.too_large, field="file", limit="parts", most=MOST_PARTS)
            if sum(part.file_size for part in parts) > MOST_UNPACKED_BYTES:
                raise Refusal(RefusalCode.too_large, field="file", limit="unpacked_bytes", most=MOST_UNPACKED_BYTES)
            for part in parts:
                with archive.open(part) as content:
                    # Without the zeros of UTF-16 the word reads the same in every encoding that XML may have here.
                    if b"<!DOCTYPE" in content.read(PROLOGUE_BYTES).replace(b"\0", b"").upper():
                        raise _unreadable()
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError, EOFError, OSError) as error:
        raise _unreadable() from error


def _lines(data: bytes, budget: Budget) -> Iterator[Line]:
    most = budget.max_rows * BLANK_LINES_PER_ROW
    try:
        book = load_workbook(io.BytesIO(data), read_only=True, data_only=True, keep_links=False)
        shown = [sheet for sheet in book.worksheets if sheet.sheet_state == "visible"]
        if not shown:
            raise _unreadable()
        sheet = cast(Any, shown[0])  # the stubs have no read-only sheets
        # What a sheet says of its own size is often wrong, and then cuts columns off.
        sheet.reset_dimensions()
        for number, cells in enumerate(sheet.iter_rows(max_col=MOST_COLUMNS, values_only=True), start=1):
            if number > most:
                raise Refusal(RefusalCode.too_large, field="file", limit="lines", most=most)
            yield number, cast(tuple[Cell, ...], cells)
    except (zipfile.BadZipFile, zlib.error, InvalidFileException, ParseError) as error:
        raise _unreadable() from error
    except (KeyError, ValueError, TypeError, IndexError, AttributeError, EOFError, OSError) as error:
        # What openpyxl raises on a file that is XLSX by its name only, by whatever it misses first.
        raise _unreadable() from error


def _unreadable() -> Refusal:
    return Refusal(RefusalCode.invalid_input, field="file", reason="not_xlsx")
