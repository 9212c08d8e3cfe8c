"""Lists by keyset: complete, without repeats, within the viewer's reach, and as quick at their end as at first."""

import itertools
from collections.abc import Iterator
from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import text

from domain.kinds import Audience
from domain.permissions import Action, Reach, Scope
from domain.refusals import Refusal, RefusalCode
from domain.states import CourseState, RecordingState, SessionState
from storage.catalogue import courses, recordings, sessions
from storage.catalogue.identifiers import new_id
from storage.catalogue.paging import Page, cursor_of, read_cursor
from storage.catalogue.tables.session import Session
from storage.catalogue.transaction import Catalogue, Transaction
from tests.storage.catalogue.builders import NOON, Place, place, planned, session, stored_recording

pytestmark = pytest.mark.anyio

EVERYWHERE = Reach(everywhere=True)


async def everything(tx: Transaction, reach: Reach, account_id: UUID, limit: int) -> list[Session]:
    """Every page, to the end."""
    found: list[Session] = []
    cursor = None
    while True:
        page: Page[Session] = await sessions.listing(tx, reach, account_id, cursor=cursor, limit=limit)
        assert len(page.items) <= limit
        found += page.items
        cursor = page.next_cursor
        if cursor is None:
            return found


async def test_pages_are_complete_and_without_repeats_though_many_begin_at_once(catalogue: Catalogue) -> None:
    async with catalogue.transaction() as tx:
        at = await place(tx)
        made = [planned(at, NOON + timedelta(hours=n // 4)) for n in range(22)]
        await sessions.add(tx, made)
    expected = [row.id for row in sorted(made, key=lambda row: (row.starts_at, row.id))]
    own = Reach(own=True, cohort_ids=frozenset({at.cohort_id}))
    async with catalogue.transaction() as tx:
        for reach, limit in itertools.product((EVERYWHERE, own), (1, 5, 11, 22, 23)):
            assert [row.id for row in await everything(tx, reach, at.teacher_id, limit)] == expected


async def test_a_page_goes_on_where_it_was_though_rows_come_before_it(catalogue: Catalogue) -> None:
    async with catalogue.transaction() as tx:
        at = await place(tx)
        for hour in (1, 2, 3):
            await session(tx, at, NOON + timedelta(hours=hour))
        page = await sessions.listing(tx, EVERYWHERE, at.teacher_id, limit=2)
        await session(tx, at, NOON)
        rest = await sessions.listing(tx, EVERYWHERE, at.teacher_id, cursor=page.next_cursor)
    assert [row.starts_at for row in rest.items] == [NOON + timedelta(hours=3)]


def test_a_cursor_comes_back_as_it_was_made() -> None:
    key = new_id()
    at = NOON + timedelta(microseconds=1)
    assert read_cursor(cursor_of(at, key)) == (at, key)


@pytest.mark.parametrize("cursor", ["", "x", "汉字", "A" * 33, "A" * 31, "a" * 400])
def test_a_cursor_that_was_not_made_here_is_refused(cursor: str) -> None:
    with pytest.raises(Refusal) as caught:
        read_cursor(cursor)
    assert caught.value.code == RefusalCode.invalid_input


def reaches(one: Place, two: Place) -> Iterator[Reach]:
    """Every combination of the ways in which an account may reach something of the first place."""
    ways: list[dict[str, object]] = [
        {"own": True},
        {"department_ids": frozenset({one.scope.department_id})},
        {"programme_ids": frozenset({one.scope.programme_id})},
        {"cohort_ids": frozenset({one.cohort_id})},
        {"audience_programme_ids": frozenset({one.scope.programme_id, two.scope.programme_id})},
    ]
    for size in range(len(ways) + 1):
        for chosen in itertools.combinations(ways, size):
            fields: dict[str, object] = {}
            for way in chosen:
                fields |= way
            yield Reach(**fields)  # type: ignore[arg-type]
    yield EVERYWHERE


async def test_a_list_shows_exactly_what_the_domains_reach_covers(catalogue: Catalogue) -> None:
    """One rule, said twice: `Reach.covers` for one thing, conditions for a list. Here they are held equal."""
    async with catalogue.transaction() as tx:
        one, two = await place(tx, "one"), await place(tx, "two")
        scopes = [
            Scope(*(value if bit else None for value, bit in zip(fields, bits, strict=True)))
            for at in (one, two)
            for fields in [(at.scope.department_id, at.scope.programme_id, at.scope.cohort_id)]
            for bits in itertools.product((True, False), repeat=3)
        ]
        made = [
            planned(
                one,
                department_id=scope.department_id,
                programme_id=scope.programme_id,
                cohort_id=scope.cohort_id,
                instructor_id=owner,
                responsible_id=None,
            )
            for scope in scopes
            for owner in (one.teacher_id, two.teacher_id)
        ]
        await sessions.add(tx, made)
    async with catalogue.transaction() as tx:
        for reach in reaches(one, two):
            shown = {row.id for row in (await sessions.listing(tx, reach, one.teacher_id, limit=200)).items}
            covered = {
                row.id
                for row in made
                if reach.covers(
                    Scope(row.department_id, row.programme_id, row.cohort_id),
                    sessions.is_own(row, one.teacher_id, Action.session_read),
                )
            }
            assert shown == covered, reach


async def test_sessions_are_chosen_by_time_state_and_account(catalogue: Catalogue) -> None:
    async with catalogue.transaction() as tx:
        one, two = await place(tx, "one"), await place(tx, "two")
        first = await session(tx, one)
        second = await session(tx, two, NOON + timedelta(hours=3), reviewer_id=one.teacher_id)
        third = await session(tx, two, NOON + timedelta(hours=6), state=SessionState.cancelled)

        async def ids(wanted: sessions.Wanted, reach: Reach = EVERYWHERE) -> list[UUID]:
            page = await sessions.listing(tx, reach, one.teacher_id, wanted)
            return [row.id for row in page.items]

        assert await ids(sessions.Wanted(since=first.ends_at)) == [second.id, third.id]
        assert await ids(sessions.Wanted(until=second.starts_at)) == [first.id], "half open"
        assert await ids(sessions.Wanted(states=[SessionState.cancelled])) == [third.id]
        assert await ids(sessions.Wanted(of_account=one.teacher_id)) == [first.id, second.id]
        department_id = two.scope.department_id
        assert department_id is not None
        mine_there = Reach(department_ids=frozenset({department_id}))
        assert await ids(sessions.Wanted(of_account=one.teacher_id), mine_there) == [second.id]
        assert await ids(sessions.Wanted(of_account=one.teacher_id), Reach()) == []


async def test_recordings_are_found_by_state_and_by_words_as_they_stand(catalogue: Catalogue) -> None:
    async with catalogue.transaction() as tx:
        at = await place(tx)
        recording = await stored_recording(tx, at)
        recording.title = "100%_心理学"

        async def found(wanted: recordings.Wanted) -> int:
            return len((await recordings.listing(tx, EVERYWHERE, at.teacher_id, wanted)).items)

        await tx.session.flush()
        assert await found(recordings.Wanted(q="心理")) == 1
        assert await found(recordings.Wanted(q="0%_心")) == 1
        assert await found(recordings.Wanted(q="1%心")) == 0, "a percent sign is a percent sign"
        assert await found(recordings.Wanted(states=[RecordingState.stored])) == 1
        assert await found(recordings.Wanted(states=[RecordingState.marked, RecordingState.purged])) == 0


async def test_courses_are_seen_through_windows(catalogue: Catalogue) -> None:
    async with catalogue.transaction() as tx:
        at = await place(tx)
        recording = await stored_recording(tx, at)
        course = await courses.promote(
            tx, recording.id, title="课", summary="", audience=Audience.open, provider_id=at.teacher_id, now=NOON
        )

        async def seen(*windows: courses.Window, states: tuple[CourseState, ...] = ()) -> int:
            return len((await courses.listing(tx, windows, at.teacher_id, states=states)).items)

        published = frozenset({CourseState.published})
        assert await seen() == 0
        assert await seen(courses.Window(published, EVERYWHERE, Audience.open)) == 0, "it is a draft"
        own = courses.Window(frozenset(CourseState), Reach(own=True))
        assert await seen(own) == 1
        course.state = CourseState.published
        await tx.session.flush()
        everyone = courses.Window(published, EVERYWHERE, Audience.open)
        assert await seen(everyone) == 1
        assert await seen(everyone, own) == 1, "once, though through two windows"
        assert await seen(courses.Window(published, EVERYWHERE, Audience.scoped)) == 0
        assert await seen(own, states=(CourseState.draft,)) == 0


async def test_a_page_of_many_is_read_by_its_index(catalogue: Catalogue) -> None:
    """With 20,000 recordings of 40 departments, a page of two of these reads no more rows than it needs."""
    async with catalogue.transaction() as tx:
        at = await place(tx)
        first = await session(tx, at)
        await tx.session.execute(
            text("""
                INSERT INTO department (id, slug, name_zh, name_en)
                SELECT gen_random_uuid(), 'd' || n, '', '' FROM generate_series(1, 40) AS n
            """)
        )
        await tx.session.execute(
            text("""
                INSERT INTO session SELECT (s).* FROM (
                    SELECT jsonb_populate_record(session, jsonb_build_object('id', gen_random_uuid())) AS s
                    FROM session, generate_series(1, 20000) WHERE id = :id
                ) AS copies
            """),
            {"id": first.id},
        )
        await tx.session.execute(
            text("""
                WITH d AS (SELECT array_agg(id ORDER BY slug) AS ids FROM department WHERE slug LIKE 'd%')
                INSERT INTO recording
                    (id, session_id, title, state, department_id, release, retention_class, started_at)
                SELECT gen_random_uuid(), session.id, 't', 'stored', d.ids[1 + (row_number() OVER ()) % 40],
                       'roster_at_once', 'ordinary_teaching', now() - (row_number() OVER ()) * interval '1 minute'
                FROM session, d WHERE session.id <> :id
            """),
            {"id": first.id},
        )
    async with catalogue.transaction() as tx:
        ids = (await tx.session.scalars(text("SELECT id FROM department WHERE slug IN ('d7', 'd8')"))).all()
        await tx.session.execute(text("SET LOCAL statement_timeout = '5s'"))
        reach = Reach(department_ids=frozenset(ids))
        before = await rows_read(tx)
        page = await recordings.listing(tx, reach, at.teacher_id, limit=50)
        assert len(page.items) == 50
        assert {row.department_id for row in page.items} == set(ids)
        again = await recordings.listing(tx, reach, at.teacher_id, cursor=page.next_cursor, limit=50)
        assert again.items[0].started_at <= page.items[-1].started_at
        read = await rows_read(tx) - before
    assert read < 1000, f"{read} rows read for two pages of 50"


async def rows_read(tx: Transaction) -> int:
    """Rows of `recording` that this transaction has read so far, by any way."""
    statement = text("""
        SELECT seq_tup_read + coalesce(idx_tup_fetch, 0) FROM pg_stat_xact_user_tables WHERE relname = 'recording'
    """)
    return await tx.session.scalar(statement) or 0
