"""Encoders and viewers on bad lines: packets late and lost, and lines that die without a word."""

import asyncio
import re
from collections.abc import AsyncIterator, Collection, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace

import httpx
import pytest

from ingest import http
from ingest.live_session import LiveSession
from ingest.service import IngestService
from storage.catalogue import takes
from tests.faults import clip as clips
from tests.faults.clip import Clip, encoder, stored
from tests.ingest.bad_link import HERE, Link, link
from tests.ingest.classroom import Lesson, lesson, order
from tests.ingest.wired import Stores, segments, until

pytestmark = [pytest.mark.anyio, pytest.mark.long, pytest.mark.timeout(180)]

SILENCE_SECONDS = 30.0
"""`ingest.rtmp.limits.Timeouts`: without media for so long a publish is given up."""
DEAD_AFTER_SECONDS = 3.0
CUT_SECONDS = 5.0
STALLED = 30


@pytest.fixture
def line() -> Iterator[Link]:
    try:
        made = link()
        opened = made.__enter__()
    except OSError as error:
        pytest.skip(f"no network namespace with a TUN device can be made here: {error}")
    try:
        yield opened
    finally:
        made.__exit__(None, None, None)


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Clip:
    return clips.make(tmp_path_factory.mktemp("clip") / "sent.flv", 14, kbps=1500)


@asynccontextmanager
async def ingest(stores: Stores) -> AsyncIterator[IngestService]:
    """A node at both ends of the line."""
    settings = replace(
        stores.settings, rtmp_hosts=("127.0.0.1", HERE), http_host=HERE, dead_after_seconds=DEAD_AFTER_SECONDS
    )
    async with stores.wires() as wires, wires.ingest(settings) as service:
        yield service


def address(service: IngestService, told: Lesson, host: str = HERE) -> str:
    return f"rtmp://{host}:{service.rtmp.port}/live/{told.key}"


async def check_whole(stores: Stores, service: IngestService, told: Lesson, clip: Clip) -> None:
    """All that was sent was live without a hole, and is in the store."""
    await until(lambda: nobody_publishes(service, told))  # the last of it may still be on the line
    await order(stores.catalogue, told.session_id, "end")
    await until(lambda: stores.is_stored(told))
    placed = await stores.check_whole(told)
    assert {one.take_number for one in placed} == {1}
    assert not any(one.reel.discontinuity for one in placed[1:])
    assert await asyncio.to_thread(stored, stores.store, placed) == clip.units


async def nobody_publishes(service: IngestService, told: Lesson) -> bool:
    return service.lives.sessions[told.session_id].take is None


async def test_packets_that_are_late_and_lost(stores: Stores, line: Link, clip: Clip) -> None:
    """200 ms there and back, one packet in a hundred lost."""
    line.delay_seconds, line.loss = 0.1, 0.01
    told = await lesson(stores.catalogue)
    async with ingest(stores) as service:
        async with encoder(clip, address(service, told), within=line.within) as sending:
            await segments(service, told, 1)
            assert await longest_wait(service.lives.sessions[told.session_id], 8) < 2.5
            assert await sending.said(60) == ""
        await check_whole(stores, service, told, clip)


async def longest_wait(session: LiveSession, seconds: float) -> float:
    """The longest that nothing new was shown within so many seconds."""
    clock = asyncio.get_running_loop().time
    until_, longest, version, at = clock() + seconds, 0.0, session.window.version, clock()
    while clock() < until_:
        await asyncio.sleep(0.02)
        if session.window.version != version:
            version, at = session.window.version, clock()
        longest = max(longest, clock() - at)
    return longest


async def test_a_line_that_is_dead_for_a_while_goes_on_in_the_same_take(stores: Stores, line: Link, clip: Clip) -> None:
    told = await lesson(stores.catalogue)
    async with ingest(stores) as service:
        async with encoder(clip, address(service, told), within=line.within) as sending:
            await segments(service, told, 1)
            line.dead = True
            await asyncio.sleep(CUT_SECONDS)
            take = service.lives.sessions[told.session_id].take
            assert take is not None
            assert take.silent_seconds() > CUT_SECONDS - 1
            line.dead = False
            assert await sending.said(60) == ""
        await check_whole(stores, service, told, clip)


async def test_another_encoder_takes_over_from_one_whose_line_died(stores: Stores, line: Link, clip: Clip) -> None:
    told = await lesson(stores.catalogue)
    async with ingest(stores) as service:
        async with encoder(clip, address(service, told), within=line.within) as first:
            await segments(service, told, 1)
            line.dead = True
            session = service.lives.sessions[told.session_id]
            take = session.take
            assert take is not None
            async with encoder(clip, address(service, told, "127.0.0.1"), speed=3) as early:
                assert await early.said() != "", "it may be back any moment"
            assert session.take is take

            async def dead() -> bool:
                return take.silent_seconds() > DEAD_AFTER_SECONDS

            await until(dead)
            async with encoder(clip, address(service, told, "127.0.0.1"), speed=3) as second:
                assert await second.said(30) == ""
            line.dead = False
            assert await first.said(30) != "", "it was told, or reset, and does not send into nothing"
            assert service.lives.sessions[told.session_id].take is None
        await order(stores.catalogue, told.session_id, "end")
        await until(lambda: stores.is_stored(told))
        placed = await stores.check_whole(told)
        after = [one for one in placed if one.take_number == 2]
        assert await asyncio.to_thread(stored, stores.store, after) == clip.units
    async with stores.catalogue.transaction() as tx:
        ended = [(one.number, one.end_reason) for one in await takes.of_session(tx, told.session_id)]
    assert ended[0] == (1, "taken_over")
    assert len(ended) == 2


async def test_a_line_that_stays_dead_ends_the_take_by_its_time_out(stores: Stores, line: Link, clip: Clip) -> None:
    told = await lesson(stores.catalogue)
    async with ingest(stores) as service:
        async with encoder(clip, address(service, told), within=line.within):
            await segments(service, told, 2)
            line.dead = True
            session, clock = service.lives.sessions[told.session_id], asyncio.get_running_loop().time
            began = clock()
            await until(lambda: nobody_publishes(service, told), SILENCE_SECONDS + 5)
            assert clock() - began > SILENCE_SECONDS - 5
            assert not session.ended, "the class is not over"
        await order(stores.catalogue, told.session_id, "end")
        await until(lambda: stores.is_stored(told))
        placed = await stores.check_whole(told)
    found = await asyncio.to_thread(stored, stores.store, placed)
    assert found.video == clip.units.video[: len(found.video)]
    assert len(found.video) > 3 * clips.FRAME_RATE


async def test_viewers_on_a_dead_line_keep_nobody_waiting(
    stores: Stores, line: Link, clip: Clip, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And are given up, with what was kept for them."""
    monkeypatch.setattr(http, "STALLED_SECONDS", 4.0)
    told = await lesson(stores.catalogue)
    async with ingest(stores) as service, httpx.AsyncClient(timeout=10) as client:
        assert service.http is not None
        port = service.http.port
        async with encoder(clip, address(service, told, "127.0.0.1")):
            await segments(service, told, 1)
            stalled = [await ask(line, port, told) for _ in range(STALLED)]
            line.dead = True
            for _, writer in stalled:  # each asks for more than a socket holds
                path = f"/live/{told.session_id}/{told.token()}/seg-0.m4s"
                writer.write(f"GET {path} HTTP/1.1\r\nHost: {HERE}\r\n\r\n".encode() * 8)
            line.dead = False
            await asyncio.sleep(0.5)  # what was asked for arrives, the answers have begun
            line.dead = True
            waits = await watched(client, f"http://{HERE}:{port}/live/{told.session_id}/{told.token()}", 6)
            assert len(waits) > 8
            assert max(waits) < 1.0, waits
            connections = service.http._server.server_state.connections
            await until(lambda: fewer(connections, 5), 10)
            for _, writer in stalled:
                writer.transport.abort()
        await order(stores.catalogue, told.session_id, "end")
        await until(lambda: stores.is_stored(told))


async def fewer(connections: Collection[object], count: int) -> bool:
    return len(connections) < count


async def ask(line: Link, port: int, told: Lesson) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """A viewer at the line's other end, who does not read."""
    made = line.socket()
    await asyncio.get_running_loop().sock_connect(made, (HERE, port))
    return await asyncio.open_connection(sock=made, limit=1024)


async def watched(client: httpx.AsyncClient, base: str, seconds: float) -> list[float]:
    """For a viewer whose line is well: how long each part took beyond its own half second."""
    clock = asyncio.get_running_loop().time
    until_, waits = clock() + seconds, []
    text = (await client.get(f"{base}/main.m3u8")).text
    while clock() < until_:
        hint = re.search(r'PRELOAD-HINT:TYPE=PART,URI="(part-(\d+)\.(\d+)\.m4s)"', text)
        assert hint is not None
        began = clock()
        answer = await client.get(f"{base}/main.m3u8?_HLS_msn={hint[2]}&_HLS_part={hint[3]}")
        assert answer.status_code == 200
        assert (await client.get(f"{base}/{hint[1]}")).status_code == 200
        waits.append(clock() - began - 0.5)
        text = answer.text
    return waits
