"""Ingest nodes that share the stores, each behind wires of its own that can be cut, and viewers at each."""

import asyncio
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace

import httpx

from ingest.live_session import LiveSession
from ingest.service import IngestService
from storage.embedded.ports import free_ports
from tests.ingest.classroom import Lesson
from tests.ingest.relay import Relay
from tests.ingest.wired import Stores, segments, until


@dataclass
class Node:
    """One ingest process in this loop, and the wires to its stores."""

    service: IngestService
    to_postgres: Relay
    to_valkey: Relay
    to_s3: Relay
    viewer: httpx.AsyncClient

    @property
    def address(self) -> str:
        return self.service.settings.control_url

    def session(self, told: Lesson) -> LiveSession:
        return self.service.lives.sessions[told.session_id]

    def has(self, told: Lesson) -> bool:
        return told.session_id in self.service.lives.sessions

    async def get(self, told: Lesson, name: str, token: str | None = None, **options: object) -> httpx.Response:
        address = f"{self.address}/live/{told.session_id}/{token or told.token()}/{name}"
        return await self.viewer.get(address, **options)  # type: ignore[arg-type]

    async def shows(self, told: Lesson, count: int) -> None:
        """Waits until the session is here and so many of its segments are closed."""
        await segments(self.service, told, count)


@asynccontextmanager
async def node(stores: Stores, name: str, **changes: object) -> AsyncIterator[Node]:
    """Starts a node; one of the same name finds its spool again."""
    (port,) = free_ports(1)
    settings = replace(
        stores.settings,
        node=name,
        spool_folder=stores.settings.spool_folder / name,
        http_port=port,
        control_url=f"http://127.0.0.1:{port}",
        **changes,  # type: ignore[arg-type]
    )
    async with (
        stores.wires(name) as wires,
        wires.ingest(settings) as service,
        httpx.AsyncClient(timeout=20) as viewer,
    ):
        yield Node(service, wires.to_postgres, wires.to_valkey, wires.to_s3, viewer)


def segments_of(playlist: str) -> dict[int, tuple[float, bool]]:
    """By number: the duration of each segment, and whether it is a gap."""
    found, duration, gap = {}, 0.0, False
    for line in playlist.splitlines():
        if line.startswith("#EXTINF:"):
            duration = float(line[8:].rstrip(","))
        elif line == "#EXT-X-GAP":
            gap = True
        elif line.startswith("seg-"):
            found[int(line[4:].split(".")[0])], gap = (duration, gap), False
    return found


async def fall_silent(process: asyncio.subprocess.Process, node: Node, told: Lesson) -> None:
    """The encoder's line is gone, as far as its node knows: nothing comes, for longer than a live one may be silent."""
    process.send_signal(signal.SIGSTOP)

    async def silent() -> bool:
        take = node.session(told).take
        return take is None or take.silent_seconds() > node.service.settings.dead_after_seconds

    await until(silent)
