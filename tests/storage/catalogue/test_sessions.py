"""Sessions move along the domain's table under their row's lock, and what people edit is guarded by its version."""

import asyncio
import json
from datetime import timedelta

import pytest
from sqlalchemy import select

from domain.facts import SessionEnded, SessionScheduled, from_json
from domain.kinds import Release, SessionKind
from domain.refusals import Refusal, RefusalCode
from domain.states import SessionMove, SessionState
from storage.catalogue import recordings, sessions
from storage.catalogue.tables.fact import FactRow
from storage.catalogue.transaction import Catalogue, Transaction
from tests.storage.catalogue.builders import NOON, place, session, take

pytestmark = pytest.mark.anyio


async def test_what_is_planned_as_scheduled_is_told(catalogue: Catalogue) -> None:
    async with catalogue.transaction() as tx:
        at = await place(tx)
        made = await session(tx, at)
        await session(tx, at, state=SessionState.draft)
        told = [from_json(row.name, row.payload) for row in await tx.session.scalars(select(FactRow))]
    assert told == [SessionScheduled(session_id=made.id)]


async def test_a_large_event_goes_its_way_and_each_step_is_dated(catalogue: Catalogue) -> None:
    async with catalogue.transaction() as tx:
        at = await place(tx)
        event = await session(
            tx, at, kind=SessionKind.major, state=SessionState.draft, release=Release.after_review, delay_seconds=30
        )
        steps = ("file", "approve", "register", "go_live", "cut", "resume", "end")
        for minute, step in enumerate(steps):
            locked = await sessions.lock(tx, event.id)
            await sessions.move(tx, locked, SessionMove(step), NOON + timedelta(minutes=minute), f"because {step}")
        told = [from_json(row.name, row.payload) for row in await tx.session.scalars(select(FactRow))]
    assert event.state == SessionState.ended
    assert event.filing_approved_at == NOON + timedelta(minutes=1)
    assert event.went_live_at == NOON + timedelta(minutes=3)
    assert event.cut_reason == "because cut"
    assert (event.ended_at, event.end_reason) == (NOON + timedelta(minutes=6), "because end")
    assert told == [SessionScheduled(session_id=event.id), SessionEnded(session_id=event.id)]


async def test_a_returned_filing_is_approved_no_more(catalogue: Catalogue) -> None:
    async with catalogue.transaction() as tx:
        event = await session(tx, await place(tx), kind=SessionKind.major, state=SessionState.draft)
        for step in (SessionMove.file, SessionMove.approve, SessionMove.return_):
            await sessions.move(tx, event, step, NOON)
    assert event.filing_approved_at is None


async def test_a_large_event_is_not_scheduled_past_its_filing(catalogue: Catalogue) -> None:
    async with catalogue.transaction() as tx:
        event = await session(tx, await place(tx), kind=SessionKind.major, state=SessionState.draft)
        with pytest.raises(Refusal, match="move_not_allowed"):
            await sessions.move(tx, event, SessionMove.schedule, NOON)
    assert event.state == SessionState.draft


async def test_a_change_against_an_old_version_is_refused(catalogue: Catalogue) -> None:
    async with catalogue.transaction() as tx:
        made = await session(tx, await place(tx))
    assert made.version == 1
    async with catalogue.transaction() as tx:
        (await sessions.lock(tx, made.id, version=1)).title = "新题目"
    with pytest.raises(Refusal) as caught:
        async with catalogue.transaction() as tx:
            await sessions.lock(tx, made.id, version=1)
    assert caught.value.code == RefusalCode.stale_version
    assert caught.value.facts == {"version": 1, "current": 2}


async def test_a_change_without_a_lock_that_meets_another_is_refused_too(catalogue: Catalogue) -> None:
    async with catalogue.transaction() as tx:
        made = await session(tx, await place(tx))

    async def change_what_was_read(tx: Transaction) -> None:
        read = await sessions.get(tx, made.id)
        async with catalogue.transaction() as other:
            (await sessions.lock(other, made.id)).title = "theirs"
        read.title = "mine"

    with pytest.raises(Refusal) as caught:
        await catalogue.run(change_what_was_read)
    assert caught.value.code == RefusalCode.stale_version
    async with catalogue.transaction() as tx:
        assert (await sessions.get(tx, made.id)).title == "theirs"


async def test_what_is_not_there_is_not_found(catalogue: Catalogue) -> None:
    async with catalogue.transaction() as tx:
        made = await session(tx, await place(tx))
        for read in (recordings.get, recordings.lock):
            with pytest.raises(Refusal) as caught:
                await read(tx, made.id)
            assert caught.value.code == RefusalCode.not_found
            assert caught.value.facts == {"kind": "recording", "id": str(made.id)}
        assert await recordings.of_session(tx, made.id) is None


async def test_control_reaches_who_listens_when_it_is_committed(catalogue: Catalogue) -> None:
    async with catalogue.transaction() as tx:
        made = await session(tx, await place(tx))
    async with catalogue.listen([sessions.CONTROL_CHANNEL]) as notes:
        async with catalogue.transaction() as tx:
            await sessions.control(tx, made.id, "cut", reason="内容")
            await tx.session.rollback()
        async with catalogue.transaction() as tx:
            await sessions.control(tx, made.id, "end", reason="下课")
        note = await asyncio.wait_for(anext(aiter(notes)), 10)
    assert json.loads(note.payload) == {
        "session_id": str(made.id),
        "command": "end",
        "number": made.version,
        "reason": "下课",
    }


async def test_what_nobody_ended_is_overdue_for_one_process_at_a_time(catalogue: Catalogue) -> None:
    async with catalogue.transaction() as tx:
        at = await place(tx)
        made = await session(tx, at)
        await take(tx, made)
        await session(tx, at, state=SessionState.cancelled)
    over = made.ends_at + timedelta(seconds=1800)
    async with catalogue.transaction() as one, catalogue.transaction() as other:
        assert await sessions.overdue(one, over - timedelta(microseconds=1), 1800) == []
        assert [row.id for row in await sessions.overdue(one, over, 1800)] == [made.id]
        assert await sessions.overdue(other, over, 1800) == []
