"""What goes on when parts of the house are away, and what a restart finds: real servers behind wires that are cut."""

import asyncio
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit
from uuid import UUID

import pytest
import redis.asyncio

from domain.states import RecordingState, TakeState
from ingest.service import IngestService
from ingest.settings import IngestSettings
from media.fragments import packets
from storage.catalogue import recordings, reels, takes
from storage.catalogue.reels import Placed
from storage.catalogue.transaction import Catalogue
from storage.embedded import s3 as embedded_s3
from storage.embedded import valkey as embedded_valkey
from storage.objects.store import ObjectStore
from tests.conftest import CatalogueUrls
from tests.ingest.classroom import Lesson, encoder, ingest, lesson, order
from tests.ingest.relay import Relay, relay
from tests.kit.fixtures import object_store_settings

pytestmark = pytest.mark.anyio


@dataclass
class Wired:
    """Settings and stores, each behind a wire of its own; `catalogue` is the test's own straight connection."""

    settings: IngestSettings
    catalogue: Catalogue
    catalogue_by_wire: Catalogue
    store: ObjectStore
    store_by_wire: ObjectStore
    valkey_url: str
    to_postgres: Relay
    to_s3: Relay

    @asynccontextmanager
    async def ingest(self) -> AsyncIterator[IngestService]:
        async with ingest(self.settings, self.catalogue_by_wire, self.store_by_wire, self.valkey_url) as service:
            yield service

    async def forget_hints(self) -> None:
        async with redis.asyncio.Redis.from_url(self.valkey_url) as connection:
            await connection.flushall()

    async def placed(self, told: Lesson) -> list[Placed]:
        async with self.catalogue.transaction() as tx:
            recording = await recordings.of_session(tx, told.session_id)
            return [] if recording is None else await reels.of_recording(tx, recording.id)

    async def is_stored(self, told: Lesson) -> bool:
        async with self.catalogue.transaction() as tx:
            recording = await recordings.of_session(tx, told.session_id)
            return recording is not None and recording.state == RecordingState.stored

    async def check_whole(self, told: Lesson) -> list[Placed]:
        """Every reel is in the store as its row says, and they follow each other without a segment missing."""
        placed = await self.placed(told)
        msns = [segment["msn"] for one in placed for segment in one.reel.segments]
        assert msns == list(range(len(msns)))
        for one in placed:
            media = self.store.read(one.reel.object_key)
            self.store.verify(one.reel.object_key, one.reel.sha256, one.reel.bytes)
            assert packets(self.store.read(one.init.object_key), media)
        return placed


@pytest.fixture
async def wired(
    settings: IngestSettings,
    catalogue: Catalogue,
    catalogue_urls: CatalogueUrls,
    store: ObjectStore,
    s3: embedded_s3.Running,
    valkey: embedded_valkey.Running,
) -> AsyncIterator[Wired]:
    url = urlsplit(catalogue_urls.app)
    assert url.hostname is not None
    assert url.port is not None
    s3_host, _, s3_port = s3.endpoint.partition(":")
    quick = replace(
        settings,
        reel_seconds=4.0,
        verified_keep_bytes=0,
        retry_first_seconds=0.1,
        retry_longest_seconds=0.4,
        dead_after_seconds=1.0,
    )
    async with relay(url.hostname, url.port) as to_postgres, relay(s3_host, int(s3_port)) as to_s3:
        account = url.netloc.rpartition("@")[0]
        by_wire = urlunsplit(url._replace(netloc=f"{account}@127.0.0.1:{to_postgres.port}"))
        catalogue_by_wire = Catalogue(by_wire, application_name="wired")
        store_settings = replace(object_store_settings(s3), s3_endpoint=f"127.0.0.1:{to_s3.port}")
        yield Wired(
            quick,
            catalogue,
            catalogue_by_wire,
            store,
            ObjectStore(store_settings),
            valkey.url,
            to_postgres,
            to_s3,
        )
        await catalogue_by_wire.close()


async def until(ready: Callable[[], Awaitable[bool]], seconds: float = 30) -> None:
    async with asyncio.timeout(seconds):
        while not await ready():  # noqa: ASYNC110 - what is waited for is in rows and other processes
            await asyncio.sleep(0.05)


async def segments(service: IngestService, session_id: UUID, count: int) -> None:
    """Waits until so many segments are closed."""

    async def there() -> bool:
        session = service.lives.find(session_id)
        return session is not None and session.window.closed_count >= count

    await until(there)


async def test_the_store_is_away_and_comes_back(wired: Wired) -> None:
    told = await lesson(wired.catalogue)
    async with wired.ingest() as service, encoder(service, told.key):
        await segments(service, told.session_id, 2)
        await wired.to_s3.cut()
        count = service.lives.sessions[told.session_id].window.closed_count
        await segments(service, told.session_id, count + 5)

        async def failing() -> bool:
            return service.lives.uploader.pending > 1 and "uploads fail" in "".join(service.troubles())

        await until(failing)
        stored_before = len(await wired.placed(told))
        await wired.to_s3.mend()
        await order(wired.catalogue, told.session_id, "end")
        await until(lambda: wired.is_stored(told))
        assert len(await wired.check_whole(told)) > stored_before
        assert service.troubles() == []
    assert list(wired.settings.spool_folder.iterdir()) == []


async def test_the_catalogue_is_away_and_comes_back(wired: Wired) -> None:
    told = await lesson(wired.catalogue)
    async with wired.ingest() as service, encoder(service, told.key):
        await segments(service, told.session_id, 2)
        await wired.to_postgres.cut()
        count = service.lives.sessions[told.session_id].window.closed_count
        await segments(service, told.session_id, count + 5)
        await order(wired.catalogue, told.session_id, "end")  # whose NOTIFY nobody hears
        await wired.to_postgres.mend()
        await until(lambda: wired.is_stored(told))
        await wired.check_whole(told)
    async with wired.catalogue.transaction() as tx:
        (take,) = await takes.of_session(tx, told.session_id)
    assert take.state == TakeState.ended


async def test_an_encoder_that_is_cut_off_comes_back_into_one_recording(wired: Wired) -> None:
    told = await lesson(wired.catalogue)
    async with wired.ingest() as service:
        async with encoder(service, told.key) as process:
            await segments(service, told.session_id, 2)
            process.kill()
            session = service.lives.sessions[told.session_id]

            async def lost() -> bool:
                return session.take is None

            await until(lost)
        count = session.window.closed_count
        async with encoder(service, told.key):
            await segments(service, told.session_id, count + 2)
            await order(wired.catalogue, told.session_id, "end")
            await until(lambda: wired.is_stored(told))
        placed = await wired.check_whole(told)
    assert sum(one.reel.discontinuity for one in placed) == 1
    assert {one.take_number for one in placed} == {1, 2}
    text = session.playlists["main"].text().decode()
    assert text.count("#EXT-X-DISCONTINUITY\n") == 1


@pytest.mark.long
async def test_a_process_that_died_is_followed_by_one_that_goes_on(wired: Wired, tmp_path: Path) -> None:
    """The spool as it was in the middle of a segment is all that the next process has, beside rows and store."""
    told = await lesson(wired.catalogue)
    snapshot = tmp_path / "snapshot"
    async with wired.ingest() as service, encoder(service, told.key):
        await segments(service, told.session_id, 2)
        await wired.to_s3.cut()
        await segments(service, told.session_id, 4)
        shutil.copytree(wired.settings.spool_folder, snapshot)
        shown = service.lives.sessions[told.session_id].window
        before = b"".join(part.muxed or b"" for part in shown.segments[3].parts)
        await wired.to_postgres.cut()
    await wired.to_s3.mend()
    await wired.to_postgres.mend()
    shutil.rmtree(wired.settings.spool_folder)
    shutil.copytree(snapshot, wired.settings.spool_folder)
    await wired.forget_hints()  # they know of segments that were shown after the snapshot
    async with wired.ingest() as service:
        await until(lambda: recovered(service))
        async with encoder(service, told.key):
            await segments(service, told.session_id, 7)
            session = service.lives.sessions[told.session_id]
            text = session.playlists["main"].text().decode()
            assert text.count("#EXT-X-DISCONTINUITY\n") == 1
            assert "seg-0.m4s" in text
            old = await service._reader.muxed(session.window.segments[3])
            assert old is not None
            assert old == before
            await order(wired.catalogue, told.session_id, "end")
            await until(lambda: wired.is_stored(told))
        placed = await wired.check_whole(told)
    assert {one.take_number for one in placed} == {1, 2}
    numbers = [one.reel.number for one in placed]
    assert len(set(numbers)) == len(numbers)
    async with wired.catalogue.transaction() as tx:
        first, second = await takes.of_session(tx, told.session_id)
    assert (first.state, second.state) == (TakeState.ended, TakeState.ended)


async def recovered(service: IngestService) -> bool:
    return service.publishing.ready.is_set()


async def test_a_session_that_ended_while_nobody_listened_is_completed_at_the_next_start(wired: Wired) -> None:
    told = await lesson(wired.catalogue)
    async with wired.ingest() as service, encoder(service, told.key):
        await segments(service, told.session_id, 2)
    await order(wired.catalogue, told.session_id, "end")
    assert not await wired.is_stored(told)
    async with wired.ingest():
        await until(lambda: wired.is_stored(told))
    await wired.check_whole(told)


async def test_a_cut_over_the_catalogue_reaches_the_media(wired: Wired) -> None:
    told = await lesson(wired.catalogue)
    async with wired.ingest() as service, encoder(service, told.key):
        await segments(service, told.session_id, 1)
        session = service.lives.sessions[told.session_id]
        await order(wired.catalogue, told.session_id, "cut", "a mistake")

        async def is_cut() -> bool:
            return session.gate.is_cut

        await until(is_cut, 2)
        count = len(session.window.segments)
        await asyncio.sleep(1.5)  # what would have come out in this time is the thing tested
        assert len(session.window.segments) == count
        await order(wired.catalogue, told.session_id, "resume")
        await segments(service, told.session_id, count + 2)
        await order(wired.catalogue, told.session_id, "end")
        await until(lambda: wired.is_stored(told))
        placed = await wired.check_whole(told)
    kept = list(wired.store.list_prefix(f"recordings/{placed[0].reel.recording_id}/evidence/"))
    assert {one.key.rpartition(".")[2] for one in kept} == {"mp4", "m4s"}, "what was cut, and the init to play it"
