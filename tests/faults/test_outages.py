"""Stores that are away while a lecture is live: viewers see nothing of it, and afterwards nothing is missing."""

import asyncio

import psutil
import pytest

from tests.faults import clip as clips
from tests.faults.clip import Clip, encoder
from tests.faults.lesson import Lesson, lessons, until
from tests.faults.watching import Watch, watching
from tests.kit.house import House

pytestmark = pytest.mark.anyio

STALL_SECONDS = 3.5
"""The longest that no part may come, on a machine that is busy with other tests; parts are half a second."""
GROWTH_BYTES = 24 << 20
PROCESSES = ("api", "ingest", "worker", "scheduler")


def pids(house: House) -> dict[str, int]:
    return {name: house.process(name).pid for name in PROCESSES}


async def check_nothing_is_lost(lesson: Lesson, watch: Watch, clip: Clip) -> None:
    """What was sent was live without a hole, is in the store, and is encoded."""
    await check_captured(lesson, watch, clip)
    await lesson.encoded(90)


async def check_captured(lesson: Lesson, watch: Watch, clip: Clip) -> None:
    """The same but for the encoding."""
    await lesson.end()
    shown = watch.playlist
    assert [one.msn for one in shown.segments] == list(range(len(shown.segments)))
    assert not any(one.discontinuity or one.gap for one in shown.segments)
    units = await lesson.whole(60)
    assert units.digest() == clip.units.digest()
    assert units == clip.units


@pytest.mark.long
async def test_each_store_away_for_a_while_in_one_lecture(lectern: House, long_clip: Clip) -> None:
    assert lectern.stores is not None
    async with lessons(lectern) as (lesson,):
        before = pids(lectern)
        async with encoder(long_clip, await lesson.address()) as sending, watching(await lesson.playing()) as watch:
            for name in ("s3", "valkey", "postgres"):
                async with lectern.stores.away(name, "freeze"):
                    await asyncio.sleep(5)  # the outage itself
            assert await sending.said(60) == ""
            assert watch.longest_seconds < STALL_SECONDS
            await check_nothing_is_lost(lesson, watch, long_clip)
        assert pids(lectern) == before, "nobody had to be started again"


@pytest.fixture(scope="session")
def heavy_clip(tmp_path_factory: pytest.TempPathFactory) -> Clip:
    """Forty-five seconds at 12 Mbps: twenty seconds of it that were kept in memory would show."""
    return clips.make(tmp_path_factory.mktemp("clip") / "heavy.flv", 45, kbps=12_000, size="1280x720")


@pytest.mark.long
@pytest.mark.timeout(400)
@pytest.mark.parametrize("how", ["freeze", "kill"])
@pytest.mark.parametrize("name", ["s3", "valkey", "postgres"])
async def test_a_store_away_for_twenty_seconds(roomy: House, heavy_clip: Clip, name: str, how: str) -> None:
    assert roomy.stores is not None
    async with (
        lessons(roomy) as (lesson,),
        encoder(heavy_clip, await lesson.address()) as sending,
        watching(await lesson.playing()) as watch,
    ):
        ingest = psutil.Process(roomy.process("ingest").pid)
        await until(lesson.placed, lambda placed: len(placed) >= 1, 30, "uploading")
        before = ingest.memory_info().rss
        async with roomy.stores.away(name, how):
            await asyncio.sleep(20)  # the outage itself
            grown = ingest.memory_info().rss - before
        assert grown < GROWTH_BYTES, f"{grown >> 20} MiB more while {name} was away"
        assert await sending.said(90) == ""
        assert watch.longest_seconds < STALL_SECONDS
        await check_nothing_is_lost(lesson, watch, heavy_clip)


@pytest.mark.long
@pytest.mark.timeout(400)
@pytest.mark.parametrize("how", ["freeze", "kill"])
@pytest.mark.parametrize("order", [("postgres", "s3"), ("s3", "postgres"), ("valkey", "postgres"), ("s3", "valkey")])
async def test_two_stores_away_that_come_back_one_after_the_other(
    roomy: House, heavy_clip: Clip, order: tuple[str, str], how: str
) -> None:
    assert roomy.stores is not None
    last, first = order
    async with (
        lessons(roomy) as (lesson,),
        encoder(heavy_clip, await lesson.address()) as sending,
        watching(await lesson.playing()) as watch,
    ):
        async with roomy.stores.away(last, how):
            async with roomy.stores.away(first, how):
                await asyncio.sleep(15)
            await asyncio.sleep(5)
        assert await sending.said(90) == ""
        assert watch.longest_seconds < STALL_SECONDS
        await check_nothing_is_lost(lesson, watch, heavy_clip)
