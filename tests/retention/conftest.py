"""How to test retention: `sweep` runs at the instant the test names; its own clock is `clock`."""

import pytest

from retention.settings import RetentionSettings
from retention.sweep import Sweep
from storage.catalogue import courses, recordings
from storage.catalogue.tables.recording import Recording
from storage.catalogue.transaction import Catalogue
from storage.objects import keys
from storage.objects.store import ObjectStore
from tests.storage.catalogue import builders

NOW = builders.NOON


@pytest.fixture
def sweep(catalogue: Catalogue, object_store: ObjectStore) -> Sweep:
    return Sweep(catalogue, object_store, RetentionSettings(), lambda: NOW)


@pytest.fixture
async def recording(catalogue: Catalogue, object_store: ObjectStore) -> Recording:
    """A stored recording whose session ended at NOW, with three objects of its own."""
    async with catalogue.transaction() as tx:
        made = await builders.stored_recording(tx, await builders.place(tx), NOW)
    for at_ms in (0, 10_000, 20_000):
        object_store.put_bytes(keys.still(made.id, at_ms), b"picture" * 100)
    return made


async def state_of(catalogue: Catalogue, recording: Recording) -> str:
    async with catalogue.transaction() as tx:
        return (await recordings.get(tx, recording.id)).state


async def promote(catalogue: Catalogue, recording: Recording) -> None:
    assert recording.instructor_id is not None
    async with catalogue.transaction() as tx:
        await courses.promote(
            tx, recording.id, title="精品", summary="", audience="scoped",  # type: ignore[arg-type]
            provider_id=recording.instructor_id, now=NOW,
        )  # fmt: skip
