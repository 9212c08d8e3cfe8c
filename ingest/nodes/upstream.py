"""HTTP to other nodes: one request at a time on a kept connection, the whole answer in memory.

Written on the event loop's protocols and the parser that serves this process anyway (httptools): a general client costs
several times as much for each part that is passed on (docs/decisions/0027). Redirects, cookies, proxies, TLS: not here.
"""

import asyncio
import socket
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from typing import cast
from urllib.parse import urlsplit

import httptools

MAX_BODY_BYTES = 128 << 20
CONNECT_SECONDS = 1.0
IDLE_SECONDS = 30.0
"""Well below what the other side keeps an idle connection for."""
IDLE_CONNECTIONS = 256
"""Kept for each node."""
SILENT_MS = 4000
"""A machine that is gone says nothing: what is held there, or on the way there, is given up then."""

_WATCHED = (
    (socket.TCP_KEEPIDLE, 1),
    (socket.TCP_KEEPINTVL, 1),
    (socket.TCP_KEEPCNT, SILENT_MS // 1000 - 1),
    (socket.TCP_USER_TIMEOUT, SILENT_MS),
)
Headers = Iterable[tuple[bytes, bytes]]


class NodeUnreachable(Exception):  # noqa: N818 - named for what happened
    """The other node did not answer, or not in time."""


class NodeStopped(NodeUnreachable):
    """Its machine is there, and says that nobody listens."""


@dataclass(frozen=True, slots=True)
class Reply:
    """What the other node said; header names are in small letters."""

    status: int
    headers: dict[bytes, bytes]
    body: bytes


class _Connection(asyncio.Protocol):
    """One connection to a node. A request that fails closes it."""

    def __init__(self) -> None:
        self._transport: asyncio.Transport | None = None
        self._answer: asyncio.Future[Reply] | None = None
        self._parser = httptools.HttpResponseParser(self)
        self._headers: dict[bytes, bytes] = {}
        self._body = bytearray()
        self.idle_since = 0.0
        self.heard = False
        """Whether anything of the answer has come."""

    @property
    def usable(self) -> bool:
        return self._transport is not None and not self._transport.is_closing()

    async def ask(self, request: bytes) -> Reply:
        assert self._transport is not None
        self._answer = asyncio.get_running_loop().create_future()
        self._headers, self._body, self.heard = {}, bytearray(), False
        self._transport.write(request)
        try:
            return await self._answer
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        if self._transport is not None:
            self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's is one by its methods alone
        line: socket.socket = transport.get_extra_info("socket")
        line.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        for option, value in _WATCHED:
            line.setsockopt(socket.IPPROTO_TCP, option, value)

    def connection_lost(self, exc: Exception | None) -> None:
        self._fail(f"the connection was lost: {exc}")

    def data_received(self, data: bytes) -> None:
        self.heard = True
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError as error:
            self._fail(f"no HTTP: {error}")

    def on_header(self, name: bytes, value: bytes) -> None:
        self._headers[name.lower()] = value

    def on_body(self, body: bytes) -> None:
        self._body += body
        if len(self._body) > MAX_BODY_BYTES:
            self._fail("the answer is too long")

    def on_message_complete(self) -> None:
        if not self._parser.should_keep_alive() and self._transport is not None:
            self._transport.close()
        if self._answer is not None and not self._answer.done():
            self._answer.set_result(Reply(self._parser.get_status_code(), self._headers, bytes(self._body)))

    def _fail(self, text: str) -> None:
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(NodeUnreachable(text))
        self.close()


class Upstream:
    """Connections to every node that was asked for something."""

    def __init__(self) -> None:
        self._idle: dict[str, deque[_Connection]] = {}

    async def get(self, url: str, target: str, headers: Headers = (), *, timeout_seconds: float) -> Reply:
        """`url` names the node, `target` is path and query. Raises NodeUnreachable."""
        return await self.ask("GET", url, target, headers, timeout_seconds=timeout_seconds)

    def close(self) -> None:
        for kept in self._idle.values():
            for connection in kept:
                connection.close()
        self._idle.clear()

    async def ask(
        self, method: str, url: str, target: str, headers: Headers, body: bytes = b"", *, timeout_seconds: float
    ) -> Reply:
        """The same for any method. It may arrive twice, when a kept connection was closed without a word meanwhile.
        Raises NodeUnreachable.
        """
        host = urlsplit(url).netloc
        lines = [b"%s %s HTTP/1.1" % (method.encode(), target.encode()), b"host: " + host.encode()]
        lines += [b"%s: %s" % header for header in headers]
        if method != "GET":
            lines.append(b"content-length: %d" % len(body))
        request = b"\r\n".join((*lines, b"", body))
        try:
            async with asyncio.timeout(timeout_seconds):
                return await self._on_some_connection(url, request)
        except TimeoutError:
            raise NodeUnreachable(f"{url} did not answer within {timeout_seconds:g} s") from None

    async def _on_some_connection(self, url: str, request: bytes) -> Reply:
        kept = self._kept(url)
        if kept is not None:
            try:
                return self._done(url, kept, await kept.ask(request))
            except NodeUnreachable:
                if kept.heard:
                    raise  # else it was closed while it lay idle: that says nothing about the node
        connection = await self._connect(url)
        return self._done(url, connection, await connection.ask(request))

    def _kept(self, url: str) -> _Connection | None:
        idle = self._idle.get(url)
        since = asyncio.get_running_loop().time() - IDLE_SECONDS
        while idle:
            connection = idle.pop()
            if connection.usable and connection.idle_since > since:
                return connection
            connection.close()
        return None

    def _done(self, url: str, connection: _Connection, reply: Reply) -> Reply:
        idle = self._idle.setdefault(url, deque())
        if connection.usable and len(idle) < IDLE_CONNECTIONS:
            connection.idle_since = asyncio.get_running_loop().time()
            idle.append(connection)
        else:
            connection.close()
        return reply

    async def _connect(self, url: str) -> _Connection:
        parts = urlsplit(url)
        try:
            async with asyncio.timeout(CONNECT_SECONDS):
                _, connection = await asyncio.get_running_loop().create_connection(
                    _Connection, parts.hostname or "", parts.port or 80
                )
        except ConnectionRefusedError as error:
            raise NodeStopped(f"{url}: {error}") from error
        except (OSError, TimeoutError) as error:
            raise NodeUnreachable(f"{url}: {error or 'no connection in time'}") from error
        return connection
