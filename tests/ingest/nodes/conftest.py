"""The stores that nodes share."""

import pytest

from ingest.settings import IngestSettings
from storage.catalogue.transaction import Catalogue
from storage.embedded import s3 as embedded_s3
from storage.embedded import valkey as embedded_valkey
from storage.objects.store import ObjectStore
from tests.conftest import CatalogueUrls
from tests.ingest.nodes.house import Stores, stores_of
from tests.ingest.whip.conftest import clip

__all__ = ["clip", "stores"]


@pytest.fixture
def stores(
    settings: IngestSettings,
    catalogue: Catalogue,
    catalogue_urls: CatalogueUrls,
    s3: embedded_s3.Running,
    store: ObjectStore,
    valkey: embedded_valkey.Running,
) -> Stores:
    return stores_of(settings, catalogue, catalogue_urls, s3, store, valkey)
