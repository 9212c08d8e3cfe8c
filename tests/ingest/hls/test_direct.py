"""The connection that answers by itself, by plain sockets: order, ends, and what goes uvicorn's way."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

import pytest

from ingest.hls.sources import SpoolSource
from tests.ingest.hls.test_server import Stage, stage

pytestmark = pytest.mark.anyio
__all__ = ["stage"]


class Line:
    """A client's connection: whole answers in the order in which they come."""

    def __init__(self, base: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer
        self.base = base

    def text(self, name: str, *fields: str, method: str = "GET", version: str = "1.1") -> bytes:
        lines = [f"{method} {self.base}{name} HTTP/{version}", "Host: lectern.test", *fields]
        return "\r\n".join([*lines, "", ""]).encode()

    def ask(self, name: str, *fields: str, method: str = "GET", version: str = "1.1") -> None:
        self._writer.write(self.text(name, *fields, method=method, version=version))

    def say(self, data: bytes) -> None:
        self._writer.write(data)

    async def heard(self, *, body: bool = True) -> tuple[int, dict[str, str], bytes]:
        head = (await asyncio.wait_for(self._reader.readuntil(b"\r\n\r\n"), 10)).decode().split("\r\n")
        fields = dict(line.split(": ", 1) for line in head[1:-2])
        length = int(fields.get("content-length", 0)) if body else 0
        return int(head[0].split()[1]), fields, await asyncio.wait_for(self._reader.readexactly(length), 10)

    async def is_silent(self) -> bool:
        try:
            await asyncio.wait_for(self._reader.readexactly(1), 0.1)
        except TimeoutError:
            return True
        return False

    async def is_over(self) -> bool:
        return await asyncio.wait_for(self._reader.read(), 10) == b""

    def leave(self) -> None:
        self._writer.close()


@asynccontextmanager
async def line(told: Stage, **claim: object) -> AsyncIterator[Line]:
    address = urlsplit(told.address)
    reader, writer = await asyncio.open_connection(address.hostname, address.port)
    try:
        yield Line(f"/live/{told.house.session.facts.session_id}/{told.token(**claim)}/", reader, writer)
    finally:
        writer.close()


async def test_one_connection_gets_its_answers_in_order(stage: Stage) -> None:
    """From memory, held, read from a file and refused, asked all at once."""
    stage.feed(6.5)
    msn, part = stage.house.session.window.next_part
    async with line(stage) as viewer:
        viewer.ask("part-2.0.m4s")
        viewer.ask(f"main.m3u8?_HLS_msn={msn}&_HLS_part={part}")
        viewer.ask("seg-0.m4s")
        viewer.ask("nothing")
        viewer.ask("part-2.1.m4s", "Range: bytes=0-9")
        first = await viewer.heard()
        assert (first[0], first[1]["content-type"]) == (200, "video/iso.segment")
        assert {"date", "cache-control", "access-control-allow-origin"} <= set(first[1])
        assert await viewer.is_silent(), "what is behind a held request waits"
        stage.feed(7.2)
        held = await viewer.heard()
        assert (held[0], f"part-{msn}.{part}.m4s".encode() in held[2]) == (200, True)
        assert [(await viewer.heard())[0] for _ in range(2)] == [200, 404]
        ranged = await viewer.heard()
        assert (ranged[0], len(ranged[2])) == (206, 10)


async def test_what_the_connection_answers_and_what_uvicorn_does_is_the_same(stage: Stage) -> None:
    stage.feed(6.5)
    async with line(stage) as viewer:
        for name in ("index.m3u8", "main.m3u8", "audio.m3u8", "init-1.mp4", "part-2.0.m4s", "audio-part-2.0.m4s", "x"):
            viewer.ask(name)
            direct = await viewer.heard()
            viewer.ask(name, "Expect: 100-continue")
            asgi = await viewer.heard()
            assert direct[0] == asgi[0]
            assert direct[2] == asgi[2]
            assert {**direct[1], "date": ""} == {**asgi[1], "date": ""}
        viewer.ask("main.m3u8", method="HEAD")
        status, fields, _ = await viewer.heard(body=False)
        assert (status, int(fields["content-length"]) > 0) == (200, True)


async def test_a_client_that_closes_is_let_go(stage: Stage) -> None:
    stage.feed(6.5)
    async with line(stage) as viewer:
        viewer.ask("main.m3u8", "Connection: close")
        assert (await viewer.heard())[0] == 200
        assert await viewer.is_over()
    async with line(stage) as viewer:
        viewer.ask("main.m3u8", version="1.0")
        assert (await viewer.heard())[0] == 200
        assert await viewer.is_over()


async def test_who_leaves_while_held_costs_the_others_nothing(stage: Stage) -> None:
    stage.feed(6.5)
    msn, part = stage.house.session.window.next_part
    name = f"main.m3u8?_HLS_msn={msn}&_HLS_part={part}"
    async with line(stage) as gone, line(stage) as other:
        gone.ask(name)
        other.ask(name)
        assert await other.is_silent()
        gone.leave()
        await asyncio.sleep(0.05)  # until the server has seen it
        stage.feed(7.2)
        assert (await other.heard())[0] == 200


async def test_who_may_no_more_gets_nothing_of_what_they_were_held_for(stage: Stage) -> None:
    stage.feed(6.5)
    msn, part = stage.house.session.window.next_part
    async with line(stage) as viewer:
        viewer.ask(f"part-{msn}.{part}.m4s")
        assert await viewer.is_silent()
        stage.viewers.revoke([stage.sign_in])
        stage.feed(7.2)
        assert (await viewer.heard())[0] == 403


async def test_a_body_with_a_get_is_passed_over(stage: Stage) -> None:
    stage.feed(6.5)
    async with line(stage) as viewer:
        viewer.ask("main.m3u8", "Content-Length: 5")
        viewer.say(b"abcde")
        assert (await viewer.heard())[0] == 200
        viewer.ask("main.m3u8")
        assert (await viewer.heard())[0] == 200


async def test_a_request_that_is_known_by_its_bytes_is_answered_as_when_it_was_new(stage: Stage) -> None:
    """Of several viewers, by one connection each and by one for all; also after the window changed."""
    stage.feed(6.5)
    names = (
        "index.m3u8",
        "main.m3u8",
        "init-1.mp4",
        "part-2.0.m4s",
        "seg-0.m4s",
        "part-9.0.m4s",
        "main.m3u8?x=/y",
        "x/main.m3u8",
    )
    async with line(stage) as viewer, line(stage) as other:
        for seconds in (7.2, 9.0):
            stage.feed(seconds)
            for name in names:
                viewer.ask(name, "Expect: 100-continue")
                status, fields, body = await viewer.heard()
                for asked in (viewer, viewer, other, other):
                    asked.ask(name)
                    again = await asked.heard()
                    assert (again[0], {**again[1], "date": ""}, again[2]) == (status, {**fields, "date": ""}, body)


async def test_a_known_request_is_held_and_may_come_in_pieces(stage: Stage) -> None:
    stage.feed(6.5)
    async with line(stage) as viewer:
        for seconds in (7.2, 7.8, 8.6, 9.2):
            msn, part = stage.house.session.window.next_part
            viewer.ask(f"main.m3u8?_HLS_msn={msn}&_HLS_part={part}")
            assert await viewer.is_silent()
            stage.feed(seconds)
            held = await viewer.heard()
            assert f"part-{msn}.{part}.m4s".encode() in held[2]
        whole = viewer.text("main.m3u8")
        for cut in range(1, len(whole), 17):
            viewer.say(whole[:cut])
            await asyncio.sleep(0.002)
            viewer.say(whole[cut:])
            assert (await viewer.heard())[0] == 200


async def test_a_known_address_that_counts_no_more_is_refused(stage: Stage) -> None:
    stage.feed(6.5)
    async with line(stage) as viewer:
        for _ in range(2):
            viewer.ask("main.m3u8")
            assert (await viewer.heard())[0] == 200
        stage.viewers.revoke([stage.sign_in])
        viewer.ask("main.m3u8")
        assert (await viewer.heard())[0] == 403
    async with line(stage) as viewer:
        viewer.base = viewer.base[:-2] + "/"
        viewer.ask("main.m3u8")
        assert (await viewer.heard())[0] == 403


async def test_a_known_address_expires(stage: Stage) -> None:
    stage.feed(6.5)
    async with line(stage, expires_at=datetime.now(UTC) + timedelta(seconds=1.2)) as viewer:
        for _ in range(2):
            viewer.ask("main.m3u8")
            assert (await viewer.heard())[0] == 200
        await asyncio.sleep(1.3)
        viewer.ask("main.m3u8")
        assert (await viewer.heard())[0] == 410


async def test_what_is_behind_a_held_request_keeps_its_place(stage: Stage) -> None:
    """The second waits too: what comes when the first is answered is no sooner than it."""
    stage.feed(6.5)
    msn, part = stage.house.session.window.next_part
    async with line(stage) as viewer:
        viewer.ask(f"main.m3u8?_HLS_msn={msn}&_HLS_part={part}")
        viewer.ask(f"main.m3u8?_HLS_msn={msn}&_HLS_part={part + 2}")
        assert await viewer.is_silent()
        stage.feed(7.1)
        assert (await viewer.heard())[0] == 200
        viewer.ask("nothing")
        assert await viewer.is_silent()
        stage.feed(7.8)
        assert [(await viewer.heard())[0] for _ in range(2)] == [200, 404]


async def test_segments_from_the_spool_come_whole_in_ranges_and_in_their_order(stage: Stage) -> None:
    stage.feed(31)
    window = stage.house.session.window
    assert not window.segments[1].in_memory
    whole = (await stage.get("seg-1.m4s", headers={"Expect": "100-continue"})).content
    late = window.closed_count - 5
    parts = [part.length for part in window.segments[late].parts]
    assert parts
    assert not window.segments[late].in_memory
    segment = (await stage.get(f"seg-{late}.m4s")).content
    async with line(stage) as viewer:
        for _ in range(2):
            viewer.ask("seg-1.m4s")
            status, fields, body = await viewer.heard()
            assert (status, fields["content-type"], body) == (200, "video/iso.segment", whole)
        viewer.ask("seg-1.m4s", "Range: bytes=5-99")
        viewer.ask("main.m3u8")
        viewer.ask("seg-1.m4s", "Range: bytes=-7")
        ranged = await viewer.heard()
        assert (ranged[0], ranged[1]["content-range"], ranged[2]) == (206, f"bytes 5-99/{len(whole)}", whole[5:100])
        assert (await viewer.heard())[2].startswith(b"#EXTM3U")
        assert (await viewer.heard())[2] == whole[-7:]
        viewer.ask("seg-1.m4s", f"Range: bytes={len(whole)}-")
        assert (await viewer.heard())[0] == 416
        viewer.ask(f"part-{late}.1.m4s")
        assert (await viewer.heard())[2] == segment[parts[0] : parts[0] + parts[1]]


async def test_a_segment_that_the_spool_lets_go_of_is_looked_for_where_it_is_now(stage: Stage) -> None:
    stage.feed(31)
    segment = stage.house.session.window.segments[1]
    source = segment.source
    assert isinstance(source, SpoolSource)
    source.path.unlink()
    async with line(stage) as viewer:
        viewer.ask("seg-1.m4s")
        assert (await viewer.heard())[0] == 404
        viewer.ask("main.m3u8")
        assert (await viewer.heard())[0] == 200
        stage.viewers.revoke([stage.sign_in])
        viewer.ask("seg-2.m4s")
        assert (await viewer.heard())[0] == 403


async def test_a_quiet_connection_is_closed_and_a_busy_one_is_not(stage: Stage) -> None:
    stage.keep_alive(0.3)
    stage.feed(6.5)
    msn, part = stage.house.session.window.next_part
    async with line(stage) as quiet, line(stage) as busy, line(stage) as held:
        quiet.ask("main.m3u8")
        assert (await quiet.heard())[0] == 200
        held.ask("main.m3u8")
        assert (await held.heard())[0] == 200
        held.ask(f"main.m3u8?_HLS_msn={msn}&_HLS_part={part}")
        for _ in range(8):
            busy.ask("main.m3u8")
            assert (await busy.heard())[0] == 200
            await asyncio.sleep(0.08)
        assert await quiet.is_over()
        stage.feed(7.2)
        assert (await held.heard())[0] == 200
        assert await held.is_over()
