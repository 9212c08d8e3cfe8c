"""What stands behind nginx in its tests: two small ASGI applications that answer as API and ingest do by contract.

They run on the servers that production uses (granian for the API, uvicorn for ingest), each in a thread with a loop of
its own. What a test must see or steer (who is revoked, what arrived) is on the application object.
"""

import asyncio
import contextlib
import json
import threading
from collections.abc import Awaitable, Callable, Iterator, MutableMapping
from dataclasses import dataclass, field
from typing import Any, Protocol

import httpx
import uvicorn
from granian.constants import Interfaces
from granian.server.embed import Server as Granian

from storage.embedded.ports import free_ports
from tests.house.front.nginx import HOST, until

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
START_SECONDS = 15.0
PROOF = "proof=of-ingest-itself"


async def answer(send: Send, status: int, body: bytes = b"", **headers: str) -> None:
    lines = [(name.replace("_", "-").lower().encode(), value.encode()) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": status, "headers": lines})
    await send({"type": "http.response.body", "body": body})


async def body_of(receive: Receive) -> bytes:
    body = bytearray()
    while True:
        message = await receive()
        body += message.get("body", b"")
        if not message.get("more_body"):
            return bytes(body)


def headers_of(scope: Scope) -> dict[str, str]:
    return {name.decode(): value.decode() for name, value in scope["headers"]}


@dataclass
class StandInApi:
    """Checks the token of a replay address, then names the object; `segments` maps an address' end to the redirect."""

    segments: dict[str, str] = field(default_factory=dict)
    revoked: set[str] = field(default_factory=set)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            await self._echo(receive, send)
        elif scope["type"] == "http":
            await self._answer(scope, receive, send)

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        match scope["path"].split("/"):
            case ["", "replay", _, token, _, name]:
                if token in self.revoked:
                    await answer(send, 403, b"revoked")
                else:
                    redirect = {"X_Accel_Redirect": self.segments[name], "Cache_Control": "private, max-age=60"}
                    await answer(send, 200, b"", Content_Type="video/mp4", **redirect)
            case ["", "api", "v1", *_]:
                seen = {"headers": headers_of(scope), "bytes": len(await body_of(receive))}
                await answer(
                    send, 200, json.dumps(seen).encode(), Content_Type="application/json", X_Frame_Options="ALLOW"
                )
            case _:
                await answer(send, 200, b"<!doctype html>page", Content_Type="text/html")

    async def _echo(self, receive: Receive, send: Send) -> None:
        await receive()
        await send({"type": "websocket.accept"})
        while (message := await receive())["type"] == "websocket.receive":
            await send({"type": "websocket.send", "text": message.get("text", "")})


@dataclass
class StandInIngest:
    """Live: a playlist that is answered when `waiting_wanted` requests wait for it, parts, and finished segments."""

    waiting_wanted: int = 1
    waiting: int = 0
    revoked: set[str] = field(default_factory=set)
    seen: list[str] = field(default_factory=list)
    told: dict[str, str] = field(default_factory=dict)
    """The fields of the last live request."""
    published: asyncio.Event = field(default_factory=asyncio.Event)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        self.seen.append(scope["path"])
        match scope["path"].split("/"):
            case ["", "live", session, token, name]:
                self.told = headers_of(scope)
                await self._live(send, session, token, name)
            case ["", "preview", _, _, _]:
                await answer(send, 200, b"ahead", Content_Type="video/mp4")
            case ["", "_live", session, name]:
                allowed = scope["query_string"].decode() == PROOF
                await answer(
                    send, 200 if allowed else 403, f"{session} {name}".encode() * 1000, Content_Type="video/mp4"
                )
            case ["", "whip", session]:
                count = len(await body_of(receive))
                await answer(send, 201, str(count).encode(), Location=f"/whip/{session}/resource-secret")
            case _:
                await answer(send, 200, b"not for the public")

    async def _live(self, send: Send, session: str, token: str, name: str) -> None:
        if token in self.revoked:
            await answer(send, 403, b"revoked")
        elif name.startswith("seg-"):
            redirect = f"/_live/{session}/{name}?{PROOF}"
            await answer(send, 200, b"", X_Accel_Redirect=redirect, Access_Control_Allow_Origin="*")
        elif name.endswith(".m3u8"):
            await self._blocking_playlist(send)
        else:
            await answer(send, 200, name.encode(), Content_Type="video/mp4", Cache_Control="max-age=60")

    async def _blocking_playlist(self, send: Send) -> None:
        self.waiting += 1
        if self.waiting >= self.waiting_wanted:
            self.published.set()
        await asyncio.wait_for(self.published.wait(), 10)
        kind = "application/vnd.apple.mpegurl"
        await answer(send, 200, b"#EXTM3U\n" * 200, Content_Type=kind, Cache_Control="max-age=60")


class Server(Protocol):
    """What is run in a thread of its own."""

    async def serve(self) -> None: ...

    def stop(self) -> None:
        """Called on the server's loop."""


class UvicornServer:
    def __init__(self, application: StandInIngest, port: int) -> None:
        settings = uvicorn.Config(application, host=HOST, port=port, lifespan="off", log_level="error", ws="none")
        self._server = uvicorn.Server(settings)

    async def serve(self) -> None:
        await self._server.serve()

    def stop(self) -> None:
        self._server.should_exit = True


@contextlib.contextmanager
def running(make: Callable[[int], Server]) -> Iterator[str]:
    """Run a server on a loop of its own; yields host:port once it answers."""
    (port,) = free_ports(1)
    server, loop = make(port), asyncio.new_event_loop()
    thread = threading.Thread(target=lambda: loop.run_until_complete(server.serve()), daemon=True)
    thread.start()
    until(lambda: _answers(port), lambda: f"nothing listens on {port}", START_SECONDS)
    try:
        yield f"{HOST}:{port}"
    finally:
        loop.call_soon_threadsafe(server.stop)
        thread.join(timeout=10)
        assert not thread.is_alive(), "the upstream did not end"
        loop.close()


def on_granian(application: StandInApi) -> contextlib.AbstractContextManager[str]:
    def make(port: int) -> Server:
        return Granian(application, address=HOST, port=port, interface=Interfaces.ASGINL, log_enabled=False)

    return running(make)


def on_uvicorn(application: StandInIngest) -> contextlib.AbstractContextManager[str]:
    return running(lambda port: UvicornServer(application, port))


def _answers(port: int) -> bool:
    try:
        httpx.get(f"http://{HOST}:{port}/", timeout=2)
    except httpx.TransportError:
        return False
    return True
