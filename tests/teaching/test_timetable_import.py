"""What imports make of sessions that are there already: by stories, and by chance."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from domain.states import SessionMove, SessionState
from storage.catalogue import sessions, timetables
from storage.catalogue.tables.audit_entry import AuditEntry
from storage.catalogue.tables.fact import FactRow
from storage.catalogue.tables.session import Session
from tests.teaching.conftest import School, calendar, csv_of, event

pytestmark = pytest.mark.anyio

MONDAY = "1,2026-09-14,08:00,09:40,教育学,li,A101,"
TUESDAY = "2,2026-09-15,08:00,09:40,心理学,wang,A102,"


def counts(report: dict[str, object]) -> tuple[object, ...]:
    """(created, changed, unchanged, cancelled, rejected codes)."""
    rejected = report["rejected"]
    assert isinstance(rejected, list)
    named = ("created", "changed", "unchanged", "cancelled")
    return (*(report[name] for name in named), [(one["row"], one["code"]) for one in rejected])


async def move(school: School, session: Session, *moves: SessionMove) -> None:
    async with school.catalogue.transaction() as tx:
        locked = await sessions.lock(tx, session.id)
        for step in moves:
            await sessions.move(tx, locked, step, school.now)


async def test_a_row_becomes_a_scheduled_session_its_bookings_and_a_fact(school: School) -> None:
    assert counts(await school.take(csv_of(MONDAY))) == (1, 0, 0, 0, [])
    (made,) = await school.sessions()
    assert (made.title, made.room, made.state, made.kind) == ("教育学", "A101", "scheduled", "daily")
    assert made.starts_at == datetime(2026, 9, 14, 0, 0, tzinfo=UTC)
    assert made.ends_at == datetime(2026, 9, 14, 1, 40, tzinfo=UTC)
    assert (made.instructor_id, made.responsible_id) == (school.teachers["li"],) * 2
    assert (made.cohort_id, made.retention_class, made.release) == (
        school.cohort_id, "ordinary_teaching", "roster_at_once",
    )  # fmt: skip
    assert made.department_id is not None
    assert await school.booked([made.id]) == {
        ("room", "A101"), ("instructor", str(school.teachers["li"])), ("cohort", str(school.cohort_id)),
    }  # fmt: skip
    async with school.catalogue.transaction() as tx:
        facts = (await tx.session.scalars(select(FactRow))).all()
        (entry,) = (await tx.session.scalars(select(AuditEntry))).all()
        (kept,) = await timetables.imports(tx, school.timetable_id)
    assert [(fact.name, fact.payload) for fact in facts] == [("session_scheduled", {"session_id": str(made.id)})]
    assert (entry.action, entry.details["created"]) == ("timetable_imported", 1)
    assert kept.report["created"] == 1


async def test_the_same_file_again_changes_nothing(school: School) -> None:
    await school.take(csv_of(MONDAY, TUESDAY))
    before = [(one.id, one.version) for one in await school.sessions()]
    assert counts(await school.take(csv_of(MONDAY, TUESDAY))) == (0, 0, 2, 0, [])
    assert [(one.id, one.version) for one in await school.sessions()] == before


async def test_a_changed_row_changes_its_session_and_moves_its_bookings(school: School) -> None:
    await school.take(csv_of(MONDAY))
    (before,) = await school.sessions()
    moved = "1,2026-09-16,10:00,11:40,教育学导论,wang,B201,"
    assert counts(await school.take(csv_of(moved))) == (0, 1, 0, 0, [])
    (after,) = await school.sessions()
    assert (after.id, after.title, after.room) == (before.id, "教育学导论", "B201")
    assert after.starts_at == datetime(2026, 9, 16, 2, 0, tzinfo=UTC)
    assert after.instructor_id == after.responsible_id == school.teachers["wang"]
    assert ("room", "A101") not in await school.booked([after.id])
    assert after.version > before.version


async def test_two_rows_may_swap_rooms_and_times(school: School) -> None:
    await school.take(csv_of(MONDAY, TUESDAY))
    swapped = csv_of("1,2026-09-15,08:00,09:40,教育学,li,A102,", "2,2026-09-14,08:00,09:40,心理学,wang,A101,")
    assert counts(await school.take(swapped)) == (0, 2, 0, 0, [])
    assert [one.title for one in await school.sessions()] == ["心理学", "教育学"]


async def test_what_is_gone_from_the_file_is_cancelled_and_frees_its_slot(school: School) -> None:
    await school.take(csv_of(MONDAY, TUESDAY))
    instead = "3,2026-09-14,08:00,09:40,班级管理,li,A101,"
    assert counts(await school.take(csv_of(TUESDAY, instead))) == (1, 0, 1, 1, [])
    states = {one.title: one.state for one in await school.sessions()}
    assert states == {"教育学": "cancelled", "心理学": "scheduled", "班级管理": "scheduled"}
    assert counts(await school.take(csv_of(TUESDAY, instead))) == (0, 0, 2, 0, [])


async def test_a_row_that_comes_back_after_its_cancelling_makes_a_new_session(school: School) -> None:
    await school.take(csv_of(MONDAY))
    await school.take(csv_of(TUESDAY))
    assert counts(await school.take(csv_of(MONDAY, TUESDAY))) == (1, 0, 1, 0, [])
    assert [one.state.value for one in await school.sessions()].count("scheduled") == 2
    assert counts(await school.take(csv_of(MONDAY, TUESDAY))) == (0, 0, 2, 0, [])


async def test_a_session_that_a_person_cancelled_stays_cancelled(school: School) -> None:
    await school.take(csv_of(MONDAY))
    await move(school, (await school.sessions())[0], SessionMove.cancel)
    assert counts(await school.take(csv_of(MONDAY.replace("A101", "B1")))) == (0, 0, 1, 0, [])
    assert [one.state for one in await school.sessions()] == [SessionState.cancelled]


async def test_a_live_session_is_never_changed_nor_cancelled(school: School) -> None:
    await school.take(csv_of(MONDAY))
    (session,) = await school.sessions()
    school.now = session.starts_at + timedelta(minutes=5)
    await move(school, session, SessionMove.go_live)
    changed = counts(await school.take(csv_of(MONDAY.replace("A101", "B1"))))
    assert changed == (0, 0, 0, 0, [(2, "session_live")])
    called_off = counts(await school.take(csv_of(MONDAY + "停课")))
    assert called_off == (0, 0, 0, 0, [(2, "session_live")])
    assert counts(await school.take(csv_of(TUESDAY))) == (1, 0, 0, 0, [])
    kept = (await school.sessions())[0]
    assert (kept.state, kept.room) == (SessionState.live, "A101")


async def test_what_was_held_keeps_its_record(school: School) -> None:
    await school.take(csv_of(MONDAY))
    (session,) = await school.sessions()
    await move(school, session, SessionMove.go_live, SessionMove.end)
    school.now = session.ends_at + timedelta(hours=1)
    assert counts(await school.take(csv_of(MONDAY.replace("A101", "B1")))) == (0, 0, 1, 0, [])
    again = counts(await school.take(csv_of(MONDAY.replace("09-14", "09-21"))))
    assert again == (0, 0, 0, 0, [(2, "session_over")])
    assert [one.room for one in await school.sessions()] == ["A101"]


async def test_a_status_calls_a_class_off_once(school: School) -> None:
    await school.take(csv_of(MONDAY))
    assert counts(await school.take(csv_of(MONDAY + "停课"))) == (0, 0, 0, 1, [])
    assert counts(await school.take(csv_of(MONDAY + "停课"))) == (0, 0, 1, 0, [])
    assert [one.state for one in await school.sessions()] == [SessionState.cancelled]


async def test_past_classes_make_nothing_and_are_counted(school: School) -> None:
    school.now = datetime(2026, 9, 14, 12, 0, tzinfo=UTC)
    report = await school.take(csv_of(MONDAY, TUESDAY))
    assert (counts(report), report["past"]) == ((1, 0, 0, 0, []), 1)


async def test_bad_rows_are_named_by_number_and_the_rest_is_imported(school: School) -> None:
    report = await school.take(csv_of(
        "1,2026-02-30,08:00,09:40,教育学,li,A101,",
        MONDAY,
        "3,2026-09-16,25:00,26:00,教育学,li,A101,",
        "4,2026-09-17,10:00,09:00,教育学,li,A101,",
        "5,2026-09-18,08:00,09:40,,li,A101,",
        "6,2026-09-19,08:00,09:40,教育学,nobody,A101,",
        "7,2026-09-20,08:00,09:40,教育学,,A101,",
        "8,2026-09-21,08:00,09:40,教育学,xue,A101,",
        "9,2036-09-21,08:00,09:40,教育学,li,A101,",
        "1,2026-09-22,08:00,09:40,教育学,li,A101,大概",
        "",
        MONDAY,
        TUESDAY,
    ))  # fmt: skip
    assert counts(report) == (2, 0, 0, 0, [
        (2, "date_invalid"), (4, "time_invalid"), (5, "window_invalid"), (6, "title_missing"),
        (7, "instructor_unknown"), (8, "instructor_missing"), (9, "instructor_may_not_publish"),
        (10, "beyond_horizon"), (11, "status_unknown"), (13, "duplicate"),
    ])  # fmt: skip
    assert [one.title for one in await school.sessions()] == ["教育学", "心理学"]


async def test_what_a_bad_row_may_have_meant_is_not_cancelled(school: School) -> None:
    await school.take(csv_of(MONDAY, TUESDAY))
    other = "7,2026-09-18,08:00,09:40,语文,wang,A102,"
    report = await school.take(csv_of(MONDAY.replace("2026-09-14", "14.9."), other))
    assert (counts(report), report["kept"]) == ((1, 0, 0, 1, [(2, "date_invalid")]), 1)
    assert {one.title: one.state.value for one in await school.sessions()} == {
        "教育学": "scheduled", "心理学": "cancelled", "语文": "scheduled",
    }  # fmt: skip


async def test_clashes_name_the_session_in_the_way(school: School) -> None:
    other = await school.other_timetable("two")
    await school.take(csv_of(MONDAY))
    report = await school.take(csv_of(
        "1,2026-09-14,09:00,10:00,美学,wang,A101,",
        "2,2026-09-14,09:30,10:00,音乐,li,B1,",
        "3,2026-09-14,09:40,10:40,体育,wang,B2,",
        "4,2026-09-14,10:00,11:00,美术,li,B3,",
    ), other)  # fmt: skip
    assert counts(report) == (1, 0, 0, 0, [(2, "slot_taken"), (3, "slot_taken"), (5, "slot_taken")])
    first, second, third = (one["detail"] for one in report["rejected"])
    assert "A101" in first
    assert "《教育学》, 2026-09-14 08:00–09:40" in first
    assert "instructor" in second
    assert "《教育学》" in second
    assert "cohort" in third
    assert "《体育》" in third


async def test_a_refused_change_keeps_its_slot_from_others(school: School) -> None:
    other = await school.other_timetable("two")
    await school.take(csv_of("9,2026-09-16,08:00,09:40,物理,wang,C1,"), other)
    await school.take(csv_of(MONDAY))
    report = await school.take(csv_of(
        "1,2026-09-16,08:00,09:40,教育学,li,C1,",
        "2,2026-09-14,08:00,09:40,班级管理,wang,A101,",
    ))  # fmt: skip
    assert counts(report) == (0, 0, 0, 0, [(2, "slot_taken"), (3, "slot_taken")])


async def test_a_series_follows_its_calendar(school: School) -> None:
    weekly = "RRULE:FREQ=WEEKLY;COUNT=4"
    assert counts(await school.take(calendar(event(weekly)))) == (4, 0, 0, 0, [])
    moved = event("RECURRENCE-ID;TZID=Asia/Shanghai:20260921T080000", "LOCATION:B201",
                  at="DTSTART;TZID=Asia/Shanghai:20260922T140000")  # fmt: skip
    off = event("RECURRENCE-ID;TZID=Asia/Shanghai:20260928T080000", "STATUS:CANCELLED",
                at="DTSTART;TZID=Asia/Shanghai:20260928T080000")  # fmt: skip
    skipped = event(weekly, "EXDATE;TZID=Asia/Shanghai:20261005T080000")
    assert counts(await school.take(calendar(skipped, moved, off))) == (0, 1, 1, 2, [])
    assert counts(await school.take(calendar(skipped, moved, off))) == (0, 0, 3, 0, [])
    told = [(one.starts_at.isoformat()[:16], one.room, one.state.value) for one in await school.sessions()]
    assert told == [
        ("2026-09-14T00:00", "A101", "scheduled"),
        ("2026-09-22T06:00", "B201", "scheduled"),
        ("2026-09-28T00:00", "A101", "cancelled"),
        ("2026-10-05T00:00", "A101", "cancelled"),
    ]


async def test_an_event_that_does_not_repeat_may_be_moved(school: School) -> None:
    await school.take(calendar(event()))
    assert counts(await school.take(calendar(event(at="DTSTART:20260915T080000")))) == (0, 1, 0, 0, [])
    assert [one.starts_at.day for one in await school.sessions()] == [15]


LINES = st.lists(
    st.tuples(
        st.integers(1, 6), st.integers(14, 18), st.sampled_from(("08:00,09:40", "09:00,10:00", "14:00,15:30")),
        st.sampled_from(("教育学", "心理学")), st.sampled_from(("li", "wang", "nobody")),
        st.sampled_from(("A101", "A102", "")), st.sampled_from(("", "", "停课")),
    ).map(lambda one: f"{one[0]},2026-09-{one[1]},{one[2]},{one[3]},{one[4]},{one[5]},{one[6]}"),
    max_size=8,
)  # fmt: skip


@settings(max_examples=40, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture])
@given(first=LINES, second=LINES)
async def test_any_two_files_leave_a_timetable_without_clashes_and_the_second_again_changes_nothing(
    school: School, first: list[str], second: list[str]
) -> None:
    for data in (csv_of(*first), csv_of(*second)):
        report = await school.take(data)
        taken = sum(int(report[name]) for name in ("created", "changed", "unchanged", "past"))
        rows = data.decode().count("\r\n") - 1
        assert taken + len(report["rejected"]) <= rows <= taken + len(report["rejected"]) + report["cancelled"]
    before = [(one.id, one.version, one.state) for one in await school.sessions()]
    again = await school.take(csv_of(*second))
    assert (again["created"], again["changed"], again["cancelled"]) == (0, 0, 0)
    assert again["rejected"] == report["rejected"]
    assert [(one.id, one.version, one.state) for one in await school.sessions()] == before


async def test_who_is_in_the_way_is_named_as_the_same_file_names_it(school: School) -> None:
    await school.take(csv_of("3,2026-09-14,08:00,09:40,心理学,li,A101,"))
    renamed = csv_of("3,2026-09-14,08:00,09:40,教育学,li,A101,", "1,2026-09-14,08:00,09:40,音乐,li,A101,")
    report = await school.take(renamed)
    assert [(one["row"], "《教育学》" in one["detail"]) for one in report["rejected"]] == [(3, True)]
    assert (await school.take(renamed))["rejected"] == report["rejected"]


async def test_a_file_of_which_nothing_is_taken_cancels_nothing(school: School) -> None:
    """A wrong column, or another timetable's file: every row is rejected, none says what is gone."""
    await school.take(csv_of(MONDAY, TUESDAY))
    report = await school.take(csv_of("9,2026-09-16,08:00,09:40,音乐,nobody-here,A103,"))
    assert counts(report)[:4] == (0, 0, 0, 0)
    assert report["kept"] == 2
    assert {one.state for one in await school.sessions()} == {"scheduled"}
