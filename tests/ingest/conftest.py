"""What tests of ingest stand on: the store in the session's S3 server, and settings with a spool of the test's own."""

from pathlib import Path

import pytest

from ingest.settings import IngestSettings
from storage.embedded import s3 as embedded_s3
from storage.objects.store import ObjectStore
from storage.settings import StorageSettings


@pytest.fixture
def store(s3: embedded_s3.Running) -> ObjectStore:
    settings = StorageSettings(
        database_url="",
        database_owner_url="",
        valkey_url="",
        s3_endpoint=s3.endpoint,
        s3_access_key=s3.access_key,
        s3_secret_key=s3.secret_key,
    )
    made = ObjectStore(settings)
    made.ensure_bucket()
    return made


@pytest.fixture
def settings(tmp_path: Path) -> IngestSettings:
    return IngestSettings(
        spool_folder=tmp_path / "spool", playback_secret=b"p" * 32, control_secret=b"c" * 32, rtmp_port=0, http_port=0
    )
