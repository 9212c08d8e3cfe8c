"""Ingest nodes that share the stores, each behind wires of its own that can be cut, and viewers at each."""

import asyncio
import signal
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import httpx

from domain.states import RecordingState
from ingest.live_session import LiveSession
from ingest.service import IngestService
from ingest.settings import IngestSettings
from storage.catalogue import recordings, reels
from storage.catalogue.reels import Placed
from storage.catalogue.transaction import Catalogue
from storage.embedded import s3 as embedded_s3
from storage.embedded import valkey as embedded_valkey
from storage.embedded.ports import free_ports
from storage.objects.store import ObjectStore
from tests.conftest import CatalogueUrls
from tests.ingest.classroom import Lesson, ingest
from tests.ingest.relay import Relay, relay
from tests.kit.fixtures import object_store_settings


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

        async def there() -> bool:
            return self.has(told) and self.session(told).window.closed_count >= count

        await until(there)


@dataclass
class Stores:
    """The test's own straight connections, and what nodes are started with."""

    settings: IngestSettings
    catalogue: Catalogue
    catalogue_url: str
    s3: embedded_s3.Running
    store: ObjectStore
    valkey: embedded_valkey.Running
    nodes: list[Node] = field(default_factory=list)

    @asynccontextmanager
    async def node(self, name: str, **changes: object) -> AsyncIterator[Node]:
        """Starts a node; one of the same name finds its spool again."""
        (port,) = free_ports(1)
        settings = replace(
            self.settings,
            node=name,
            spool_folder=self.settings.spool_folder / name,
            http_port=port,
            control_url=f"http://127.0.0.1:{port}",
            **changes,  # type: ignore[arg-type]
        )
        async with AsyncExitStack() as stack:
            postgres, to_postgres = await self._wire(stack, self.catalogue_url)
            valkey, to_valkey = await self._wire(stack, self.valkey.url)
            _, to_s3 = await self._wire(stack, f"http://{self.s3.endpoint}")
            catalogue = Catalogue(postgres, application_name=name)
            stack.push_async_callback(catalogue.close)
            by_wire = replace(object_store_settings(self.s3), s3_endpoint=f"127.0.0.1:{to_s3.port}")
            service = await stack.enter_async_context(ingest(settings, catalogue, ObjectStore(by_wire), valkey))
            viewer = await stack.enter_async_context(httpx.AsyncClient(timeout=20))
            yield Node(service, to_postgres, to_valkey, to_s3, viewer)

    async def _wire(self, stack: AsyncExitStack, url: str) -> tuple[str, Relay]:
        parts = urlsplit(url)
        assert parts.hostname is not None
        assert parts.port is not None
        wire = await stack.enter_async_context(relay(parts.hostname, parts.port))
        account = f"{parts.netloc.rpartition('@')[0]}@" if "@" in parts.netloc else ""
        return urlunsplit(parts._replace(netloc=f"{account}127.0.0.1:{wire.port}")), wire

    async def placed(self, told: Lesson) -> list[Placed]:
        async with self.catalogue.transaction() as tx:
            recording = await recordings.of_session(tx, told.session_id)
            return [] if recording is None else await reels.of_recording(tx, recording.id)

    async def is_stored(self, told: Lesson) -> bool:
        async with self.catalogue.transaction() as tx:
            recording = await recordings.of_session(tx, told.session_id)
            return recording is not None and recording.state == RecordingState.stored

    async def msns(self, told: Lesson) -> list[int]:
        """The numbers of the recording's segments in the order of play; every reel is as its row says."""
        placed = await self.placed(told)
        for one in placed:
            self.store.verify(one.reel.object_key, one.reel.sha256, one.reel.bytes)
        return [segment["msn"] for one in placed for segment in one.reel.segments]


def stores_of(
    settings: IngestSettings,
    catalogue: Catalogue,
    urls: CatalogueUrls,
    s3: embedded_s3.Running,
    store: ObjectStore,
    valkey: embedded_valkey.Running,
) -> Stores:
    """Short reels, short waits."""
    quick = replace(
        settings,
        reel_seconds=4.0,
        retry_first_seconds=0.1,
        retry_longest_seconds=0.4,
        dead_after_seconds=1.0,
        spool_folder=Path(settings.spool_folder),
    )
    return Stores(quick, catalogue, urls.app, s3, store, valkey)


async def until(ready: Callable[[], Awaitable[bool]], seconds: float = 30) -> None:
    async with asyncio.timeout(seconds):
        while not await ready():  # noqa: ASYNC110 - what is waited for is in rows and other processes
            await asyncio.sleep(0.05)


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
