"""A cut session over a restart and a move: the holding picture goes on, no number is given twice, and the class comes
back only when it is resumed.
"""

import asyncio
import shutil
from pathlib import Path

import pytest
import redis.asyncio

from domain.broadcast_delay import LEAST_SECONDS
from tests.ingest.classroom import Lesson, encoder, lesson, order
from tests.ingest.nodes.house import Node, node, segments_of
from tests.ingest.wired import Stores, until

pytestmark = [pytest.mark.anyio, pytest.mark.long, pytest.mark.timeout(120)]


async def holds(there: Node, told: Lesson, count: int) -> None:
    """Until the window ends with so many closed segments of the holding picture."""

    async def shown() -> bool:
        if not there.has(told):
            return False
        newest = [one for one in there.session(told).window.segments if one.closed][-count:]
        return len(newest) == count and all(one.holding for one in newest)

    await until(shown, 20)


async def resumes(there: Node, stores: Stores, told: Lesson) -> None:
    """The class is let out again, once; all that was recorded is in the store in the end."""
    count = there.session(told).window.closed_count
    await order(stores.catalogue, told.session_id, "resume")
    await there.shows(told, count + 3)
    assert not there.session(told).window.segments[-1].holding
    text = (await there.get(told, "main.m3u8")).text
    assert text.count("#EXT-X-DISCONTINUITY\n") == 2
    numbers = segments_of(text)
    assert list(numbers) == list(range(len(numbers)))
    assert not any(gap for _, gap in numbers.values())
    await order(stores.catalogue, told.session_id, "end")
    await until(lambda: stores.is_stored(told))


def closed(text: str) -> dict[int, float]:
    return {msn: seconds for msn, (seconds, _) in segments_of(text).items()}


@pytest.mark.parametrize(
    ("forgotten", "delay_seconds"), [(False, 0), (True, 0), (False, LEAST_SECONDS)], ids=["noted", "lost", "reviewed"]
)
async def test_over_a_restart(stores: Stores, tmp_path: Path, forgotten: bool, delay_seconds: int) -> None:
    """Without its note a killed process has the spool."""
    told = await lesson(stores.catalogue, delay_seconds=delay_seconds)
    token = told.token()
    async with node(stores, "a", reel_seconds=60.0) as a:
        async with encoder(a.service, told.key, speed=1.2):
            await a.shows(told, 2)
            await order(stores.catalogue, told.session_id, "cut", "误入")
            await holds(a, told, 3)
        await asyncio.sleep(1.5)
        before = closed((await a.get(told, "main.m3u8", token)).text)
        held = next(one for one in a.session(told).window.segments if one.holding)
        media = (await a.get(told, f"seg-{held.msn}.m4s", token)).content
        spool = a.service.settings.spool_folder
        if forgotten:
            shutil.copytree(spool, tmp_path / "killed")
    if forgotten:
        shutil.rmtree(spool, ignore_errors=True)
        shutil.copytree(tmp_path / "killed", spool)
        async with redis.asyncio.Redis.from_url(stores.valkey.url) as connection:
            await connection.flushall()
    async with node(stores, "a", reel_seconds=60.0) as a:
        await holds(a, told, 2)  # no encoder is needed for it
        after = closed((await a.get(told, "main.m3u8", token)).text)
        assert list(after) == list(range(len(after)))
        assert len(after) > len(before)
        assert {msn: after[msn] for msn in before} == before
        assert (await a.get(told, f"seg-{held.msn}.m4s", token)).content == media
        async with encoder(a.service, told.key, speed=1.2):
            await resumes(a, stores, told)


async def test_over_a_move_to_another_node(stores: Stores) -> None:
    told = await lesson(stores.catalogue)
    token = told.token()
    async with node(stores, "a", reel_seconds=60.0) as a, node(stores, "b") as b:
        async with encoder(a.service, told.key, speed=1.2):
            await a.shows(told, 2)
            await order(stores.catalogue, told.session_id, "cut", "误入")
            await holds(a, told, 2)
        await asyncio.sleep(3.2)  # its publish is given up
        before = closed((await a.get(told, "main.m3u8", token)).text)
        held = next(one for one in a.session(told).window.segments if one.holding)
        media = (await a.get(told, f"seg-{held.msn}.m4s", token)).content
        async with encoder(b.service, told.key, speed=1.2):
            await holds(b, told, 2)
            assert not a.has(told)
            after = closed((await b.get(told, "main.m3u8", token)).text)
            assert {msn: after[msn] for msn in before} == before
            for there in (a, b):
                assert (await there.get(told, f"seg-{held.msn}.m4s", token)).content == media
            await resumes(b, stores, told)
