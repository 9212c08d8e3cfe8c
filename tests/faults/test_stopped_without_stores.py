"""The ingest process is asked to stop while the catalogue or the queue is away: it ends in time, and the next one goes
on with what it left.
"""

import asyncio
import contextlib
import time

import pytest

from tests.faults.clip import Clip, encoder
from tests.faults.lesson import lessons, until
from tests.faults.test_killed import announced, by_take, check_takes, published_again, restarted
from tests.kit.house import House

pytestmark = [pytest.mark.anyio, pytest.mark.long, pytest.mark.timeout(180)]

STOP_SECONDS = 10.0


@pytest.mark.parametrize("how", ["freeze", "kill"])
@pytest.mark.parametrize("name", ["postgres", "valkey"])
async def test_it_ends_in_time(lectern: House, short_clip: Clip, name: str, how: str) -> None:
    assert lectern.stores is not None
    async with lessons(lectern, 2) as (lesson, new), contextlib.AsyncExitStack() as stack:
        address, stranger = await lesson.address(), await new.address()
        first = await stack.enter_async_context(encoder(short_clip, address))
        url = await lesson.playing()
        await until(lesson.placed, lambda placed: len(placed) >= 1, 30, "uploading")
        ingest = lectern.process("ingest")
        async with lectern.stores.away(name, how):
            async with encoder(short_clip, stranger):  # a question that nobody answers is under way
                await asyncio.sleep(2)
            shown = announced(await lesson.playlist(url))[-1]
            began = time.monotonic()
            ingest.terminate()
            await asyncio.to_thread(ingest.wait, 2 * STOP_SECONDS)
            assert time.monotonic() - began < STOP_SECONDS
            print(f"{name} {how}: ended in {time.monotonic() - began:.1f} s")
            assert await first.said() != ""
        await restarted(lectern, "ingest", ingest.pid)
        second = await published_again(short_clip, address, stack, speed=3)
        assert await second.said(30) == ""
        await lesson.end()
        takes = await by_take(lesson)
        check_takes(takes, short_clip, [shown, short_clip.seconds])
        assert takes[1] == short_clip.units
