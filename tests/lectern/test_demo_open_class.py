"""The class that the demo leaves open: what is imported for it, and what a person at the terminal is told."""

import os
import shlex
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from icalendar import Calendar

from lectern import demo_timetable
from lectern.demo_open_class import OpenClass, how_to_command, how_to_publish
from lectern.settings import load

RECORDED = UUID(int=7)
NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


def titles(file: bytes) -> dict[str, tuple[datetime, datetime]]:
    classes: list[Any] = Calendar.from_ical(file).walk("VEVENT")
    return {str(one["summary"]): (one["dtstart"].dt, one["dtend"].dt) for one in classes}


def test_the_second_import_keeps_the_week_and_has_one_class_that_stays_open() -> None:
    first, second = (titles(render(NOON, "teacher")) for render in (demo_timetable.render, demo_timetable.render_open))
    story = {demo_timetable.FIRST_TITLE, demo_timetable.LECTURE_TITLE}
    assert first.keys() - second.keys() == story
    assert second.keys() - first.keys() == {demo_timetable.OPEN_TITLE}
    starts_at, ends_at = second[demo_timetable.OPEN_TITLE]
    assert (starts_at - NOON, ends_at - starts_at) == (timedelta(minutes=1), demo_timetable.OPEN_FOR)


@pytest.mark.parametrize("hour", range(24))
def test_it_is_over_before_anything_else_of_the_week_whenever_the_demo_runs(hour: int) -> None:
    spans = titles(demo_timetable.render_open(NOON.replace(hour=hour, minute=59), "teacher"))
    _, ends_at = spans.pop(demo_timetable.OPEN_TITLE)
    assert all(starts_at > ends_at for starts_at, _ in spans.values())


def test_the_lines_name_the_login_the_page_and_the_address_for_an_encoder() -> None:
    left = OpenClass("17", "课", NOON, "rtmp://127.0.0.1:1935/live", "KEY")
    assert "KEY" not in repr(left)
    said = how_to_publish(left, "http://127.0.0.1:8080", "teacher", "Lamp-Desk-1", NOON)
    assert "teacher Lamp-Desk-1" in said[0]
    assert "open until 20:00 (Asia/Shanghai)" in said[0]
    assert said[1].endswith("http://127.0.0.1:8080/sessions/17")
    assert "server rtmp://127.0.0.1:1935/live, stream key KEY" in said[2]
    assert shlex.split(said[3])[-1] == "rtmp://127.0.0.1:1935/live/KEY"


def test_another_day_in_the_institutes_zone_than_the_terminals_is_named() -> None:
    late = NOON + timedelta(hours=6)
    left = OpenClass("17", "课", late, "rtmp://127.0.0.1:1935/live", "KEY")
    said = how_to_publish(left, "http://127.0.0.1:8080", "teacher", "Lamp-Desk-1", late)
    assert "open until 2026-03-03 02:00 (Asia/Shanghai)" in said[0]


@pytest.mark.parametrize(
    ("folder", "begins"),
    [(".data", ""), (".demo", "LECTERN_DATA_FOLDER=.demo "), ("/a house", "LECTERN_DATA_FOLDER='/a house' ")],
)
def test_the_line_for_other_commands_names_the_folder_where_it_is_not_the_usual_one(
    folder: str, begins: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    head, *lines = how_to_command(load({"LECTERN_DATA_FOLDER": os.path.abspath(folder)}), RECORDED)
    assert head == f"Beside it, in {tmp_path}:"
    assert all(line.startswith(f"  {begins}/") for line in lines), lines
    assert f"lectern recording verify {RECORDED}" in lines[2]
    assert [line.endswith(("user list", "doctor", "--dry-run")) for line in lines] == [True, True, False, True]
