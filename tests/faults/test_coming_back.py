"""An encoder that loses its line while a store is away: it is let back in, viewers see the gap that there was, and the
recording has both takes whole.
"""

import asyncio
import contextlib
import os
import signal
from collections.abc import Sequence
from uuid import UUID

import pytest

from lectern.supervisor import console_script
from media.playlist import MediaPlaylist, SegmentLines
from storage.catalogue import takes
from storage.catalogue.tables.take import Take
from tests.faults.clip import Clip, encoder
from tests.faults.lesson import Lesson, lessons, until
from tests.faults.test_killed import by_take, check_takes, published_again, restarted
from tests.faults.watching import watching
from tests.kit.house import House

pytestmark = [pytest.mark.anyio, pytest.mark.long, pytest.mark.timeout(300)]


async def shown(lesson: Lesson, url: str, count: int) -> MediaPlaylist:
    """The playlist, once it shows so many takes."""
    return await until(
        lambda: lesson.playlist(url),
        lambda one: sum(segment.discontinuity for segment in one.segments) >= count - 1 and bool(one.segments),
        20,
        f"showing {count} takes",
    )


async def rows(lesson: Lesson) -> list[Take]:
    async with lesson.catalogue.transaction() as tx:
        return list(await takes.of_session(tx, UUID(lesson.id)))


async def check_verified(house: House, lesson: Lesson) -> None:
    """`lectern recording verify` proves it whole, once its report is written."""
    await lesson.encoded(90)
    recording = await lesson.recording()
    assert recording is not None
    command = [*console_script(), "recording", "verify", str(recording.id)]

    async def verify() -> tuple[int | None, str]:
        process = await asyncio.create_subprocess_exec(
            *command, env=dict(house.environ), stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
        )
        said, _ = await asyncio.wait_for(process.communicate(), 60)
        return process.returncode, said.decode()

    _, said = await until(verify, lambda answer: answer[0] == 0, 60, "proven whole")
    assert "3 takes" in said


@pytest.mark.parametrize("how", ["freeze", "kill"])
@pytest.mark.parametrize(
    "names",
    [("postgres",), ("valkey",), ("postgres", "s3"), ("s3", "postgres"), ("valkey", "postgres")],
    ids="-".join,
)
async def test_an_encoder_drops_and_comes_back_while_stores_are_away(
    roomy: House, short_clip: Clip, names: Sequence[str], how: str
) -> None:
    """The last to go is the first to be back."""
    assert roomy.stores is not None
    async with lessons(roomy, 2) as (lesson, new), contextlib.AsyncExitStack() as stack:
        address, stranger = await lesson.address(), await new.address()
        first = await stack.enter_async_context(encoder(short_clip, address))
        url = await lesson.playing()
        watch = await stack.enter_async_context(watching(url))
        await until(lesson.placed, lambda placed: len(placed) >= 1, 30, "uploading")
        async with contextlib.AsyncExitStack() as outage:
            for name in names:
                await outage.enter_async_context(roomy.stores.away(name, how))
            await asyncio.sleep(1)
            await first.cut_off()
            second = await published_again(short_clip, address, stack)
            await shown(lesson, url, 2)
            await second.cut_off()
            third = await published_again(short_clip, address, stack)
            await shown(lesson, url, 3)
            if "postgres" in names:
                async with encoder(short_clip, stranger) as refused:
                    assert await refused.said(20) != "", "a key that was never let in has to wait"
        assert await third.said(60) == ""
        await lesson.end()
        found = await by_take(lesson)
        announced = [sum(one.duration_seconds for one in take) for take in taken(watch.playlist)]
        check_takes(found, short_clip, announced)
        assert found[2] == short_clip.units
        assert [one.msn for one in watch.playlist.segments] == list(range(len(watch.playlist.segments)))
        assert not any(one.gap for one in watch.playlist.segments)
        placed = await lesson.placed()
        assert sum(one.reel.discontinuity for one in placed) == 2
        told = await rows(lesson)
        assert [(one.number, one.state) for one in told] == [(1, "ended"), (2, "ended"), (3, "ended")]
        assert [one.started_at for one in told] == sorted(one.started_at for one in told)
        await check_verified(roomy, lesson)


def taken(playlist: MediaPlaylist) -> list[list[SegmentLines]]:
    """The finished segments of each take."""
    found: list[list[SegmentLines]] = [[]]
    for segment in playlist.segments:
        if segment.discontinuity:
            found.append([])
        found[-1].append(segment)
    return found


async def test_a_process_that_is_killed_in_the_outage_forgets_no_take(roomy: House, short_clip: Clip) -> None:
    """Until the catalogue is back it lets nobody in: it cannot know whose session it is by then."""
    assert roomy.stores is not None
    async with lessons(roomy) as (lesson,), contextlib.AsyncExitStack() as stack:
        address = await lesson.address()
        first = await stack.enter_async_context(encoder(short_clip, address))
        url = await lesson.playing()
        await until(lesson.placed, lambda placed: len(placed) >= 1, 30, "uploading")
        async with roomy.stores.away("postgres", "kill"):
            await first.cut_off()
            await published_again(short_clip, address, stack)
            playlist = await shown(lesson, url, 2)
            ingest = roomy.process("ingest")
            os.kill(ingest.pid, signal.SIGKILL)
            await restarted(roomy, "ingest", ingest.pid)
            async with encoder(short_clip, address) as refused:
                assert await refused.said(20) != ""
        third = await published_again(short_clip, address, stack)
        assert await third.said(60) == ""
        await lesson.end()
        found = await by_take(lesson)
        seconds = [sum(one.duration_seconds for one in take) for take in taken(playlist)]
        check_takes(found, short_clip, [*seconds, short_clip.seconds])
        told = await rows(lesson)
        assert [(one.number, one.state) for one in told] == [(1, "ended"), (2, "ended"), (3, "ended")]
        assert told[1].end_reason == "owner_lost"
        await check_verified(roomy, lesson)
