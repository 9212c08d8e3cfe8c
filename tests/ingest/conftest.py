"""What tests of ingest stand on: settings with a spool of the test's own, the session's object store, and all stores
behind wires.
"""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from ingest.settings import IngestSettings
from storage.catalogue.transaction import Catalogue
from storage.embedded import s3 as embedded_s3
from storage.embedded import valkey as embedded_valkey
from storage.objects.store import ObjectStore
from tests.conftest import CatalogueUrls
from tests.ingest.wired import Stores, Wires


@pytest.fixture
def store(object_store: ObjectStore) -> ObjectStore:
    return object_store


@pytest.fixture
def settings(tmp_path: Path) -> IngestSettings:
    return IngestSettings(spool_folder=tmp_path / "spool", rtmp_port=0, http_port=0)


@pytest.fixture
def stores(
    settings: IngestSettings,
    catalogue: Catalogue,
    catalogue_urls: CatalogueUrls,
    s3: embedded_s3.Running,
    store: ObjectStore,
    valkey: embedded_valkey.Running,
) -> Stores:
    """For nodes with short reels and short waits before another try."""
    quick = replace(
        settings, reel_seconds=4.0, retry_first_seconds=0.1, retry_longest_seconds=0.4, dead_after_seconds=1.0
    )
    return Stores(quick, catalogue, catalogue_urls.app, s3, store, valkey)


@pytest.fixture
async def wired(stores: Stores) -> AsyncIterator[Wires]:
    """One node after another, each letting go of its spool as soon as it can."""
    async with stores.wires() as wires:
        wires.settings = replace(wires.settings, verified_keep_bytes=0)
        yield wires
