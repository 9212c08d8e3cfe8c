"""A store that is slow, refuses, keeps silent or spoils what it is given: the recording is whole in the end, live does
not wait for it, and nobody storms it.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest

from ingest.hls.sources import SpoolSource, StoredSource
from ingest.service import IngestService
from tests.ingest.classroom import Lesson, encoder, lesson, order
from tests.ingest.faulty_store import Fault
from tests.ingest.wired import Wires, segments, until

pytestmark = pytest.mark.anyio

STALL_SECONDS = 1.5
"""The longest that no part may come in a test's loop; parts are half a second of media, and media is three times as
quick as a lecture.
"""


def reels(method: str, path: str) -> bool:
    return method == "PUT" and path.endswith(".m4s")


def befalls(
    fault: Fault, which: Callable[[str, str], bool] = reels, times: int = 1 << 30
) -> Callable[..., Fault | None]:
    """The first so many of these requests."""
    left = times

    def fault_of(method: str, path: str) -> Fault | None:
        nonlocal left
        if not which(method, path) or left <= 0:
            return None
        left -= 1
        return fault

    return fault_of


@asynccontextmanager
async def live_goes_on(service: IngestService, told: Lesson) -> AsyncIterator[None]:
    """For the block no part comes late."""
    session, clock = service.lives.sessions[told.session_id], asyncio.get_running_loop().time
    longest = 0.0

    async def watch() -> None:
        nonlocal longest
        version, at = session.window.version, clock()
        while True:
            await asyncio.sleep(0.02)
            if session.window.version != version:
                version, at = session.window.version, clock()
            longest = max(longest, clock() - at)

    watching = asyncio.create_task(watch())
    try:
        yield
    finally:
        watching.cancel()
    assert longest < STALL_SECONDS


async def stored(wired: Wires, told: Lesson) -> None:
    """The lecture is ended, and all of it is in the store."""
    await order(wired.stores.catalogue, told.session_id, "end")
    await until(lambda: wired.stores.is_stored(told), 60)
    await wired.stores.check_whole(told)


@pytest.mark.long
@pytest.mark.parametrize("fault", [Fault.REFUSED, Fault.BROKEN])
async def test_a_store_that_refuses_for_a_while(wired: Wires, fault: Fault) -> None:
    """However long it asks us to stay away: the spool is what waits, and it has a clock of its own."""
    told = await lesson(wired.stores.catalogue)
    wired.to_s3.fault, wired.to_s3.retry_after_seconds = befalls(fault), 3600
    async with wired.ingest() as service, encoder(service, told.key):
        await segments(service, told, 1)
        async with live_goes_on(service, told):
            await until(lambda: failing(service))
            await segments(service, told, 6)
        wired.to_s3.fault = befalls(fault, times=0)
        await stored(wired, told)
        assert service.troubles() == []


async def failing(service: IngestService) -> bool:
    return "uploads fail" in "".join(service.troubles())


@pytest.mark.parametrize("what", [".m4s", pytest.param(".mp4", marks=pytest.mark.long)])
async def test_what_the_store_spoiled_is_noticed_and_sent_again(wired: Wires, what: str) -> None:
    told = await lesson(wired.stores.catalogue)
    wired.to_s3.fault = befalls(Fault.SPOILED, lambda method, path: method == "PUT" and path.endswith(what), times=2)
    async with wired.ingest() as service, encoder(service, told.key):
        await segments(service, told, 4)
        await stored(wired, told)
    assert len(wired.to_s3.befallen) == 2
    assert list(wired.settings.spool_folder.iterdir()) == []


@pytest.mark.long
async def test_what_is_in_the_store_is_not_sent_again_while_the_catalogue_is_away(wired: Wires) -> None:
    told = await lesson(wired.stores.catalogue)
    async with wired.ingest() as service, encoder(service, told.key):
        await segments(service, told, 1)
        await wired.to_postgres.cut()
        await segments(service, told, 8)
        assert await failing(service)
        await wired.to_postgres.mend()
        await stored(wired, told)
    sent = [path for method, path in wired.to_s3.asked if reels(method, path)]
    assert len(sent) == len(set(sent)) == len(await wired.stores.placed(told))


@pytest.mark.long
@pytest.mark.timeout(180)
async def test_a_store_that_takes_everything_and_answers_nothing(wired: Wires) -> None:
    """Its silence is waited for, by as many as upload at one time, and not by live."""
    told = await lesson(wired.stores.catalogue)
    async with wired.ingest() as service, encoder(service, told.key):
        await segments(service, told, 4)
        wired.to_s3.fault = befalls(Fault.SWALLOWED)
        async with live_goes_on(service, told):
            await asyncio.sleep(30)  # longer than its silence is believed in
        swallowed = len(wired.to_s3.befallen)
        assert 1 <= swallowed <= 2 * wired.settings.upload_threads
        wired.to_s3.fault = befalls(Fault.SWALLOWED, times=0)
        await stored(wired, told)


@pytest.mark.long
@pytest.mark.timeout(180)
async def test_a_store_that_is_slower_than_the_encoder_and_then_well_again(wired: Wires) -> None:
    """The spool grows by what does not get through, and nothing times out."""
    told = await lesson(wired.stores.catalogue)
    async with wired.ingest() as service, encoder(service, told.key):
        await segments(service, told, 2)
        session = service.lives.sessions[told.session_id]
        wired.to_s3.bytes_per_second = 80_000
        before, began = wired.to_s3.there.carried, asyncio.get_running_loop().time()
        async with live_goes_on(service, told):
            for _ in range(60):
                await asyncio.sleep(0.5)
                assert not service.troubles(), "slow is not away"
        carried = wired.to_s3.there.carried - before
        seconds = asyncio.get_running_loop().time() - began
        assert 0.3 * 80_000 < carried / seconds <= 1.1 * 80_000, "all that the wire gives, and once"
        spooled = sum(one.stat().st_size for one in wired.settings.spool_folder.rglob("*.m4s"))
        captured = sum(segment.length for segment in session.window.segments)
        assert captured - carried <= spooled + session.window.segments[-1].length + 300_000
        assert spooled <= captured
        wired.to_s3.bytes_per_second = None
        async with live_goes_on(service, told):
            await until(lambda: behind(service, 2), 20)
        await stored(wired, told)


async def behind(service: IngestService, reels: int) -> bool:
    return service.lives.uploader.pending <= reels


@pytest.mark.long
async def test_who_seeks_in_a_store_that_hangs_keeps_nobody_from_the_spool(wired: Wires) -> None:
    told = await lesson(wired.stores.catalogue)
    settings = replace(wired.settings, segments_in_memory=1)
    async with wired.ingest(settings) as service, encoder(service, told.key):
        await until(lambda: lies(service, told, StoredSource))
        wired.to_s3.hold()
        reader, found = service._reader, service.lives.sessions[told.session_id].window.segments
        far = next(one for one in found if isinstance(one.source, StoredSource))
        seeking = [asyncio.create_task(reader.muxed(far)) for _ in range(20)]
        await until(lambda: lies(service, told, SpoolSource))
        near = next(one for one in found if isinstance(one.source, SpoolSource) and not one.in_memory)
        async with asyncio.timeout(2):
            assert await reader.muxed(near)
        assert not any(one.done() for one in seeking)
        wired.to_s3.let_go()
        assert len({await one for one in seeking}) == 1


async def lies(service: IngestService, told: Lesson, where: type) -> bool:
    """Whether a segment that has left the memory is there."""
    session = service.lives.find(told.session_id)
    return session is not None and any(
        isinstance(one.source, where) and not one.in_memory for one in session.window.segments
    )


@pytest.mark.long
async def test_a_node_that_starts_while_the_store_is_away_lets_encoders_in(wired: Wires) -> None:
    """What it needs to go on with a class is in the catalogue and its spool."""
    told = await lesson(wired.stores.catalogue)
    async with wired.ingest() as service:
        async with encoder(service, told.key):
            await segments(service, told, 3)

        async def all_stored() -> bool:
            return service.lives.uploader.pending == 0 and not list(wired.settings.spool_folder.iterdir())

        await until(all_stored)
    await wired.to_s3.cut()
    async with wired.ingest() as service, encoder(service, told.key):
        await segments(service, told, 6)
        text = service.lives.sessions[told.session_id].playlists["main"].text().decode()
        assert "seg-0.m4s" in text
        await wired.to_s3.mend()
        await stored(wired, told)
    placed = await wired.stores.placed(told)
    assert {one.take_number for one in placed} == {1, 2}
