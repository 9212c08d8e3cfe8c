"""Settings as a doctor reads them, made from variables like anybody's."""

import socket
from collections.abc import Iterator
from contextlib import closing

import pytest

from lectern.settings import Settings, load
from storage.embedded import s3 as embedded_s3
from storage.embedded import valkey as embedded_valkey
from tests.conftest import CatalogueUrls


@pytest.fixture
def stores(catalogue_urls: CatalogueUrls, valkey: embedded_valkey.Running, s3: embedded_s3.Running) -> Settings:
    """A machine whose stores are all well."""
    return given(
        STORAGE_DATABASE_URL=catalogue_urls.app,
        STORAGE_VALKEY_URL=valkey.url,
        STORAGE_S3_ENDPOINT=s3.endpoint,
        STORAGE_S3_ACCESS_KEY=s3.access_key,
        STORAGE_S3_SECRET_KEY=s3.secret_key,
        STORAGE_S3_BUCKET=s3.bucket,
        STORAGE_S3_REGION=s3.region,
    )


def given(**variables: str) -> Settings:
    """Settings from these LECTERN_ variables and nothing else."""
    # Not the folder that a demo of this checkout runs on.
    told = {"DATA_FOLDER": "no-house-here", **variables}
    return load({f"LECTERN_{name}": value for name, value in told.items()})


@pytest.fixture
def silent_port() -> Iterator[int]:
    """A server that takes connections and never says a word."""
    with closing(socket.create_server(("127.0.0.1", 0), backlog=64)) as server:
        yield server.getsockname()[1]
