"""Ingest processes in the test's loop, each behind wires of its own to the stores; and rows and objects as they stand,
looked at over straight connections.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from urllib.parse import urlsplit, urlunsplit

import redis.asyncio

from domain.states import RecordingState
from ingest.service import IngestService
from ingest.settings import IngestSettings
from media.fragments import packets
from storage.catalogue import recordings, reels
from storage.catalogue.reels import Placed
from storage.catalogue.transaction import Catalogue
from storage.embedded import s3 as embedded_s3
from storage.embedded import valkey as embedded_valkey
from storage.objects.store import ObjectStore
from tests.ingest.classroom import Lesson, ingest, now
from tests.ingest.faulty_store import FaultyStore
from tests.ingest.relay import Relay, opened
from tests.kit.fixtures import object_store_settings


@dataclass
class Wires:
    """What processes are started with, and the wires that can be cut; `stores` is what is at their ends."""

    stores: "Stores"
    settings: IngestSettings
    to_postgres: Relay
    to_valkey: Relay
    to_s3: FaultyStore
    catalogue: Catalogue
    store: ObjectStore
    valkey_url: str

    @asynccontextmanager
    async def ingest(
        self, settings: IngestSettings | None = None, wall: Callable[[], datetime] = now
    ) -> AsyncIterator[IngestService]:
        """A process; one after another goes on in the same spool."""
        async with ingest(settings or self.settings, self.catalogue, self.store, self.valkey_url, wall=wall) as service:
            yield service

    async def forget_hints(self) -> None:
        """What nodes told Valkey of themselves."""
        async with redis.asyncio.Redis.from_url(self.stores.valkey.url) as connection:
            await connection.flushall()


@dataclass
class Stores:
    """The test's own straight connections, and what nodes are started with."""

    settings: IngestSettings
    catalogue: Catalogue
    catalogue_url: str
    s3: embedded_s3.Running
    store: ObjectStore
    valkey: embedded_valkey.Running

    @asynccontextmanager
    async def wires(self, name: str = "wired") -> AsyncIterator[Wires]:
        """All three, whole at first."""
        async with AsyncExitStack() as stack:
            to_postgres, postgres_url = await _wire(stack, self.catalogue_url)
            to_valkey, valkey_url = await _wire(stack, self.valkey.url)
            host, _, port = self.s3.endpoint.partition(":")
            to_s3 = await stack.enter_async_context(opened(FaultyStore(host, int(port))))
            catalogue = Catalogue(postgres_url, application_name=name)
            stack.push_async_callback(catalogue.close)
            by_wire = replace(object_store_settings(self.s3), s3_endpoint=f"127.0.0.1:{to_s3.port}")
            store = ObjectStore(by_wire)
            yield Wires(self, self.settings, to_postgres, to_valkey, to_s3, catalogue, store, valkey_url)

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
            assert packets(self.store.read(one.init.object_key), self.store.read(one.reel.object_key))
        return [segment["msn"] for one in placed for segment in one.reel.segments]

    async def check_whole(self, told: Lesson) -> list[Placed]:
        """Its segments follow each other without one missing."""
        msns = await self.msns(told)
        assert msns == list(range(len(msns)))
        return await self.placed(told)


async def until(ready: Callable[[], Awaitable[bool]], seconds: float = 30) -> None:
    async with asyncio.timeout(seconds):
        while not await ready():  # noqa: ASYNC110 - what is waited for is in rows and other processes
            await asyncio.sleep(0.05)


async def segments(service: IngestService, told: Lesson, count: int, seconds: float = 30) -> None:
    """Waits until the session is here and so many of its segments are closed."""

    async def there() -> bool:
        session = service.lives.find(told.session_id)
        return session is not None and session.window.closed_count >= count

    await until(there, seconds)


async def _wire(stack: AsyncExitStack, url: str) -> tuple[Relay, str]:
    parts = urlsplit(url)
    assert parts.hostname is not None
    assert parts.port is not None
    wire = await stack.enter_async_context(opened(Relay(parts.hostname, parts.port)))
    account = f"{parts.netloc.rpartition('@')[0]}@" if "@" in parts.netloc else ""
    return wire, urlunsplit(parts._replace(netloc=f"{account}127.0.0.1:{wire.port}"))
