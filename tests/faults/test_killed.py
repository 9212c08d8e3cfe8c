"""Processes of the house killed by SIGKILL in the middle of their work: started again, nothing lost, nothing double."""

import asyncio
import contextlib
import os
import random
import signal
import time
from functools import partial
from operator import eq
from uuid import UUID

import httpx
import psutil
import pytest

from domain.states import WorkState
from lectern.clock import now
from media.playlist import MediaPlaylist
from storage.catalogue import ladder
from storage.workshop import Place
from tests.faults.clip import Clip, Encoder, Units, encoder, stored
from tests.faults.lesson import Lesson, lessons, until
from tests.kit.house import House
from transcode import subjects
from transcode.encode import encode
from transcode.settings import TranscodeSettings

pytestmark = pytest.mark.anyio

AGAIN_SECONDS = 30.0
PICK_UP_SECONDS = 10.0
GLANCE_SECONDS = 0.005
"""Such small reels are encoded within 60 ms: whoever looks ten times a second may see none of three."""
STOP_SECONDS = 9.0
"""Four for the uploads that are under way, five for the rest."""


async def restarted(house: House, name: str, before: int) -> psutil.Process:
    """Another process of this kind, once the supervisor has started it."""

    async def other() -> psutil.Process | None:
        with contextlib.suppress(LookupError):
            found = house.process(name)
            return found if found.pid != before else None
        return None

    found = await until(other, lambda one: one is not None, AGAIN_SECONDS, f"started again: {name}")
    assert found is not None
    return found


async def kill_ingest(house: House, lesson: Lesson, url: str) -> float:
    """SIGKILL at once after a look at the playlist; how many seconds of the newest take it announced, part by part."""
    ingest = house.process("ingest")
    playlist = await lesson.playlist(url)
    os.kill(ingest.pid, signal.SIGKILL)
    await restarted(house, "ingest", ingest.pid)
    return announced(playlist)[-1]


def announced(playlist: MediaPlaylist) -> list[float]:
    """Seconds of each take, part by part."""
    found = [0.0]
    for one in (*playlist.segments, *([playlist.open_segment] if playlist.open_segment else [])):
        if one.discontinuity:
            found.append(0.0)
        found[-1] += sum(part.duration_seconds for part in one.parts) if one.parts else one.duration_seconds
    return found


async def takes_shown(lesson: Lesson, url: str) -> int:
    return len(announced(await lesson.playlist(url)))


async def published_again(clip: Clip, address: str, stack: contextlib.AsyncExitStack, speed: float = 1.0) -> Encoder:
    """An encoder that tries until it is let in, as OBS does; it is live when this returns."""
    give_up = time.monotonic() + AGAIN_SECONDS
    while True:
        trying = await stack.enter_async_context(encoder(clip, address, speed=speed))
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(asyncio.shield(asyncio.ensure_future(trying.process.wait())), 1.5)
            assert time.monotonic() < give_up
            continue
        return trying


def check_takes(units: list[Units], clip: Clip, shown_seconds: list[float]) -> None:
    """Each take is what was sent from its beginning on, and no shorter than what was shown of it."""
    for found, seconds in zip(units, shown_seconds, strict=True):
        assert found.video == clip.units.video[: len(found.video)]
        assert found.audio == clip.units.audio[: len(found.audio)]
        assert len(found.video) >= int(seconds * 25) - 1


async def by_take(lesson: Lesson) -> list[Units]:
    """What is stored of each take."""
    await lesson.whole(60)
    placed = await lesson.placed()
    numbers = sorted({one.take_number for one in placed})
    return [stored(lesson.objects, [one for one in placed if one.take_number == number]) for number in numbers]


async def test_ingest_is_killed_in_the_middle_of_a_take(lectern: House, short_clip: Clip) -> None:
    async with lessons(lectern) as (lesson,), contextlib.AsyncExitStack() as stack:
        address = await lesson.address()
        first = await stack.enter_async_context(encoder(short_clip, address))
        url = await lesson.playing()
        shown = await kill_ingest(lectern, lesson, url)
        assert await first.said() != ""
        second = await published_again(short_clip, address, stack, speed=3)
        playlist = await until(
            lambda: lesson.playlist(url), lambda one: any(seg.discontinuity for seg in one.segments), 20, "live again"
        )
        assert playlist.segments[0].msn == 0, "viewers can still seek to what was before"
        assert await second.said(30) == ""
        await lesson.end()
        takes = await by_take(lesson)
        check_takes(takes, short_clip, [shown, short_clip.seconds])
        assert takes[1] == short_clip.units
        placed = await lesson.placed()
        assert sum(one.reel.discontinuity for one in placed) == 1, "one recording with one gap"


@pytest.mark.long
@pytest.mark.timeout(900)
async def test_ingest_is_killed_twenty_times(roomy: House, short_clip: Clip) -> None:
    chance = random.Random(20)
    async with lessons(roomy) as (lesson,):
        address = await lesson.address()
        shown: list[float] = []
        for _ in range(20):
            async with contextlib.AsyncExitStack() as stack:
                await published_again(short_clip, address, stack)
                url = await lesson.playing()
                await until(partial(takes_shown, lesson, url), partial(eq, len(shown) + 1), 20, "shown again")
                await asyncio.sleep(chance.uniform(0, 4))  # the moment of the kill
                shown.append(await kill_ingest(roomy, lesson, url))
        await until(lesson.recording, lambda one: one is not None, 10, "there")
        await lesson.end()
        takes = await by_take(lesson)
        assert len(takes) == 20
        check_takes(takes, short_clip, shown)  # no more is lost than the part that was being made


async def test_a_worker_is_killed_in_the_middle_of_a_reel(lectern: House, short_clip: Clip) -> None:
    async with lessons(lectern) as (lesson,):
        await lesson.nothing_waits()
        worker = lectern.process("worker")
        async with encoder(short_clip, await lesson.address(), speed=3) as sending:
            ffmpeg = await encoding(worker)
            ffmpeg.suspend()  # in the middle for as long as it takes
            try:
                (running,) = [one for one in await lesson.work() if one.state == WorkState.running]
            finally:
                worker.kill()
            killed_at = now()
            _, alive = await asyncio.to_thread(psutil.wait_procs, [ffmpeg], 3)
            assert not alive, "ffmpeg died with its worker"
            await restarted(lectern, "worker", worker.pid)
            taken = await until(
                lesson.work,
                lambda all_: any(one.id == running.id and one.attempts == 2 for one in all_),
                AGAIN_SECONDS,
                "taken again",
            )
            (again,) = [one for one in taken if one.id == running.id]
            assert again.started_at is not None
            assert (again.started_at - killed_at).total_seconds() < PICK_UP_SECONDS
            assert await sending.said(30) == ""
        await lesson.end()
        await lesson.encoded(90)
        await check_same_bytes(lectern, lesson, running.subject)


async def encoding(worker: psutil.Process) -> psutil.Process:
    """The ffmpeg of a job of this worker's, the moment it is there."""

    async def found() -> psutil.Process | None:
        with contextlib.suppress(psutil.Error):
            for one in worker.children(recursive=True):
                if "ffmpeg" in one.name() and one.status() != psutil.STATUS_ZOMBIE:
                    return one
        return None

    one = await until(found, lambda one: one is not None, 30, "encoding", GLANCE_SECONDS)
    assert one is not None
    return one


async def check_same_bytes(house: House, lesson: Lesson, subject: str) -> None:
    """Encode the reel once more, undisturbed: nothing of what is stored may change."""
    placed = next(one for one in await lesson.placed() if subject.startswith(f"encode-{one.reel.id}"))
    plan_id = UUID(subject.removeprefix(f"encode-{placed.reel.id}-"))
    assert subject == subjects.encode(placed.reel.id, plan_id)

    async def made() -> list[tuple[str, bytes]]:
        async with lesson.catalogue.transaction() as tx:
            rows = await ladder.of_reel(tx, placed.reel.id, plan_id)
            return sorted((one.object_key, one.sha256) for one in rows)

    before = await made()
    assert before
    place = Place(lesson.catalogue, lesson.objects, now, {TranscodeSettings: house.settings.transcode})
    await encode(place, placed.reel.id, plan_id, subject)
    assert await made() == before


async def test_the_scheduler_is_killed_between_commit_and_enqueue(lectern: House, short_clip: Clip) -> None:
    """With Valkey frozen the pump has committed the work's row and waits to put its job into the queue."""
    assert lectern.stores is not None
    async with lessons(lectern) as (lesson,):
        scheduler = lectern.process("scheduler")
        async with encoder(short_clip, await lesson.address(), speed=3) as sending:
            async with lectern.stores.away("valkey", "freeze"):
                await until(lesson.work, lambda all_: len(all_) >= 1, 30, "ordered")
                scheduler.kill()
                await restarted(lectern, "scheduler", scheduler.pid)
            assert await sending.said(30) == ""
        await lesson.end()
        await lesson.whole()
        done = await lesson.encoded(90)
        assert len(done) == len(await lesson.placed())


async def test_the_api_is_killed(lectern: House) -> None:
    api = lectern.process("api")
    workers = api.children(recursive=True)
    api.kill()
    await restarted(lectern, "api", api.pid)
    async with httpx.AsyncClient() as client:

        async def ready() -> bool:
            with contextlib.suppress(httpx.HTTPError):
                return (await client.get(f"{lectern.origin}/readyz")).is_success
            return False

        await until(ready, bool, AGAIN_SECONDS, "ready")
    assert not [one for one in workers if one.is_running() and one.status() != psutil.STATUS_ZOMBIE]
    async with lectern.people("teacher") as (teacher,):
        assert (await teacher.get("/sign-ins/current"))["account"]["login"] == "teacher"


@pytest.mark.long
@pytest.mark.timeout(300)
async def test_ctrl_c_in_the_middle_of_a_lecture(roomy: House, short_clip: Clip) -> None:
    """Stopping drains: what was captured is in the store when the last process is gone, and a new start goes on."""
    async with lessons(roomy) as (lesson,):
        address = await lesson.address()
        async with encoder(short_clip, address) as first:
            url = await lesson.playing()
            shown = await lesson.playlist(url)
            everyone = roomy.processes()
            began = time.monotonic()
            assert await asyncio.to_thread(roomy.stop) == 0
            assert time.monotonic() - began < STOP_SECONDS
            assert await first.said() != ""
        assert not [one for one in everyone if one.is_running() and one.status() != psutil.STATUS_ZOMBIE]
        assert list((roomy.folder / "spool").iterdir()) == []
        await asyncio.to_thread(roomy.start_again)
        async with encoder(short_clip, address, speed=3) as second:
            assert await second.said(30) == ""
        await lesson.end()
        takes = await by_take(lesson)
        check_takes(takes, short_clip, [sum(one.duration_seconds for one in shown.segments), short_clip.seconds])
