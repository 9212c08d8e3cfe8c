"""The connection that answers by itself, by plain sockets: order, ends, and what goes uvicorn's way."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

import pytest

from tests.ingest.hls.test_server import Stage, stage

pytestmark = pytest.mark.anyio
__all__ = ["stage"]


class Line:
    """A client's connection: whole answers in the order in which they come."""

    def __init__(self, told: Stage, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._told = told
        self._reader, self._writer = reader, writer
        self._base = f"/live/{told.house.session.facts.session_id}/{told.token()}/"

    def ask(self, name: str, *fields: str, method: str = "GET", version: str = "1.1") -> None:
        lines = [f"{method} {self._base}{name} HTTP/{version}", "Host: lectern.test", *fields]
        self._writer.write("\r\n".join([*lines, "", ""]).encode())

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
async def line(told: Stage) -> AsyncIterator[Line]:
    address = urlsplit(told.address)
    reader, writer = await asyncio.open_connection(address.hostname, address.port)
    try:
        yield Line(told, reader, writer)
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
