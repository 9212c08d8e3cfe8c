"""Fixtures every test may use; loaded by tests/conftest.py. Servers start at first use, once per test process."""

from collections.abc import Iterator

import pytest
import redis

from storage.embedded import postgres as embedded_postgres
from storage.embedded import s3 as embedded_s3
from storage.embedded import valkey as embedded_valkey
from storage.objects.store import ObjectStore
from storage.settings import StorageSettings
from tests.kit.servers import postgres_server, s3_server, server_folder, valkey_server


@pytest.fixture(scope="session")
def postgres() -> Iterator[embedded_postgres.Running]:
    """A PostgreSQL with the roles and the empty database `lectern`."""
    with server_folder() as folder, postgres_server(folder) as running:
        yield running


@pytest.fixture(scope="session")
def valkey() -> Iterator[embedded_valkey.Running]:
    with server_folder() as folder, valkey_server(folder) as running:
        yield running


@pytest.fixture(scope="session")
def s3() -> Iterator[embedded_s3.Running]:
    with server_folder() as folder, s3_server(folder) as running:
        yield running


@pytest.fixture
def valkey_connection(valkey: embedded_valkey.Running) -> Iterator["redis.Redis"]:
    """A connection to an emptied Valkey."""
    with redis.Redis.from_url(valkey.url) as connection:
        connection.flushall()
        yield connection


def object_store_settings(s3: embedded_s3.Running) -> StorageSettings:
    """Settings that reach the objects and nothing else."""
    return StorageSettings(
        database_url="",
        database_owner_url="",
        valkey_url="",
        s3_endpoint=s3.endpoint,
        s3_access_key=s3.access_key,
        s3_secret_key=s3.secret_key,
        s3_bucket=s3.bucket,
        s3_region=s3.region,
        s3_secure=s3.secure,
    )


@pytest.fixture(scope="session")
def object_store(s3: embedded_s3.Running) -> ObjectStore:
    """The test server's bucket; tests keep apart by prefixes of their own."""
    return ObjectStore(object_store_settings(s3))
