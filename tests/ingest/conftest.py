"""What tests of ingest stand on: settings with a spool of the test's own, and the session's object store."""

from pathlib import Path

import pytest

from ingest.settings import IngestSettings
from storage.objects.store import ObjectStore


@pytest.fixture
def store(object_store: ObjectStore) -> ObjectStore:
    return object_store


@pytest.fixture
def settings(tmp_path: Path) -> IngestSettings:
    return IngestSettings(spool_folder=tmp_path / "spool", rtmp_port=0, http_port=0)
