"""The ingest process is asked to stop while the object store hangs: it ends in time, and the next one brings to the
store what it could not.
"""

import asyncio
import contextlib
import time

import pytest

from bench.house import metric
from tests.faults.clip import Clip, encoder
from tests.faults.lesson import lessons, until
from tests.faults.test_killed import announced, by_take, check_takes, published_again, restarted
from tests.kit.house import House

pytestmark = [pytest.mark.anyio, pytest.mark.long]

STOP_SECONDS = 10.0


async def test_a_store_that_hangs_keeps_no_process_from_its_end(lectern: House, short_clip: Clip) -> None:
    assert lectern.stores is not None
    async with lessons(lectern) as (lesson,), contextlib.AsyncExitStack() as stack:
        address = await lesson.address()
        first = await stack.enter_async_context(encoder(short_clip, address))
        url = await lesson.playing()
        await until(lesson.placed, lambda placed: len(placed) >= 1, 30, "uploading")
        ingest = lectern.process("ingest")
        async with lectern.stores.away("s3", "freeze"):
            await until(lambda: metric(lectern.settings, "reels_pending"), lambda count: count >= 1, 20, "waiting")
            shown = announced(await lesson.playlist(url))[-1]
            began = time.monotonic()
            ingest.terminate()
            await asyncio.to_thread(ingest.wait, 2 * STOP_SECONDS)
            assert time.monotonic() - began < STOP_SECONDS
            assert await first.said() != ""
            await restarted(lectern, "ingest", ingest.pid)
            second = await published_again(short_clip, address, stack, speed=3)
        assert await second.said(30) == ""
        await lesson.end()
        takes = await by_take(lesson)
        check_takes(takes, short_clip, [shown, short_clip.seconds])
        assert takes[1] == short_clip.units
