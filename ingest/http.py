"""The ingest process's HTTP: live delivery first and bare, then control, health, metrics, and what is mounted (WHIP).

Served by uvicorn inside the process's own event loop: parts and playlists are answered by the same thread that makes
them, from memory, without a queue between; most of them by the connection itself (`hls/direct.py`).
"""

import asyncio
import contextlib
import socket
from collections.abc import Awaitable, Callable, Generator, MutableMapping
from functools import partial
from typing import Any

import uvicorn

from ingest.control import PREFIX as CONTROL_PREFIX
from ingest.control import Control
from ingest.hls.answers import NEVER, NOT_FOUND, Answer, Scope, Send, send
from ingest.hls.direct import DirectHttp
from ingest.hls.names import PREFIX as LIVE_PREFIX
from ingest.hls.server import Delivery
from ingest.metrics import Metrics

STALLED_SECONDS = 60.0
"""So long what was sent to a viewer may stay unacknowledged or unread; then the connection goes, with all that is kept
for it. A line that died without a word would else hold a segment for a quarter of an hour, who never reads for ever.
"""

Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Mounted = Callable[[Scope, Receive, Send], Awaitable[None]]


class Dispatch:
    """The ASGI callable of the process. `mounted` maps path prefixes ("/whip/") to what answers below them."""

    def __init__(
        self,
        delivery: Delivery,
        control: Control,
        metrics: Metrics,
        healthy: Callable[[], list[str]],
        mounted: dict[str, Mounted] | None = None,
    ) -> None:
        self.delivery = delivery
        self._control = control
        self._metrics = metrics
        self._healthy = healthy
        self._mounted = mounted or {}

    async def __call__(self, scope: Scope, receive: Receive, to: Send) -> None:
        if scope["type"] != "http":
            return
        path: str = scope["path"]
        if path.startswith(LIVE_PREFIX):
            await self.delivery(scope, to)
        elif path.startswith(CONTROL_PREFIX):
            await self._control(scope, receive, to)
        elif path == "/healthz":
            await send(self._health(), to)
        elif path == "/metrics":
            await send(Answer(200, self._metrics.text(), b"text/plain; version=0.0.4; charset=utf-8"), to)
        else:
            for prefix, answer in self._mounted.items():
                if path.startswith(prefix):
                    await answer(scope, receive, to)
                    return
            await send(NOT_FOUND, to)

    def _health(self) -> Answer:
        """200 while live works; the body says what is in trouble."""
        troubles = self._healthy()
        return Answer(200, ("\n".join(troubles) or "ok").encode() + b"\n", headers=(NEVER,))


class _Server(uvicorn.Server):
    """uvicorn without its hands on the process's signals: they are the service's. And it wakes once a second, for the
    date in answers; by itself it looks ten times whether it is to stop.
    """

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self._leaving = asyncio.Event()

    def leave(self) -> None:
        """Stops."""
        self.should_exit = True
        self._leaving.set()

    async def main_loop(self) -> None:
        while not await self.on_tick(0):
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(1.0):
                    await self._leaving.wait()

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        yield


class HttpServer:
    """Listens from `start` to `stop` in the running loop."""

    def __init__(self, app: Dispatch, host: str, port: int, *, shared: bool = False) -> None:
        """`shared`: other processes listen at the same port, and the kernel deals connections out."""
        self._host = host
        self._port = port
        self._shared = shared
        config = uvicorn.Config(
            app,
            http=partial(DirectHttp, app.delivery),  # type: ignore[arg-type]
            ws="none",
            lifespan="off",
            access_log=False,
            log_config=None,
            server_header=False,
            timeout_keep_alive=75,
            timeout_graceful_shutdown=2,
            backlog=2048,
        )
        self._server = _Server(config)
        self._sockets: list[socket.socket] = []

    @property
    def port(self) -> int:
        """The port it listens on, also when a free one was asked for."""
        return int(self._sockets[0].getsockname()[1]) if self._sockets else self._port

    async def run(self) -> None:
        """Serves until `stop`. Call `bind` before."""
        assert self._sockets
        await self._server.serve(sockets=self._sockets)

    def bind(self) -> None:
        """Opens the listener, so that whoever is told the port can connect. Raises OSError."""
        self._listen(self._port, shared=self._shared)

    def bind_also(self, port: int) -> None:
        """A further port, which is this process's alone. Raises OSError."""
        self._listen(port, shared=False)

    def _listen(self, port: int, *, shared: bool) -> None:
        family = socket.AF_INET6 if ":" in self._host else socket.AF_INET
        listener = socket.socket(family, socket.SOCK_STREAM)
        self._sockets.append(listener)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if shared:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        stalled_ms = round(STALLED_SECONDS * 1000)
        listener.setsockopt(
            socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, stalled_ms
        )  # RFC 5482; what is accepted has it
        listener.bind((self._host, port))
        listener.listen(2048)

    def stop(self) -> None:
        self._server.leave()
