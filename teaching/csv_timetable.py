"""Timetables as CSV: UTF-8 with or without its mark, UTF-16 with it, or GB 18030, which is what Excel in China writes.

Separated by commas, semicolons or tabs, whichever the first lines have most of.
"""

import csv
import io
from collections.abc import Iterator
from zoneinfo import ZoneInfo

from domain.refusals import Refusal, RefusalCode
from teaching.import_limits import Budget
from teaching.rows import Rows
from teaching.sheet import HEADER_WITHIN, Line, rows_of

MOST_COLUMNS = 64
UTF_16_MARKS = (b"\xff\xfe", b"\xfe\xff")


def read_csv(data: bytes, zone: ZoneInfo, budget: Budget) -> Rows:
    """The file's rows, numbered as a spreadsheet numbers them. Refusals: invalid_input, too_large."""
    return rows_of(_lines(_decoded(data)), zone, budget)


def _decoded(data: bytes) -> str:
    encodings = ("utf-16",) if data[:2] in UTF_16_MARKS else ("utf-8-sig", "gb18030")
    for encoding in encodings:
        try:
            return data.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise Refusal(RefusalCode.invalid_input, field="file", reason="encoding", known="utf-8,utf-16,gb18030")


def _lines(text: str) -> Iterator[Line]:
    head = "\n".join(text[:20_000].splitlines()[:HEADER_WITHIN])
    delimiter = max(",;\t", key=head.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    try:
        for number, cells in enumerate(reader, start=1):
            yield number, cells[:MOST_COLUMNS]
    except csv.Error as error:
        raise Refusal(
            RefusalCode.invalid_input, field="file", reason="csv", line=reader.line_num, detail=str(error)
        ) from error
