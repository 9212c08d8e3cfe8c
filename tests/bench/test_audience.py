"""What the load reads of a live playlist, from the very text that a session's viewers get, and how it asks next."""

import asyncio
import gzip
from datetime import timedelta

import pytest

from bench.audience import Audience, Order, read
from ingest.settings import IngestSettings
from media.playlist import parse_media
from tests.ingest.live_house import House, lecture

pytestmark = pytest.mark.anyio


@pytest.fixture
async def text(settings: IngestSettings) -> bytes:
    """Of a session nine seconds and a bit after its beginning."""
    house = House(settings)
    house.feed(house.take(), lecture(9.2))
    return house.playlist().encode()


@pytest.fixture
def settings(tmp_path: object) -> IngestSettings:
    return IngestSettings(spool_folder=tmp_path / "spool")  # type: ignore[operator]


async def test_the_newest_part_and_what_comes_next(text: bytes) -> None:
    found, playlist = read(text), parse_media(text.decode())
    assert playlist.open_segment is not None
    assert playlist.open_segment.program_date_time is not None
    *_, newest = playlist.open_segment.parts
    assert found.part.decode() == newest.uri
    length = sum(one.duration_seconds for one in playlist.open_segment.parts)
    end = playlist.open_segment.program_date_time + timedelta(seconds=length)
    assert found.ends_at == pytest.approx(end.timestamp(), abs=0.002)
    msn, index = playlist.preload_hint.removeprefix("part-").removesuffix(".m4s").split(".")  # type: ignore[union-attr]
    assert found.query == f"_HLS_msn={msn}&_HLS_part={index}&_HLS_skip=YES".encode()


def test_a_playlist_without_parts_is_none_of_ours() -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - whatever it lacks
        read(b"#EXTM3U\n#EXTINF:2,\nseg-1.m4s\n")


async def test_an_audience_is_served_and_counted(text: bytes) -> None:
    """Against a server that answers every playlist and part at once."""
    body, asked = gzip.compress(text), []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while head := await reader.readline():
            while await reader.readline() not in (b"\r\n", b""):
                pass
            asked.append(head.split()[1])
            answer = body if b".m3u8" in head else bytes(100_000)
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(answer) + answer)
            await asyncio.sleep(0.01)
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        stop, ready = asyncio.Event(), asyncio.Event()
        running = asyncio.create_task(Audience(Order("127.0.0.1", port, ["/live/a", "/live/b"])).run(ready.set, stop))
        await asyncio.wait_for(ready.wait(), 10)
        await asyncio.sleep(0.3)
        stop.set()
        result = await running
    assert result.failures == []
    assert result.playlists > 4
    assert result.parts > 2
    assert result.bytes == result.playlists * len(body) + result.parts * 100_000
    assert len(result.lags) == result.playlists
    assert {one.split(b"/")[2] for one in asked} == {b"a", b"b"}


async def test_a_refused_viewer_is_a_failure() -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if await reader.read(4096):  # of a viewer's two connections one is never used
            writer.write(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n")
        await reader.read()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        stop = asyncio.Event()
        order = Order("127.0.0.1", server.sockets[0].getsockname()[1], ["/live/a"])
        result = await asyncio.wait_for(Audience(order).run(stop.set, stop), 10)
    assert result.failures[0].startswith("HTTP/1.1 403")
