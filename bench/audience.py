"""The load of a delivery benchmark, in a process of its own: viewers at the live edge, who are held for each part.

Each has two connections, as players have: one asks for the delta playlist that shows the next part and is held for it,
the other fetches that part (RFC 8216bis 6.2.5). It reads one order as JSON, says `ready` once everybody is served, and
at a further line on standard input tells what it counted since. `python -m bench.audience` starts it. What it costs is
not measured, but it must not be what limits: playlists that are alike byte for byte are read once.
"""

import asyncio
import gzip
import json
import re
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from datetime import datetime
from functools import partial
from typing import cast

import uvloop

from bench import tls

BUFFER_BYTES = 1 << 18
REMEMBERED = 64
SERVED = 3
"""Playlists that a viewer has had before it counts."""
_HINT = re.compile(rb'#EXT-X-PRELOAD-HINT:TYPE=PART,URI="part-(\d+)\.(\d+)\.m4s"')
_PART = re.compile(rb"#EXT-X-PART:([^\n]*)")
_URI = re.compile(rb'URI="([^"]+)"')
_DURATION = re.compile(rb"DURATION=([\d.]+)")
_DATE = b"#EXT-X-PROGRAM-DATE-TIME:"
_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)


@dataclass
class Order:
    """Where, and one path of a session and its token for each viewer (`/live/…/…`); `fields` are header lines that
    each request has besides.
    """

    host: str
    port: int
    viewers: list[str]
    fields: list[str] = field(default_factory=list)
    tls: bool = False


@dataclass
class Result:
    """What came; `lags` are of playlists: seconds from the end of their newest part's media to their last byte.
    `part_lags` are the same of those parts.
    """

    playlists: int = 0
    parts: int = 0
    parts_missed: int = 0
    """Not asked for, since the one before took longer than a part lasts."""
    bytes: int = 0
    lags: list[float] = field(default_factory=list)
    part_lags: list[float] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Edition:
    """What a viewer needs of a playlist: its newest part, when that one's media ends, and what comes next."""

    part: bytes
    ends_at: float
    query: bytes


def read(text: bytes) -> Edition:
    """Raises ValueError for a playlist without parts."""
    hint = _HINT.search(text)
    newest = text[text.rindex(_DATE) + len(_DATE) :]
    parts = _PART.findall(newest)
    uri = _URI.search(parts[-1]) if parts else None
    if hint is None or uri is None:
        raise ValueError("a live playlist without parts")
    began = datetime.fromisoformat(newest[: newest.index(b"\n")].strip().decode())
    length = sum(float(found[1]) for one in parts if (found := _DURATION.search(one)))
    return Edition(uri[1], began.timestamp() + length, b"_HLS_msn=%b&_HLS_part=%b&_HLS_skip=YES" % hint.groups())


class Connection(asyncio.BufferedProtocol):
    """One request at a time; `came` is told of each whole answer: its body where `keeps`, else nothing, and its size.

    One buffer serves all connections: what is in it is taken out before the loop goes on.
    """

    _buffer = memoryview(bytearray(BUFFER_BYTES))

    def __init__(self, came: Callable[[bytes, int], None], failed: Callable[[str], None], *, keeps: bool) -> None:
        self._came, self._failed, self._keeps = came, failed, keeps
        self._transport: asyncio.Transport | None = None
        self._head = b""
        self._body: list[bytes] = []
        self._length = self._left = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's own is none by its class

    def connection_lost(self, exc: Exception | None) -> None:
        self._failed(f"a connection ended: {exc}")

    def ask(self, request: bytes) -> None:
        """Send a whole request."""
        assert self._transport is not None
        self._transport.write(request)

    def close(self) -> None:
        """Be done, whatever is under way."""
        self._failed = lambda _: None
        if self._transport is not None:
            self._transport.abort()

    def get_buffer(self, sizehint: int) -> memoryview:  # noqa: ARG002 - asyncio calls it so
        return self._buffer

    def buffer_updated(self, nbytes: int) -> None:
        start = 0
        if not self._left:
            self._head += bytes(self._buffer[:nbytes])
            end = self._head.find(b"\r\n\r\n")
            if end < 0:
                return
            length = _LENGTH.search(self._head, 0, end + 2)
            if b" 200 " not in self._head[:16] or length is None:
                self._failed(self._head[:64].decode("latin-1"))
                return
            self._length = self._left = int(length[1])
            start, self._head = nbytes - (len(self._head) - end - 4), b""
        self._left -= nbytes - start
        if self._keeps:
            self._body.append(bytes(self._buffer[start:nbytes]))
        if not self._left:
            body, self._body = b"".join(self._body), []
            self._came(body, self._length)


class Viewer:
    """Plays at the live edge, without looking at the media."""

    def __init__(self, audience: "Audience", path: str) -> None:
        self._audience = audience
        self._start = f"GET {path}/".encode()
        fields = [f"Host: {audience.order.host}", "Accept-Encoding: gzip", *audience.order.fields]
        self._end = "\r\n".join([" HTTP/1.1", *fields, "", ""]).encode()
        self.playlists = Connection(self._playlist, audience.failed, keeps=True)
        self.parts = Connection(self._part, audience.failed, keeps=False)
        self._fetching = False
        self._part_ended_at = 0.0
        self.served = 0

    def begin(self) -> None:
        """Ask for the whole playlist."""
        self.playlists.ask(b"%bmain.m3u8%b" % (self._start, self._end))

    def _playlist(self, body: bytes, size: int) -> None:
        edition = self._audience.edition(body, size)
        self.served += 1
        if self.served == SERVED:
            self._audience.one_served()
        self.playlists.ask(b"%bmain.m3u8?%b%b" % (self._start, edition.query, self._end))
        if self._fetching:  # a whole part behind: the next is not asked for before this one is there
            self._audience.result.parts_missed += 1
            return
        self._fetching, self._part_ended_at = True, edition.ends_at
        self.parts.ask(b"%b%b%b" % (self._start, edition.part, self._end))

    def _part(self, _body: bytes, size: int) -> None:
        self._fetching = False
        self._audience.result.parts += 1
        self._audience.result.part_lags.append(time.time() - self._part_ended_at)
        self._audience.result.bytes += size


class Audience:
    """All viewers of one process."""

    def __init__(self, order: Order) -> None:
        self.order = order
        self.result = Result()
        self.viewers = [Viewer(self, path) for path in order.viewers]
        self._editions: dict[bytes, Edition] = {}
        self._served = asyncio.Event()
        self._waiting = len(self.viewers)

    def edition(self, body: bytes, size: int) -> Edition:
        """Count a playlist that came now, and read it unless another viewer had the same."""
        came = time.time()
        found = self._editions.get(body)
        if found is None:
            if len(self._editions) >= REMEMBERED:
                self._editions.clear()
            found = self._editions[body] = read(gzip.decompress(body))
        self.result.playlists += 1
        self.result.bytes += size
        self.result.lags.append(came - found.ends_at)
        return found

    def failed(self, text: str) -> None:
        """Keep what went wrong; nobody waits for it to come right."""
        self.result.failures.append(text)
        self._served.set()

    def one_served(self) -> None:
        """Told once of each viewer."""
        self._waiting -= 1
        if not self._waiting:
            self._served.set()

    async def run(self, ready: Callable[[], None], stop: asyncio.Event) -> Result:
        """Everybody comes, `ready` is called once all are served, and what came from there to `stop` is given."""
        loop, host, port = asyncio.get_running_loop(), self.order.host, self.order.port
        context = tls.trusting() if self.order.tls else None
        for viewer in self.viewers:
            for connection in (viewer.playlists, viewer.parts):
                await loop.create_connection(partial(_same, connection), host, port, ssl=context)
            viewer.begin()
        await self._served.wait()
        failures = self.result.failures
        self.result = Result(failures=failures)
        ready()
        await stop.wait()
        result = self.result
        for viewer in self.viewers:
            viewer.playlists.close()
            viewer.parts.close()
        return result


def _same(connection: Connection) -> Connection:
    return connection


async def main() -> None:
    """The order, `ready`, a line, the result."""
    order = Order(**json.loads(sys.stdin.readline()))
    stop = asyncio.Event()
    asyncio.get_running_loop().add_reader(sys.stdin, stop.set)
    result = await Audience(order).run(lambda: print("ready", flush=True), stop)
    print(json.dumps(asdict(result)), flush=True)


if __name__ == "__main__":
    uvloop.run(main())
