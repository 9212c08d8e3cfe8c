"""What a whole ingest process says of itself while an encoder publishes, and that it is gone when it stops."""

import asyncio
from dataclasses import replace

import pytest

from ingest.settings import IngestSettings
from storage import node_state
from storage.catalogue.transaction import Catalogue
from storage.embedded import valkey as embedded_valkey
from storage.live_state import connect_live
from storage.node_state import NodeState
from storage.objects.store import ObjectStore
from tests.ingest.classroom import ingest

pytestmark = pytest.mark.anyio


async def test_a_process_says_what_it_has_room_for_until_it_stops(
    settings: IngestSettings, catalogue: Catalogue, store: ObjectStore, valkey: embedded_valkey.Running
) -> None:
    pages = connect_live(valkey.url)
    settings = replace(settings, max_publishers=7, max_department_publishers=3)
    async with ingest(settings, catalogue, store, valkey.url) as service, asyncio.timeout(5):
        while not (heard := await node_state.heard(pages)):  # noqa: ASYNC110 - it tells once it runs, and nobody waits
            await asyncio.sleep(0.02)
        (one,) = heard
        said = one.state
        assert said == NodeState(
            node=settings.node, at=said.at, max_publishers=7, max_department_publishers=3,
            disk_free_bytes=service.lives.disk.free_bytes, disk_bytes=said.disk_bytes,
        )  # fmt: skip
        assert 0 < said.disk_free_bytes <= said.disk_bytes
    assert await node_state.heard(pages) == []
    await pages.aclose()
