"""iCalendar as calendars write it: recurrence, exceptions, zones, folding; every mistake by its line; and bombs."""

import time
import tracemalloc
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.refusals import Refusal
from teaching.import_limits import Budget
from teaching.rows import BadRow, Row
from teaching.settings import TeachingSettings
from teaching.timetable_file import Reading, read_timetable
from tests.teaching.conftest import NOW, calendar, event

SHANGHAI = ZoneInfo("Asia/Shanghai")


def read(data: bytes, now: datetime = NOW, **settings: Any) -> Reading:
    return read_timetable(data, TeachingSettings(**settings), now)


def starts(data: bytes, now: datetime = NOW) -> list[str]:
    """The rows' starts in the institute's time."""
    reading = read(data, now)
    assert reading.bad == []
    return [f"{row.starts_at.astimezone(SHANGHAI):%m-%d %H:%M}" for row in reading.rows]


def bad(data: bytes) -> list[tuple[int, str]]:
    return [(row.number, row.code.value) for row in read(data).bad]


def refused(data: bytes, **settings: Any) -> dict[str, str | int]:
    with pytest.raises(Refusal) as caught:
        read(data, **settings)
    return {"code": caught.value.code.value, **caught.value.facts}


def test_an_event_is_a_row_at_the_line_it_begins() -> None:
    (row,) = read(calendar(event())).rows
    assert row == Row(
        4, "a@x", "", "教育学", datetime(2026, 9, 14, 0, 0, tzinfo=UTC), datetime(2026, 9, 14, 1, 40, tzinfo=UTC),
        ("li",), "A101", False,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        (["RRULE:FREQ=WEEKLY;COUNT=3"], ["09-14 08:00", "09-21 08:00", "09-28 08:00"]),
        (["RRULE:FREQ=WEEKLY;BYDAY=MO,WE;COUNT=3"], ["09-14 08:00", "09-16 08:00", "09-21 08:00"]),
        (["RRULE:FREQ=WEEKLY;COUNT=3", "EXDATE;TZID=Asia/Shanghai:20260921T080000"], ["09-14 08:00", "09-28 08:00"]),
        (["RRULE:FREQ=WEEKLY;COUNT=3", "EXDATE:20260921T000000Z"], ["09-14 08:00", "09-28 08:00"]),
        (["RRULE:FREQ=WEEKLY;COUNT=3", "EXDATE;VALUE=DATE:20260921"], ["09-14 08:00", "09-28 08:00"]),
        (["RRULE:FREQ=WEEKLY;COUNT=3", "EXDATE:20260921T080000"], ["09-14 08:00", "09-28 08:00"]),
        (["RDATE;TZID=Asia/Shanghai:20260919T140000,20260920T140000"], ["09-14 08:00", "09-19 14:00", "09-20 14:00"]),
        # UNTIL as it should be, as a date, and floating: the last class is in each time the one of the 28th.
        (["RRULE:FREQ=WEEKLY;UNTIL=20260928T000000Z"], ["09-14 08:00", "09-21 08:00", "09-28 08:00"]),
        (["RRULE:FREQ=WEEKLY;UNTIL=20260928"], ["09-14 08:00", "09-21 08:00", "09-28 08:00"]),
        (["RRULE:FREQ=WEEKLY;UNTIL=20260928T080000"], ["09-14 08:00", "09-21 08:00", "09-28 08:00"]),
        (["RRULE:FREQ=WEEKLY;UNTIL=20260928T075959"], ["09-14 08:00", "09-21 08:00"]),
    ],
)
def test_rules_and_exceptions(lines: list[str], expected: list[str]) -> None:
    assert sorted(starts(calendar(event(*lines)))) == expected


@pytest.mark.parametrize(
    ("at", "expected"),
    [
        ("DTSTART:20260914T080000", "09-14 08:00"),
        ("DTSTART:20260914T000000Z", "09-14 08:00"),
        ("DTSTART;TZID=China Standard Time:20260914T080000", "09-14 08:00"),
        ("DTSTART;TZID=/example.org/Asia/Shanghai:20260914T080000", "09-14 08:00"),
        ('DTSTART;TZID="Asia/Tokyo":20260914T090000', "09-14 08:00"),
        ("DTSTART;TZID=Europe/Berlin:20260914T020000", "09-14 08:00"),
        ("DTSTART;VALUE=DATE-TIME;TZID=Asia/Shanghai:20260914T080000", "09-14 08:00"),
    ],
)
def test_zones(at: str, expected: str) -> None:
    assert starts(calendar(event(at=at))) == [expected]


def zone(*observances: str, tzid: str = "Beijing") -> str:
    return f"BEGIN:VTIMEZONE\r\nTZID:{tzid}\r\n{''.join(observances)}END:VTIMEZONE\r\n"


def observance(offset: str, name: str = "STANDARD") -> str:
    return f"BEGIN:{name}\r\nDTSTART:19700101T000000\r\nTZOFFSETFROM:+0000\r\nTZOFFSETTO:{offset}\r\nEND:{name}\r\n"


def test_a_files_own_zone_counts_where_it_has_one_offset() -> None:
    at = "DTSTART;TZID=Beijing:20260914T080000"
    assert starts(calendar(zone(observance("+0800")), event(at=at))) == ["09-14 08:00"]
    assert starts(calendar(zone(observance("-0500")), event(at=at))) == ["09-14 21:00"]
    two = zone(observance("+0100"), observance("+0200", "DAYLIGHT"))
    assert bad(calendar(two, event(at=at))) == [(17, "zone_unknown")]
    # A zone that was defined by one file is unknown in the next.
    assert bad(calendar(event(at=at))) == [(4, "zone_unknown")]


def test_a_weekly_class_keeps_its_wall_clock_over_summer_time() -> None:
    rows = read(calendar(event("RRULE:FREQ=WEEKLY;COUNT=3", at="DTSTART;TZID=Europe/Berlin:20261019T080000"))).rows
    assert [f"{row.starts_at.astimezone(UTC):%m-%d %H:%M}" for row in rows] == [
        "10-19 06:00", "10-26 07:00", "11-02 07:00",
    ]  # fmt: skip


def test_a_change_of_this_and_all_later_occurrences_keeps_their_names() -> None:
    later = event("RECURRENCE-ID;RANGE=THISANDFUTURE;TZID=Asia/Shanghai:20260921T080000",
                  at="DTSTART;TZID=Asia/Shanghai:20260921T100000")  # fmt: skip
    rows = read(calendar(event("RRULE:FREQ=WEEKLY;COUNT=3"), later)).rows
    assert [(row.occurrence[:16], f"{row.starts_at:%m-%d %H:%M}") for row in rows] == [
        ("2026-09-14T00:00", "09-14 08:00"), ("2026-09-21T00:00", "09-21 10:00"), ("2026-09-28T00:00", "09-28 10:00"),
    ]  # fmt: skip


def test_only_what_lies_within_the_horizon_is_counted_out() -> None:
    daily = calendar(event("RRULE:FREQ=DAILY", at="DTSTART;TZID=Asia/Shanghai:20260101T080000"))
    rows = read(daily, horizon_days=10).rows
    assert [f"{row.starts_at:%m-%d}" for row in rows] == [
        "09-01", *(f"09-{day:02}" for day in range(2, 11)),
    ]  # fmt: skip
    assert bad(calendar(event(at="DTSTART:20360914T080000"))) == [(4, "beyond_horizon")]


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        (["X-LECTERN-INSTRUCTOR:li", "ORGANIZER:mailto:office@x"], ("li",)),
        (["ATTENDEE;CN=Li:mailto:li@x", "ORGANIZER:mailto:office@x"], ("li@x", "li", "office@x", "office")),
        (["ATTENDEE:mailto:a@x", "ATTENDEE;ROLE=CHAIR:mailto:li@x"], ("li@x", "li")),
        (["ATTENDEE:mailto:a@x", "ATTENDEE:mailto:b@x", "ORGANIZER:MAILTO:li@x"], ("li@x", "li")),
        ([], ()),
    ],
)
def test_who_teaches(lines: list[str], expected: tuple[str, ...]) -> None:
    plain = event(*lines)
    if not any(line.startswith("X-LECTERN") for line in lines):
        plain = plain.replace("X-LECTERN-INSTRUCTOR:li\r\n", "")
    assert read(calendar(plain)).rows[0].instructors == expected


def test_lines_that_were_folded_even_within_a_character() -> None:
    folded = calendar(event("SUMMARY:教\r\n 育\r\n\t学 导论"))
    assert read(folded).rows[0].title == "教育学 导论"
    cut = calendar(event("SUMMARY:教育学")).replace("育".encode(), "育".encode()[:1] + b"\r\n " + "育".encode()[1:])
    assert read(cut).rows[0].title == "教育学"
    assert read(calendar(event()).decode().encode("gb18030")).rows[0].title == "教育学"


MISTAKES = [
    (event("DTSTART:2026-09-14T08:00", at=""), "date_invalid"),
    (event(at="DTSTART;VALUE=DATE:20260914"), "time_missing"),
    (event("DTEND:20260914T070000"), "window_invalid"),
    (event("DTEND:20260916T080000"), "window_invalid"),
    (event("RRULE:FREQ=NEVER"), "rule_invalid"),
    (event("RRULE:COUNT=3"), "rule_invalid"),
    (event("RRULE:FREQ=DAILY;UNTIL=20261399"), "rule_invalid"),
    (event("RRULE:FREQ=SECONDLY;COUNT=1000000000"), "rule_too_frequent"),
    (event("RRULE:FREQ=MINUTELY"), "rule_too_frequent"),
    (event(f"RRULE:FREQ=DAILY;BYHOUR=8;BYMINUTE={','.join(map(str, range(60)))}"), "rule_too_frequent"),
    (event("RRULE:FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30"), "rule_invalid"),
    (event("RRULE:FREQ=DAILY;BYWEEKNO=53"), "rule_invalid"),
    (event("RRULE:FREQ=MONTHLY;BYDAY=MO;BYSETPOS=300"), "rule_invalid"),
    (event("RRULE:FREQ=DAILY", at="DTSTART:00010101T080000"), "rule_invalid"),
    (event("EXDATE:whenever", "RRULE:FREQ=DAILY;COUNT=2"), "date_invalid"),
    (event("SUMMARY:"), "title_missing"),
    (event(f"SUMMARY:{'x' * 201}"), "title_too_long"),
    (event(f"LOCATION:{'x' * 101}"), "room_too_long"),
    (event(uid="x" * 256), "uid_too_long"),
    (event("this is no property"), "row_malformed"),
    (event("DURATION:PT1H", "DTEND:20260914T090000"), ""),
    (event("DTSTART:20260915T080000"), ""),
]


@pytest.mark.parametrize(("wrong", "code"), MISTAKES)
def test_a_mistake_is_told_by_its_line_and_the_rest_is_taken(wrong: str, code: str) -> None:
    data = calendar(event(uid="before"), wrong, event(uid="after", at="DTSTART:20260916T080000"))
    reading = read(data)
    number = data.decode().split("\r\n").index("BEGIN:VEVENT", 5) + 1
    assert [(row.number, row.code.value) for row in reading.bad] == ([(number, code)] if code else [])
    assert {row.uid for row in reading.rows} >= {"before", "after"}


def test_two_events_of_one_uid_are_somebodys_mistake_and_versions_are_not() -> None:
    second = event(at="DTSTART:20260915T080000")
    assert bad(calendar(event(), second)) == [(12, "duplicate")]
    newer = calendar(event("SEQUENCE:1"), event("SEQUENCE:2", "LOCATION:B1"))
    assert [row.room for row in read(newer).rows] == ["B1"]


def test_an_occurrence_whose_change_is_unreadable_is_left_alone() -> None:
    change = event("RECURRENCE-ID;TZID=Asia/Shanghai:20260921T080000", "this is no property")
    reading = read(calendar(event("RRULE:FREQ=WEEKLY;COUNT=3"), change))
    assert [row.occurrence[:10] for row in reading.rows] == ["2026-09-14", "2026-09-28"]
    (told,) = reading.bad
    assert told.may_be("a@x", "2026-09-21T00:00:00+00:00")
    assert not told.may_be("a@x", "2026-09-14T00:00:00+00:00")


@pytest.mark.parametrize(
    "text",
    [
        "BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nEND:VCALENDAR\r\n",
        "BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\n",
        "BEGIN:VCALENDAR\r\nEND:VCALENDAR\r\nEND:VCALENDAR\r\n",
        "BEGIN:VEVENT\r\nX:BEGIN:VCALENDAR\r\nEND:VEVENT\r\n",
    ],
)
def test_what_is_no_calendar_is_refused_with_the_line(text: str) -> None:
    found = refused(text.encode())
    assert (found["code"], found["reason"]) == ("invalid_input", "not_a_calendar")
    assert int(found["line"]) >= 1


def costs(data: bytes, **settings: Any) -> tuple[dict[str, str | int] | None, float, int]:
    """The refusal if there was one, seconds, and bytes at the most."""
    tracemalloc.start()
    began, found = time.monotonic(), None
    try:
        read(data, **settings)
    except Refusal as refusal:
        found = {"code": refusal.code.value, **refusal.facts}
    took = time.monotonic() - began
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return found, took, most


BOMBS = {
    "events": calendar(event() * 30_000),
    "occurrences": calendar(*(event("RRULE:FREQ=DAILY", uid=str(number)) for number in range(100))),
    "depth": b"BEGIN:VCALENDAR\r\n" + b"BEGIN:VEVENT\r\n" * 100_000,
    "one line": calendar(event("RDATE:" + ",".join(["20260914T080000"] * 300_000))),
    "many lines": calendar(event(*["EXDATE:" + ",".join(["20260914T080000"] * 1000)] * 100)),
    "folds": b"BEGIN:VCALENDAR\r\nX:" + b"\r\n x" * 1_000_000,
    "blank lines": b"BEGIN:VCALENDAR\r\n" + b"\r\n" * 2_000_000,
}


@pytest.mark.parametrize("name", BOMBS)
def test_a_bomb_is_refused_within_seconds_and_little_memory(name: str) -> None:
    found, took, most = costs(BOMBS[name])
    assert found is not None
    assert found["code"] == ("invalid_input" if name in ("folds", "blank lines") else "too_large")
    assert took < 60
    assert most < 200 << 20


def test_rules_that_never_come_true_are_given_up_together() -> None:
    """Each is looked for until the year 9999, about a second long."""
    never = (event("RRULE:FREQ=MONTHLY;BYDAY=5MO;BYMONTHDAY=1", uid=str(number)) for number in range(200))
    began = time.monotonic()
    with pytest.raises(Refusal) as caught:
        read_timetable(calendar(*never), TeachingSettings(), NOW, Budget(20_000, max_seconds=2))
    assert caught.value.facts["limit"] == "seconds"
    assert time.monotonic() - began < 30


@given(st.lists(st.sampled_from([*(wrong for wrong, _ in MISTAKES), event(), event("RRULE:FREQ=DAILY;COUNT=9")]),
                max_size=6), st.integers(0, 400))  # fmt: skip
def test_any_mixture_cut_anywhere_gives_rows_or_a_refusal(events: list[str], cut: int) -> None:
    data = calendar(*events)
    for kept in (data, data[: max(1, len(data) - cut)]):
        try:
            reading = read(kept)
            found = {type(row) for row in (*reading.rows, *reading.bad)}
            code = None
        except Refusal as refusal:
            found, code = set(), refusal.code.value
        assert found <= {Row, BadRow}
        assert code in (None, "invalid_input")
