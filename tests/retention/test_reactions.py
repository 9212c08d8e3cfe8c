"""What marking starts: an ordered purge goes at once, an expired one waits out its trash time."""

import json
from collections.abc import Iterator
from dataclasses import replace

import anyio.to_thread
import pytest
import redis

from domain.facts import RecordingMarked
from retention.jobs import purge_recording
from retention.reactions import PURGE_JOB, recording_marked
from retention.settings import RetentionSettings
from storage import workshop
from storage.catalogue import holds, recordings, retention
from storage.catalogue.tables.recording import Recording
from storage.catalogue.transaction import Catalogue
from storage.catalogue.withdrawals import CHANNEL
from storage.echo import PREFIX
from storage.embedded import s3 as embedded_s3
from storage.embedded import valkey as embedded_valkey
from storage.objects import keys
from storage.objects.store import ObjectStore
from tests.conftest import CatalogueUrls
from tests.kit.fixtures import object_store_settings
from tests.retention.conftest import NOW, state_of

pytestmark = pytest.mark.anyio


async def mark(catalogue: Catalogue, recording: Recording, reason: str) -> None:
    async with catalogue.transaction() as tx:
        await retention.mark(tx, await recordings.lock(tx, recording.id), reason, NOW)


@pytest.mark.parametrize(("reason", "jobs"), [("expired", []), ("ordered: 误录", [PURGE_JOB])])
async def test_which_marking_orders_a_purge(
    recording: Recording, catalogue: Catalogue, reason: str, jobs: list[str]
) -> None:
    await mark(catalogue, recording, reason)
    async with catalogue.transaction() as tx:
        orders = await recording_marked(tx, RecordingMarked(recording_id=recording.id), NOW)
    assert [one.job for one in orders] == jobs
    assert all(one.arguments == (str(recording.id),) for one in orders)


@pytest.fixture
def worker(catalogue_urls: CatalogueUrls, s3: embedded_s3.Running, valkey: embedded_valkey.Running) -> Iterator[None]:
    """This process set up as a worker is; jobs are plain functions that a horse calls."""
    storage = replace(object_store_settings(s3), database_url=catalogue_urls.app, valkey_url=valkey.url)
    before = workshop._Installed.workshop
    workshop.install(workshop.Workshop(storage, lambda: NOW, {RetentionSettings: RetentionSettings()}))
    yield
    workshop._Installed.workshop = before


async def test_the_job_purges_and_may_run_twice(
    recording: Recording, catalogue: Catalogue, object_store: ObjectStore, worker: None
) -> None:
    await mark(catalogue, recording, "ordered: 误录")
    for _ in range(2):
        await anyio.to_thread.run_sync(purge_recording, str(recording.id))
    assert await state_of(catalogue, recording) == "purged"
    assert object_store.prefix_is_empty(keys.recording_prefix(recording.id))


async def test_a_hold_that_came_in_between_wins(recording: Recording, catalogue: Catalogue, worker: None) -> None:
    await mark(catalogue, recording, "ordered: 误录")
    async with catalogue.transaction() as tx:
        await holds.place(tx, recording.id, "等一下", None, NOW)
    await anyio.to_thread.run_sync(purge_recording, str(recording.id))
    assert await state_of(catalogue, recording) == "marked"


async def test_a_purge_is_said_on_both_ways(
    recording: Recording, catalogue: Catalogue, valkey_connection: redis.Redis, worker: None
) -> None:
    """A node that has lost the catalogue shows a class that is purged no more, all the same."""
    await mark(catalogue, recording, "ordered: 误录")
    with valkey_connection.pubsub() as line:  # type: ignore[no-untyped-call]
        line.subscribe(PREFIX + CHANNEL)
        assert line.get_message(timeout=1) is not None
        await anyio.to_thread.run_sync(purge_recording, str(recording.id))
        said = line.get_message(timeout=1)
    assert said is not None
    assert json.loads(said["data"])["session_id"] == str(recording.session_id)
