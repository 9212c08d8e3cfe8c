"""A WhipEndpoint in uvicorn on a free port, with the recorder of RTMP's tests as its handler.

Wait for what must happen by `await recorder.until(condition)`: it looks again after each call of a sink; no sleeps.
"""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import cast
from uuid import UUID, uuid4

import httpx
import uvicorn

from domain.refusals import Refusal, RefusalCode
from ingest.rtmp.publishing import PublishRequest
from ingest.whip.endpoint import WhipEndpoint
from ingest.whip.settings import WhipSettings
from ingest.wish import Wish
from tests.ingest.rtmp.recorder import Recorder, Take

KEY = "a-key-of-this-test"


class WhipRecorder(Recorder):
    """Admits KEY, and one take at a time into a session."""

    def __init__(self) -> None:
        super().__init__()
        self.wishes: list[Wish] = []

    async def admit_wish(self, wish: Wish) -> Take:
        if wish.key != KEY:
            raise Refusal(RefusalCode.unknown_key)
        active = [w for w, take in zip(self.wishes, self.takes, strict=True) if not take.ends]
        if any(other.session_id == wish.session_id for other in active):
            raise Refusal(RefusalCode.key_in_use, dead_after_seconds=3)
        take = await self.admit(cast(PublishRequest, wish))
        self.wishes.append(wish)
        return take


@dataclass(frozen=True)
class Whip:
    """A served endpoint: where it is, what it recorded, a client for it."""

    base: str
    session_id: UUID
    recorder: WhipRecorder
    endpoint: WhipEndpoint
    client: httpx.AsyncClient

    @property
    def url(self) -> str:
        return f"{self.base}/whip/{self.session_id}"

    async def post(self, offer: str | bytes, **headers: str) -> httpx.Response:
        defaults = {"content-type": "application/sdp", "authorization": f"Bearer {KEY}"}
        return await self.client.post(self.url, content=offer, headers=defaults | headers)


class _Quiet(uvicorn.Server):
    def install_signal_handlers(self) -> None:
        """The test's signals are pytest's."""


@asynccontextmanager
async def serving(**settings: object) -> AsyncIterator[Whip]:
    """Media at the loopback alone, unless `hosts` says otherwise."""
    recorder = WhipRecorder()
    defaults: dict[str, object] = {"hosts": ("127.0.0.1",)}
    endpoint = WhipEndpoint(WhipSettings(**(defaults | settings)), recorder)  # type: ignore[arg-type]
    listener = socket.create_server(("127.0.0.1", 0))
    server = _Quiet(uvicorn.Config(endpoint, lifespan="off", log_config=None, access_log=False, ws="none"))
    task = asyncio.create_task(server._serve([listener]))
    base = f"http://127.0.0.1:{listener.getsockname()[1]}"
    try:
        async with httpx.AsyncClient(timeout=20, trust_env=False) as client:
            yield Whip(base, uuid4(), recorder, endpoint, client)
    finally:
        await endpoint.stop()
        server.should_exit = True
        await asyncio.wait_for(task, 10)
