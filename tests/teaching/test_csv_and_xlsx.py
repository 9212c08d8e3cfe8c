"""Sheets as people make them: encodings, separators, columns in two languages, dates and texts; and hostile ones."""

import io
import tracemalloc
import zipfile
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openpyxl import Workbook
from openpyxl.styles import numbers

from domain.refusals import Refusal
from teaching.import_limits import Budget
from teaching.rows import BadRow, Row
from teaching.settings import TeachingSettings
from teaching.timetable_file import Reading, read_timetable
from tests.teaching.conftest import NOW

ENGLISH = "date,start,end,course,instructor,room"
SHANGHAI = ZoneInfo("Asia/Shanghai")
wall = datetime.fromisoformat
"""A time as a sheet has it, of no zone."""


def read(data: bytes, **settings: Any) -> Reading:
    return read_timetable(data, TeachingSettings(**settings), NOW)


def told(data: bytes) -> list[tuple[int, str, str, str, str | None]]:
    """(number, title, start, end, room) in the institute's time."""
    return [
        (row.number, row.title, f"{row.starts_at:%m-%d %H:%M}", f"{row.ends_at:%H:%M}", row.room)
        for row in read(data).rows
    ]


def refused(data: bytes, **settings: Any) -> dict[str, str | int]:
    with pytest.raises(Refusal) as caught:
        read(data, **settings)
    return {"code": caught.value.code.value, **caught.value.facts}


def xlsx(*rows: tuple[Any, ...], **cell_formats: str) -> bytes:
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    for row in rows:
        sheet.append(row)
    for place, form in cell_formats.items():
        sheet[place].number_format = form
    kept = io.BytesIO()
    book.save(kept)
    return kept.getvalue()


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_encodings_and_separators(encoding: str, separator: str) -> None:
    text = "日期,开始,结束,课程,教师,教室\n2026-09-14,08:00,09:40,教育学,li,甲101\n".replace(",", separator)
    assert told(text.encode(encoding)) == [(2, "教育学", "09-14 08:00", "09:40", "甲101")]


def test_bytes_of_no_encoding_are_refused() -> None:
    assert refused(b"\xff\x81\x30\xff,\xff") == {
        "code": "invalid_input", "field": "file", "reason": "encoding", "known": "utf-8,utf-16,gb18030",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("header", "row"),
    [
        ("Date,Start Time,END,Course,Teacher,Location", "2026-09-14,8:00,9:40,教育学,li,A101"),
        ("上课日期,时间,课程名称,授课教师,地点", "2026年9月14日,08:00-09:40,教育学,li,A101"),
        ("日期,起止时间,课程,教师,教室", "2026/9/14,8：00～9：40,教育学,li,Ａ１０１"),
        ("start,end,title,instructor,room", "2026-09-14 08:00,2026-09-14 09:40,教育学,li,A101"),
        ("starts_at,ends_at,title,instructor,room", "2026-09-14T08:00,2026-09-14T09:40,教育学,li,A101"),
        ("日期,开始,结束,课程,教师,教室", "20260914,08:00:00,09:40:00,教育学,li,A101"),
        ("备注,教室,教师,课程,结束,开始,日期", ",A101,li,教育学,09:40,08:00,2026.9.14"),
    ],
)
def test_columns_in_both_languages_any_order_and_the_texts_people_type(header: str, row: str) -> None:
    assert told(f"{header}\n{row}\n".encode()) == [(2, "教育学", "09-14 08:00", "09:40", "A101")]


def test_a_title_above_the_header_is_passed_over_and_numbers_stay_the_sheets() -> None:
    data = f"2026年秋季课表,,,,,\n,,,,,\n{ENGLISH}\n\n2026-09-14,08:00,09:40,教育学,li,A101\n".encode()
    assert [row[0] for row in told(data)] == [5]


def test_a_sheet_without_its_columns_says_which_are_missing() -> None:
    assert refused("日期,课程\n2026-09-14,教育学\n".encode()) == {
        "code": "invalid_input", "field": "file", "reason": "columns_missing", "columns": "instructor,start,end",
    }  # fmt: skip
    assert refused(b"\n\n")["reason"] == "empty"
    assert refused(b"\xd0\xcf\x11\xe0rest")["reason"] == "old_excel"


def test_a_row_is_known_by_its_own_id_or_by_course_and_start() -> None:
    row = "2026-09-14,08:00,09:40,教育学,li,{}"
    twice = read("\n".join((ENGLISH, row.format("A101"), row.format("A102"))).encode()).rows
    assert twice[0].uid == twice[1].uid == "course:教育学"
    assert [one.occurrence for one in twice] == ["2026-09-14T00:00:00+00:00", "2026-09-14T00:00:00+00:00#2"]
    own = read(f"id,{ENGLISH}\n7,{row.format('A101')}\n".encode()).rows
    assert [one.key for one in own] == [("id:7", "")]


def test_excels_dates_and_times_real_or_text_or_bare_numbers() -> None:
    header = ("日期", "开始", "结束", "课程", "教师", "教室")
    rest = ("教育学", "li", 101)
    data = xlsx(
        header,
        (date(2026, 9, 14), time(8, 0), time(9, 40), *rest),
        (wall("2026-09-14"), timedelta(hours=8), timedelta(hours=9, minutes=40), *rest),
        ("2026-09-14", "08:00", "09:40", *rest),
        (46279, 1 / 3, 9 / 24 + 40 / 1440, *rest),
        (wall("2026-09-14 08:00"), wall("2026-09-14 08:00"), wall("2026-09-14 09:40"), *rest),
        (20260914, "8:00", "9:40", *rest),
        A4=numbers.FORMAT_TEXT,
    )
    assert {row[1:] for row in told(data)} == {("教育学", "09-14 08:00", "09:40", "101")}
    assert [row[0] for row in told(data)] == [2, 3, 4, 5, 6, 7]


def test_the_first_sheet_that_is_shown_is_read() -> None:
    book = Workbook()
    hidden, shown = book.active, book.create_sheet("课表")
    assert hidden is not None
    hidden.sheet_state = "hidden"
    for row in (ENGLISH.split(","), ["2026-09-14", "08:00", "09:40", "教育学", "li", "A101"]):
        shown.append(row)
    kept = io.BytesIO()
    book.save(kept)
    assert len(told(kept.getvalue())) == 1


def bomb(unpacked_bytes: int) -> bytes:
    """A workbook whose sheet unpacks to that much."""
    kept = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(xlsx(tuple(ENGLISH.split(","))))) as real,
        zipfile.ZipFile(kept, "w", zipfile.ZIP_DEFLATED) as made,
    ):
        for part in real.namelist():
            if part != "xl/worksheets/sheet1.xml":
                made.writestr(part, real.read(part))
        with made.open("xl/worksheets/sheet1.xml", "w") as sheet:
            for _ in range(unpacked_bytes // (1 << 20)):
                sheet.write(b" " * (1 << 20))
    return kept.getvalue()


def test_a_zip_bomb_is_refused_before_it_is_unpacked() -> None:
    data = bomb(256 << 20)
    assert len(data) < 1 << 20
    tracemalloc.start()
    found = refused(data)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert (found["code"], found["limit"]) == ("too_large", "unpacked_bytes")
    assert most < 8 << 20


def test_a_document_type_is_refused_in_any_encoding() -> None:
    lol = '<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;">]><x>&b;</x>'
    for content in (lol.encode(), lol.replace("1.0", '1.0" encoding="utf-16').encode("utf-16")):
        kept = io.BytesIO()
        with zipfile.ZipFile(kept, "w") as made:
            made.writestr("xl/workbook.xml", content)
        assert refused(kept.getvalue())["reason"] == "not_xlsx"


@pytest.mark.parametrize(
    "data",
    [b"PK\x03\x04", b"PK\x03\x04" + b"\0" * 500, xlsx(("a",))[:-200], xlsx(("a",))[:2000]],
    ids=["mark alone", "zeros", "end cut off", "cut in the middle"],
)
def test_what_only_begins_like_a_workbook_is_refused(data: bytes) -> None:
    assert refused(data) == {"code": "invalid_input", "field": "file", "reason": "not_xlsx"}


def test_a_hundred_thousand_rows_are_refused_at_the_first_too_many() -> None:
    data = (ENGLISH + "\n" + "2026-09-14,08:00,09:40,教育学,li,A101\n" * 100_000).encode()
    assert refused(data) == {"code": "too_large", "field": "file", "limit": "rows", "most": 20_000}
    small = xlsx(tuple(ENGLISH.split(",")), *[("2026-09-14", "08:00", "09:40", "x", "li", "A")] * 30)
    assert refused(small, import_max_rows=20)["limit"] == "rows"
    far = Workbook()
    sheet = far.active
    assert sheet is not None
    sheet.append(ENGLISH.split(","))
    sheet.cell(row=1_000_000, column=1, value="x")
    kept = io.BytesIO()
    far.save(kept)
    assert refused(kept.getvalue())["limit"] == "lines"


def test_reading_that_takes_too_long_is_given_up() -> None:
    seconds = iter(range(0, 1000, 15))
    budget = Budget(100, stopwatch=lambda: float(next(seconds)))
    data = (ENGLISH + "\n" + "2026-09-14,08:00,09:40,教育学,li,A101\n" * 5).encode()
    with pytest.raises(Refusal) as caught:
        read_timetable(data, TeachingSettings(), NOW, budget)
    assert caught.value.facts["limit"] == "seconds"


@given(st.binary(max_size=300), st.sampled_from((b"", b"PK\x03\x04", f"{ENGLISH}\n".encode())))
def test_any_bytes_give_rows_or_a_refusal(noise: bytes, before: bytes) -> None:
    try:
        reading = read(before + noise)
        found = {type(row) for row in (*reading.rows, *reading.bad)}
        code = None
    except Refusal as refusal:
        found, code = set(), refusal.code.value
    assert found <= {Row, BadRow}
    assert code in (None, "invalid_input", "too_large")


@given(
    st.datetimes(wall("2026-09-02"), wall("2027-08-01")), st.integers(1, 600),
    st.text("教育ab ,;\"'", min_size=1, max_size=30).filter(str.strip),
)  # fmt: skip
def test_what_a_sheet_says_is_what_a_row_has(starts: datetime, minutes: int, title: str) -> None:
    starts = starts.replace(second=0, microsecond=0)
    ends = starts + timedelta(minutes=minutes)
    data = xlsx(("starts at", "ends at", "course", "teacher"), (starts, ends, title, "li"))
    (row,) = read(data).rows
    assert (row.starts_at, row.ends_at) == (starts.replace(tzinfo=SHANGHAI), ends.replace(tzinfo=SHANGHAI))
    assert row.title == " ".join(title.split())
    assert row.starts_at.astimezone(UTC).tzinfo is UTC
