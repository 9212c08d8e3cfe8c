"""ffmpeg plays a class from its live edge: six seconds decoded without a word of complaint, no picture twice."""

import asyncio
from itertools import pairwise

import pytest

from ingest.settings import IngestSettings
from storage.catalogue.transaction import Catalogue
from storage.embedded import valkey as embedded_valkey
from storage.objects.store import ObjectStore
from tests.ingest.classroom import encoder, ingest, lesson
from tests.ingest.test_whole_path import has_segments
from tests.peers.by_ffmpeg import decoded

pytestmark = [pytest.mark.anyio]

SECONDS = 6
SEGMENTS_FIRST = 3


@pytest.fixture
def settings(tmp_path: object) -> IngestSettings:
    return IngestSettings(spool_folder=tmp_path / "spool", rtmp_port=0, http_port=0)  # type: ignore[operator]


async def test_from_the_live_edge(
    settings: IngestSettings, catalogue: Catalogue, object_store: ObjectStore, valkey: embedded_valkey.Running
) -> None:
    told = await lesson(catalogue)
    async with ingest(settings, catalogue, object_store, valkey.url) as service, encoder(service, told.key):
        assert service.http is not None
        url = f"http://127.0.0.1:{service.http.port}/live/{told.session_id}/{told.token()}/index.m3u8"
        async with asyncio.timeout(20):
            while not await has_segments(service, told.session_id, SEGMENTS_FIRST):  # noqa: ASYNC110 - ffmpeg's doing
                await asyncio.sleep(0.05)
        times, complaints = await decoded(url, SECONDS)
    assert complaints == ""
    assert len(times) >= SECONDS * 25 - 1
    assert {round(later - earlier, 2) for earlier, later in pairwise(times)} == {0.04}, "one by one, none missing"
