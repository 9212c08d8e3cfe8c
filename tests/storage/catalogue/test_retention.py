"""The clock on recordings, and its race with promotion: whoever locks the row first wins, the other is refused."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from sqlalchemy import func, select

from domain.facts import RecordingPromoted, RecordingPurged
from domain.kinds import Audience
from domain.permissions import Reach
from domain.playback_token import PlaybackClaim, PlaybackKind
from domain.refusals import Refusal, RefusalCode
from domain.states import RecordingState
from storage.catalogue import certificates, courses, holds, notices, recordings, retention, withdrawals
from storage.catalogue.certificates import Proof
from storage.catalogue.tables.course import Course
from storage.catalogue.tables.fact import FactRow
from storage.catalogue.transaction import Catalogue, Transaction
from tests.storage.catalogue.builders import NOON, SYSTEM, Place, place, stored_recording

pytestmark = pytest.mark.anyio

HALF_A_YEAR_ON = NOON.replace(month=9)
PROOF = Proof(objects=12, bytes=34_000_000, listing_sha256=b"l" * 32, verified_at=HALF_A_YEAR_ON)


async def recorded(catalogue: Catalogue) -> tuple[Place, UUID]:
    async with catalogue.transaction() as tx:
        at = await place(tx)
        return at, (await stored_recording(tx, at)).id


async def mark(tx: Transaction, recording_id: UUID) -> None:
    recording = await recordings.lock(tx, recording_id)
    await retention.mark(tx, recording, "expired", HALF_A_YEAR_ON)


async def promote(tx: Transaction, recording_id: UUID, provider_id: UUID) -> Course:
    return await courses.promote(
        tx, recording_id, title="Course", summary="", audience=Audience.scoped, provider_id=provider_id, now=NOON
    )


async def test_a_recording_is_due_at_its_instant_and_not_before(catalogue: Catalogue) -> None:
    _, recording_id = await recorded(catalogue)
    async with catalogue.transaction() as tx:
        assert await retention.due(tx, HALF_A_YEAR_ON - timedelta(microseconds=1)) == []
        assert [row.id for row in await retention.due(tx, HALF_A_YEAR_ON)] == [recording_id]
        assert await retention.due(tx, HALF_A_YEAR_ON, only=[]) == []
        assert (await retention.plan(tx, HALF_A_YEAR_ON)).due == 1


async def test_two_sweeps_at_once_share_the_work(catalogue: Catalogue) -> None:
    async with catalogue.transaction() as tx:
        at = await place(tx)
        ids = {(await stored_recording(tx, at, NOON + timedelta(minutes=n))).id for n in range(4)}
    async with catalogue.transaction() as one, catalogue.transaction() as other:
        first = {row.id for row in await retention.due(one, NOON.replace(year=2027), limit=2)}
        second = {row.id for row in await retention.due(other, NOON.replace(year=2027), limit=4)}
    assert len(first) == 2
    assert second == ids - first


async def test_a_hold_stops_marking_and_purging_until_it_is_lifted(catalogue: Catalogue) -> None:
    at, recording_id = await recorded(catalogue)
    async with catalogue.transaction() as tx:
        hold = await holds.place(tx, recording_id, "投诉", at.teacher_id, NOON)
        assert await retention.due(tx, HALF_A_YEAR_ON) == []
        plan = await retention.plan(tx, HALF_A_YEAR_ON)
        assert (plan.due, plan.held) == (0, 1)
        await mark(tx, recording_id)
    with pytest.raises(Refusal) as caught:
        async with catalogue.transaction() as tx:
            await retention.begin_purge(tx, recording_id)
    assert caught.value.code == RefusalCode.on_hold
    async with catalogue.transaction() as tx:
        assert await retention.ripe(tx, HALF_A_YEAR_ON) == []
        assert [row.id for row in (await holds.standing(tx, [recording_id]))[recording_id]] == [hold.id]
        await holds.lift(tx, recording_id, hold.id, at.teacher_id, "erledigt", HALF_A_YEAR_ON)
        assert await retention.ripe(tx, HALF_A_YEAR_ON) == [recording_id]
    with pytest.raises(Refusal, match="not_found"):
        async with catalogue.transaction() as tx:
            await holds.lift(tx, recording_id, hold.id, None, "again", NOON)


async def test_a_hold_placed_while_the_sweep_looks_is_not_missed(catalogue: Catalogue) -> None:
    """The hold's transaction holds the row's lock when the sweep comes by, so the sweep passes over it."""
    at, recording_id = await recorded(catalogue)
    async with catalogue.transaction() as placing, catalogue.transaction() as sweeping:
        await holds.place(placing, recording_id, "audit", at.teacher_id, NOON)
        assert await retention.due(sweeping, HALF_A_YEAR_ON) == []


async def test_a_rescue_takes_it_out_of_the_trash(catalogue: Catalogue) -> None:
    _, recording_id = await recorded(catalogue)
    later = HALF_A_YEAR_ON + timedelta(days=30)
    async with catalogue.transaction() as tx:
        await mark(tx, recording_id)
        await retention.rescue(tx, await recordings.lock(tx, recording_id), later)
        recording = await recordings.get(tx, recording_id)
        assert (recording.state, recording.marked_at, recording.expires_at) == (RecordingState.stored, None, later)
        assert await retention.due(tx, HALF_A_YEAR_ON) == []
    with pytest.raises(Refusal, match="move_not_allowed"):
        async with catalogue.transaction() as tx:
            await retention.begin_purge(tx, recording_id)


async def test_from_a_purge_on_nobody_is_shown_what_was_live(catalogue: Catalogue) -> None:
    """Told at once to every node that may show the class yet, and by the row to one that did not hear."""
    _, recording_id = await recorded(catalogue)
    async with catalogue.listen([withdrawals.CHANNEL]) as notes:
        async with catalogue.transaction() as tx:
            await mark(tx, recording_id)
            assert await withdrawals.since(tx, HALF_A_YEAR_ON) == [], "it may be rescued yet"
            session_id = (await retention.begin_purge(tx, recording_id)).session_id
        told = withdrawals.heard((await anext(aiter(notes))).payload)
    kinds: tuple[PlaybackKind, ...] = ("live", "monitor", "preview")
    for kind in kinds:
        assert told.covers(PlaybackClaim(kind, session_id, uuid4(), uuid4(), HALF_A_YEAR_ON, NOON))
        assert not told.covers(PlaybackClaim(kind, uuid4(), uuid4(), uuid4(), HALF_A_YEAR_ON, NOON))
    for purged in (False, True):
        async with catalogue.transaction() as tx:
            if purged:
                await retention.finish_purge(tx, recording_id, SYSTEM, PROOF, HALF_A_YEAR_ON)
            assert await withdrawals.since(tx, HALF_A_YEAR_ON) == [told]
            assert await withdrawals.since(tx, HALF_A_YEAR_ON + timedelta(days=1)) == []


async def test_a_purge_that_was_cut_short_is_taken_up_and_ends_in_one_certificate(catalogue: Catalogue) -> None:
    _, recording_id = await recorded(catalogue)
    async with catalogue.transaction() as tx:
        await mark(tx, recording_id)
        assert await retention.ripe(tx, HALF_A_YEAR_ON - timedelta(seconds=1)) == [], "its grace is not over"
    for _ in range(2):  # the second time is after a crash between the two steps
        async with catalogue.transaction() as tx:
            assert await retention.ripe(tx, HALF_A_YEAR_ON) == [recording_id]
            assert (await retention.begin_purge(tx, recording_id)).state == RecordingState.purging
    async with catalogue.transaction() as tx:
        certificate = await retention.finish_purge(tx, recording_id, SYSTEM, PROOF, HALF_A_YEAR_ON)
    async with catalogue.transaction() as tx:
        again = await retention.finish_purge(tx, recording_id, SYSTEM, PROOF, HALF_A_YEAR_ON + timedelta(days=1))
        assert again.id == certificate.id
        assert (again.purged_at, again.reason, again.objects) == (HALF_A_YEAR_ON, "expired", 12)
        assert (await recordings.get(tx, recording_id)).state == RecordingState.purged
        assert await retention.ripe(tx, HALF_A_YEAR_ON) == []
        listed = await certificates.listing(tx, Reach(everywhere=True), uuid4())
        assert [row.id for row in listed.items] == [certificate.id]
        assert await certificates.altered(tx) == []
        told = await tx.session.scalar(select(func.count()).where(FactRow.name == RecordingPurged.NAME))
    assert told == 1


async def test_no_hold_is_placed_on_what_is_being_purged(catalogue: Catalogue) -> None:
    at, recording_id = await recorded(catalogue)
    async with catalogue.transaction() as tx:
        await mark(tx, recording_id)
        await retention.begin_purge(tx, recording_id)
    with pytest.raises(Refusal, match="already_purged"):
        async with catalogue.transaction() as tx:
            await holds.place(tx, recording_id, "too late", at.teacher_id, NOON)


async def race(
    catalogue: Catalogue,
    first: Callable[[Transaction], Awaitable[object]],
    second: Callable[[Transaction], Awaitable[object]],
) -> BaseException | None:
    """`first` acts and holds its transaction open while `second` tries; returns what became of `second`."""
    acted = asyncio.Event()
    go_on = asyncio.Event()

    async def hold_open() -> None:
        async with catalogue.transaction() as tx:
            await first(tx)
            acted.set()
            await go_on.wait()

    async def try_too() -> None:
        async with catalogue.transaction() as tx:
            await second(tx)

    holding = asyncio.create_task(hold_open())
    await asyncio.wait_for(acted.wait(), 10)
    trying = asyncio.create_task(try_too())
    done, _ = await asyncio.wait([trying], timeout=0.3)
    assert not done, "the second waits for the row"
    go_on.set()
    await asyncio.wait_for(holding, 10)
    return (await asyncio.gather(trying, return_exceptions=True))[0]


@pytest.mark.parametrize("winner", ["promotion", "purge"])
async def test_promotion_and_purge_of_one_recording_have_exactly_one_winner(catalogue: Catalogue, winner: str) -> None:
    """Both transactions are open at once, each on a connection of its own; the second waits at the row's lock."""
    at, recording_id = await recorded(catalogue)

    async def promoting(tx: Transaction) -> object:
        return await promote(tx, recording_id, at.teacher_id)

    async def purging(tx: Transaction) -> object:
        await mark(tx, recording_id)
        return await retention.begin_purge(tx, recording_id)

    order = (promoting, purging) if winner == "promotion" else (purging, promoting)
    loser = await race(catalogue, *order)
    assert isinstance(loser, Refusal)
    assert loser.code == (RefusalCode.move_not_allowed if winner == "promotion" else RefusalCode.already_purged)
    async with catalogue.transaction() as tx:
        recording = await recordings.get(tx, recording_id)
        made = await courses.of_recording(tx, recording_id)
        promotions = await tx.session.scalar(select(func.count()).where(FactRow.name == RecordingPromoted.NAME))
    if winner == "promotion":
        assert (recording.state, len(made), promotions) == (RecordingState.promoted, 1, 1)
    else:
        assert (recording.state, len(made), promotions) == (RecordingState.purging, 0, 0)


async def test_ten_promotions_and_ten_purges_at_once_have_exactly_one_winner(catalogue: Catalogue) -> None:
    at, recording_id = await recorded(catalogue)

    async def promoting(tx: Transaction) -> str:
        await promote(tx, recording_id, at.teacher_id)
        return "promotion"

    async def purging(tx: Transaction) -> str:
        await mark(tx, recording_id)
        await retention.begin_purge(tx, recording_id)
        return "purge"

    outcomes = await asyncio.gather(
        *(catalogue.run(act) for _ in range(10) for act in (promoting, purging)), return_exceptions=True
    )
    winners = [outcome for outcome in outcomes if isinstance(outcome, str)]
    assert len(winners) == 1
    assert all(isinstance(outcome, Refusal) for outcome in outcomes if not isinstance(outcome, str))
    async with catalogue.transaction() as tx:
        recording = await recordings.get(tx, recording_id)
        count = len(await courses.of_recording(tx, recording_id))
    expected = (RecordingState.promoted, 1) if winners == ["promotion"] else (RecordingState.purging, 0)
    assert (recording.state, count) == expected


async def test_a_sweep_passes_over_what_is_being_promoted(catalogue: Catalogue) -> None:
    at, recording_id = await recorded(catalogue)
    async with catalogue.transaction() as promoting, catalogue.transaction() as sweeping:
        await promote(promoting, recording_id, at.teacher_id)
        assert await retention.due(sweeping, HALF_A_YEAR_ON) == []
    async with catalogue.transaction() as tx:
        assert await retention.due(tx, HALF_A_YEAR_ON) == []


async def test_a_notice_is_sent_once_and_not_for_what_is_held(catalogue: Catalogue) -> None:
    at, recording_id = await recorded(catalogue)
    week_before = HALF_A_YEAR_ON - timedelta(days=7)
    async with catalogue.transaction() as tx:
        assert await notices.expiring(tx, week_before, 6) == []
        found = await notices.expiring(tx, week_before, 30)
        assert [(row.recording.id, row.sent) for row in found] == [(recording_id, frozenset())]
        assert await notices.record(tx, recording_id, 7, week_before)
        assert not await notices.record(tx, recording_id, 7, week_before)
        assert [row.sent for row in await notices.expiring(tx, week_before, 30)] == [frozenset({7})]
        await holds.place(tx, recording_id, "audit", at.teacher_id, week_before)
        assert await notices.expiring(tx, week_before, 30) == []


async def test_the_classes_are_read_as_the_domain_means_them(catalogue: Catalogue) -> None:
    async with catalogue.transaction() as tx:
        classes = await retention.classes(tx)
    assert classes["ordinary_teaching"].months == 6
    assert classes["kept"].months is None
