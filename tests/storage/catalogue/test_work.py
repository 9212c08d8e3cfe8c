"""Work items: queued once, taken up again after a crash, and what fails shows with the end of its log."""

from datetime import timedelta
from uuid import UUID

import pytest

from domain.refusals import Refusal
from domain.states import WorkState
from storage.catalogue import ladder, recordings, reels, stills, work
from storage.catalogue.ladder import NewRenditionReel
from storage.catalogue.tables.still import StillKind
from storage.catalogue.transaction import Catalogue, Transaction
from tests.storage.catalogue.builders import NOON, place, stored_recording

pytestmark = pytest.mark.anyio


async def recorded(tx: Transaction) -> UUID:
    return (await stored_recording(tx, await place(tx))).id


async def test_an_item_is_queued_once_and_goes_its_way(catalogue: Catalogue) -> None:
    async with catalogue.transaction() as tx:
        recording_id = await recorded(tx)
        assert await work.queue(tx, recording_id, "ladder", "ladder/1", NOON)
        assert not await work.queue(tx, recording_id, "ladder", "ladder/1", NOON), "told twice, queued once"
        assert (await work.start(tx, "ladder/1", NOON)).attempts == 1
        assert (await work.start(tx, "ladder/1", NOON)).attempts == 2, "its worker was killed: taken up again"
        item = await work.finish(tx, "ladder/1", NOON + timedelta(seconds=9), log="frame=300")
        assert (await work.finish(tx, "ladder/1", NOON + timedelta(days=1))).finished_at == NOON + timedelta(seconds=9)
    assert (item.state, item.error, item.log) == (WorkState.done, None, "frame=300")
    with pytest.raises(Refusal, match="move_not_allowed"):
        async with catalogue.transaction() as tx:
            await work.start(tx, "ladder/1", NOON)


async def test_what_fails_is_tried_again_and_at_last_shows_its_log(catalogue: Catalogue) -> None:
    async with catalogue.transaction() as tx:
        recording_id = await recorded(tx)
        await work.queue(tx, recording_id, "ladder", "ladder/1", NOON)
        await work.start(tx, "ladder/1", NOON)
        waiting = await work.retry(tx, "ladder/1", NOON + timedelta(seconds=5), "ffmpeg ended with 1", log="x")
        assert (waiting.state, waiting.error) == (WorkState.queued, "ffmpeg ended with 1")
        assert [row.subject for row in await work.unfinished(tx, NOON + timedelta(seconds=6))] == ["ladder/1"]
        await work.start(tx, "ladder/1", NOON)
        item = await work.fail(tx, "ladder/1", NOON, "e" * 1000, log="head" + "t" * work.LONGEST_LOG)
        assert (await work.fail(tx, "ladder/1", NOON, "again")).error == "e" * work.LONGEST_ERROR
        assert await work.unfinished(tx, NOON + timedelta(days=1)) == []
        assert await work.progress(tx, [recording_id]) == {recording_id: work.Progress(0, 1, 1)}
    assert item.state == WorkState.failed
    assert item.log == "t" * work.LONGEST_LOG, "the end of it"


async def test_progress_counts_by_recording_and_kind(catalogue: Catalogue) -> None:
    async with catalogue.transaction() as tx:
        recording_id = await recorded(tx)
        for n in range(3):
            await work.queue(tx, recording_id, "ladder", f"ladder/{n}", NOON)
        await work.queue(tx, recording_id, "poster", "poster/1", NOON)
        await work.start(tx, "ladder/0", NOON)
        await work.finish(tx, "ladder/0", NOON)
        assert await work.progress(tx, [recording_id]) == {recording_id: work.Progress(1, 4, 0)}
        assert await work.progress(tx, [recording_id], ["ladder"]) == {recording_id: work.Progress(1, 3, 0)}
        assert await work.progress(tx, []) == {}
        assert len(await work.of_recording(tx, recording_id)) == 4
        assert await work.find(tx, "nothing") is None
        with pytest.raises(Refusal, match="not_found"):
            await work.finish(tx, "nothing", NOON)


async def test_a_plan_keeps_its_renditions_and_one_is_active(catalogue: Catalogue) -> None:
    async with catalogue.transaction() as tx:
        assert await ladder.active_plan(tx) is None
        first = await ladder.put_plan(tx, "2026-1", [{"name": "480p"}])
        assert (await ladder.put_plan(tx, "2026-1", [{"name": "480p"}])).id == first.id
        second = await ladder.put_plan(tx, "2026-2", [{"name": "720p"}])
        active = await ladder.active_plan(tx)
        assert active is not None
        assert active.id == second.id
        with pytest.raises(ValueError, match="other renditions"):
            await ladder.put_plan(tx, "2026-1", [{"name": "1080p"}])


async def test_a_rendition_is_stored_once(catalogue: Catalogue) -> None:
    async with catalogue.transaction() as tx:
        recording_id = await recorded(tx)
        plan = await ladder.put_plan(tx, "2026-1", [{"name": "480p"}])
        reel = (await reels.of_recording(tx, recording_id))[0].reel
        new = NewRenditionReel(
            reel_id=reel.id,
            recording_id=recording_id,
            ladder_plan_id=plan.id,
            rendition="480p",
            init_key="init",
            object_key="480p/1",
            bytes=9,
            sha256=bytes(32),
            duration_ms=reel.duration_ms,
            segments=reel.segments,
            width=854,
            height=480,
            bit_rate=800_000,
        )
        first = await ladder.store(tx, new)
        assert (await ladder.store(tx, new)).id == first.id
        assert [row.id for row in await ladder.of_reel(tx, reel.id, plan.id)] == [first.id]
        assert [row.id for row in await ladder.of_recording(tx, recording_id)] == [first.id]


async def test_a_poster_is_replaced_and_shows_on_the_recording(catalogue: Catalogue) -> None:
    async with catalogue.transaction() as tx:
        recording_id = await recorded(tx)
        for key in ("poster-1", "poster-2"):
            await stills.put(tx, recording_id, StillKind.poster, 0, key, width=640, height=360, size=9)
        await stills.put(tx, recording_id, StillKind.still, 0, "still-0", width=320, height=180, size=5)
        assert [row.object_key for row in await stills.of_recording(tx, recording_id)] == ["poster-2", "still-0"]
    async with catalogue.transaction() as tx:
        recording = await recordings.get(tx, recording_id)
    assert recording.poster_key == "poster-2"
    assert recording.version == 3, "stored and ended, but a poster is no edit"
