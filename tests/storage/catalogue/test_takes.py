"""Takes begin under the owner's epoch, one at a time in a slot, and leave a recording with reels stored once."""

import asyncio
from datetime import timedelta

import pytest
from sqlalchemy import event, func, select

from domain.facts import ReelStored, TakeEnded, TakeStarted, from_json
from domain.kinds import Protocol, Slot
from domain.refusals import Refusal, RefusalCode
from domain.states import RecordingState, SessionMove, SessionState, TakeState
from storage.catalogue import live_owner, recordings, reels, sessions, takes
from storage.catalogue.faults import StaleOwner
from storage.catalogue.identifiers import new_id
from storage.catalogue.tables.fact import FactRow
from storage.catalogue.tables.reel import Reel
from storage.catalogue.tables.take import Take
from storage.catalogue.transaction import Catalogue, Transaction
from tests.storage.catalogue.builders import NOON, new_reel, place, reel, session, stored_recording, take

pytestmark = pytest.mark.anyio


async def test_the_first_take_makes_the_session_live_and_its_recording(catalogue: Catalogue) -> None:
    async with catalogue.transaction() as tx:
        at = await place(tx)
        live = await session(tx, at)
        first = await take(tx, live)
    assert live.state == SessionState.live
    assert live.went_live_at == NOON
    async with catalogue.transaction() as tx:
        recording = await recordings.of_session(tx, live.id)
        told = [from_json(row.name, row.payload) for row in await tx.session.scalars(select(FactRow))]
    assert recording is not None
    assert recording.id == first.recording_id
    assert recording.state == RecordingState.capturing
    assert recording.expires_at is None, "its clock does not run while it is captured"
    assert (recording.cohort_id, recording.release, recording.title) == (at.cohort_id, live.release, live.title)
    assert TakeStarted(session_id=live.id, take_id=first.id) in told


async def test_a_reconnect_goes_on_in_the_same_recording(catalogue: Catalogue) -> None:
    async with catalogue.transaction() as tx:
        live = await session(tx, await place(tx))
        first = await take(tx, live)
        assert await takes.end(tx, first.id, NOON + timedelta(seconds=30), "lost")
        assert not await takes.end(tx, first.id, NOON + timedelta(seconds=31), "lost"), "ended once"
        second = await take(tx, live, NOON + timedelta(seconds=35))
        ended = await tx.session.scalar(select(func.count()).where(FactRow.name == TakeEnded.NAME))
    assert (first.number, second.number) == (1, 2)
    assert first.recording_id == second.recording_id
    assert first.ended_at == NOON + timedelta(seconds=30)
    assert ended == 1


async def test_a_take_over_ends_the_one_before(catalogue: Catalogue) -> None:
    async with catalogue.transaction() as tx:
        live = await session(tx, await place(tx))
        first = await take(tx, live)
        second = await take(tx, live, NOON + timedelta(seconds=9))
        assert [row.state for row in await takes.of_session(tx, live.id)] == [TakeState.ended, TakeState.publishing]
        publishing = await takes.publishing(tx, live.id, Slot.main)
    assert first.end_reason == "taken_over"
    assert publishing is not None
    assert publishing.id == second.id


async def test_an_owner_of_an_older_epoch_begins_nothing(catalogue: Catalogue) -> None:
    async with catalogue.transaction() as tx:
        live = await session(tx, await place(tx))
        old = await live_owner.claim(tx, live.id, "node-1", "http://one", NOON)
        new = await live_owner.claim(tx, live.id, "node-2", "http://two", NOON)
    assert new == old + 1

    async def begin(epoch: int) -> None:
        async with catalogue.transaction() as tx:
            await takes.start(tx, takes.NewTake(new_id(), live.id, Slot.main, Protocol.rtmp, epoch), NOON)

    with pytest.raises(StaleOwner) as caught:
        await begin(old)
    assert (caught.value.epoch, caught.value.current) == (old, new)
    async with catalogue.transaction() as tx:
        assert await tx.session.scalar(select(func.count()).select_from(Take)) == 0
        assert (await sessions.get(tx, live.id)).state == SessionState.scheduled
    await begin(new)


async def test_a_claim_waits_for_the_write_that_checked_the_epoch(catalogue: Catalogue) -> None:
    """So a fenced write either stands before the new owner begins, or is refused: never beside it."""
    async with catalogue.transaction() as tx:
        live = await session(tx, await place(tx))
        epoch = await live_owner.claim(tx, live.id, "node-1", "http://one", NOON)

    async def claim() -> int:
        async with catalogue.transaction() as other:
            return await live_owner.claim(other, live.id, "node-2", "http://two", NOON)

    async with catalogue.transaction() as tx:
        await live_owner.check(tx, live.id, epoch)
        claiming = asyncio.create_task(claim())
        done, _ = await asyncio.wait([claiming], timeout=0.3)
        assert not done, "the new owner waits"
    assert await asyncio.wait_for(claiming, 10) == epoch + 1
    async with catalogue.transaction() as tx:
        owner = await live_owner.find(tx, live.id)
        assert owner is not None
        assert (owner.node, owner.control_url, owner.epoch) == ("node-2", "http://two", epoch + 1)
        assert [owned.session_id for owned in await live_owner.owned_by(tx, "node-2")] == [live.id]
        assert await live_owner.owned_by(tx, "node-1") == []
        await live_owner.answers_at(tx, "node-1", "http://elsewhere")
        await live_owner.answers_at(tx, "node-2", "http://after-its-restart")
        assert [owned.control_url for owned in await live_owner.owned_by(tx, "node-2")] == ["http://after-its-restart"]


async def test_a_new_owner_ends_what_the_lost_one_left(catalogue: Catalogue) -> None:
    async with catalogue.transaction() as tx:
        live = await session(tx, await place(tx))
        left = await take(tx, live)
        epoch = await live_owner.claim(tx, live.id, "node-2", "http://two", NOON)
        assert await takes.end_older(tx, live.id, epoch, NOON) == [left.id]
        assert await takes.end_older(tx, live.id, epoch, NOON) == []


async def test_a_rehearsal_leaves_no_recording_and_no_live_session(catalogue: Catalogue) -> None:
    async with catalogue.transaction() as tx:
        live = await session(tx, await place(tx))
        rehearsal = await take(tx, live, slot=Slot.rehearsal)
    assert rehearsal.recording_id is None
    assert live.state == SessionState.scheduled


async def test_a_session_that_is_over_takes_no_take(catalogue: Catalogue) -> None:
    async with catalogue.transaction() as tx:
        live = await session(tx, await place(tx))
        await sessions.move(tx, await sessions.lock(tx, live.id), SessionMove.end, NOON, "overrun")
    with pytest.raises(Refusal) as caught:
        async with catalogue.transaction() as tx:
            await take(tx, live)
    assert caught.value.code == RefusalCode.move_not_allowed


async def test_a_reel_is_stored_once_with_its_fact_and_the_recordings_growth(catalogue: Catalogue) -> None:
    async with catalogue.transaction() as tx:
        took = await take(tx, await session(tx, await place(tx)))
        made = await reel(tx, took)
    async with catalogue.transaction() as tx:
        again = await reels.store(tx, new_reel(took, made.init_id, 0, object_key="sent again"))
        assert again.id == made.id
        assert again.object_key == made.object_key
        recording = await recordings.get(tx, made.recording_id)
        told = await tx.session.scalar(select(func.count()).where(FactRow.name == ReelStored.NAME))
    assert (recording.duration_ms, recording.bytes, recording.version) == (10_000, 1_000_000, 1)
    assert told == 1


async def test_a_reel_costs_three_statements(catalogue: Catalogue) -> None:
    sent: list[str] = []
    async with catalogue.transaction() as tx:
        took = await take(tx, await session(tx, await place(tx)))
        made = await reel(tx, took)
        event.listen(catalogue.engine.sync_engine, "before_cursor_execute", lambda *told: sent.append(told[2]))
        await reels.store(tx, new_reel(took, made.init_id, 2, number=2))
    assert [one.split()[0] for one in sent] == ["UPDATE", "INSERT", "INSERT"]


async def test_another_reel_of_the_same_stretch_is_refused(catalogue: Catalogue) -> None:
    async with catalogue.transaction() as tx:
        took = await take(tx, await session(tx, await place(tx)))
        made = await reel(tx, took)

    async def store_other(tx: Transaction) -> None:
        await reels.store(tx, new_reel(took, made.init_id, 0, sha256=b"x" * 32))

    with pytest.raises(ValueError, match="another reel"):
        await catalogue.run(store_other)


async def test_reels_stored_at_once_get_numbers_of_their_own_and_play_in_order(catalogue: Catalogue) -> None:
    """Two nodes upload what they had: numbers go by arrival, the order of play by take and segment."""
    async with catalogue.transaction() as tx:
        live = await session(tx, await place(tx))
        first = await take(tx, live)
        await takes.end(tx, first.id, NOON, "lost")
        second = await take(tx, live, NOON + timedelta(minutes=1))
        inits = [
            await takes.put_init(tx, took.id, 0, f"{took.id}/init-0.mp4", bytes(32), 800, [])
            for took in (first, second)
        ]
    news = [
        new_reel(took, init.id, msn) for took, init in zip((first, second), inits, strict=True) for msn in (4, 2, 0)
    ]

    async def store(new: reels.NewReel) -> Reel:
        async def fn(tx: Transaction) -> Reel:
            return await reels.store(tx, new)

        return await catalogue.run(fn)

    made = await asyncio.gather(*(store(new) for new in news))
    assert sorted(row.number for row in made) == [1, 2, 3, 4, 5, 6]
    async with catalogue.transaction() as tx:
        assert first.recording_id is not None
        placed = await reels.of_recording(tx, first.recording_id)
        assert await reels.highest_number(tx, first.recording_id) == 6
        assert [row.first_msn for row in await reels.of_take(tx, second.id)] == [0, 2, 4]
    assert [(row.take_number, row.reel.first_msn) for row in placed] == [(n, m) for n in (1, 2) for m in (0, 2, 4)]
    assert {row.init.take_id for row in placed} == {first.id, second.id}


async def test_a_backups_reels_do_not_play_between_the_mains(catalogue: Catalogue) -> None:
    async with catalogue.transaction() as tx:
        live = await session(tx, await place(tx))
        main = await take(tx, live)
        backup = await take(tx, live, slot=Slot.backup)
        await reel(tx, main)
        await reel(tx, backup)
        assert main.recording_id is not None
        assert [row.reel.take_id for row in await reels.of_recording(tx, main.recording_id)] == [main.id]
        placed = await reels.of_recording(tx, main.recording_id, Slot.backup)
        assert [row.reel.take_id for row in placed] == [backup.id]


async def test_the_clock_starts_when_the_capture_ended_and_only_once(catalogue: Catalogue) -> None:
    async with catalogue.transaction() as tx:
        recording = await stored_recording(tx, await place(tx))
        again = await recordings.capture_ended(tx, recording.id, NOON + timedelta(days=1))
    assert again.ended_at == NOON
    assert again.expires_at == NOON.replace(month=9), "six calendar months of ordinary teaching"
