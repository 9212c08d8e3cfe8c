"""docs/timetables.md lists every column's name and every code, and its example is one."""

import re
from pathlib import Path

from teaching.columns import CANCELLED, NAMES, Column
from teaching.rows import RowCode
from teaching.settings import TeachingSettings
from teaching.timetable_file import read_timetable
from tests.teaching.conftest import NOW

DOCUMENT = (Path(__file__).parents[2] / "docs" / "timetables.md").read_text(encoding="utf-8")


def test_every_column_is_listed_and_no_other() -> None:
    rows = [line.split("|")[1:] for line in DOCUMENT.partition("| what |")[2].splitlines()[2:] if line.startswith("|")]
    listed = {name for cells in rows[: len(Column)] for cell in cells[1:3]
              for name in re.split(r",\s*", re.sub(r"\(.*?\)", "", cell).strip())}  # fmt: skip
    assert {name.strip() for name in listed} == {name for names in NAMES.values() for name in names}
    assert all(word in DOCUMENT for word in CANCELLED - {"canceled"})


def test_every_code_is_listed() -> None:
    listed = {word for line in DOCUMENT.splitlines() if line.startswith("| `") for word in re.findall(r"`(\w+)`", line)}
    assert {code.value for code in RowCode} <= listed


def test_the_example_is_read() -> None:
    example = DOCUMENT.partition("```csv\n")[2].partition("```")[0]
    reading = read_timetable(example.encode(), TeachingSettings(), NOW)
    assert (len(reading.rows), reading.bad) == (2, [])
