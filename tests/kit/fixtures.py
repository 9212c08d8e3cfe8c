"""Fixtures every test may use; loaded by tests/conftest.py. Servers start at first use, once per test process."""

from collections.abc import Iterator

import pytest
import redis

from storage.embedded import postgres as embedded_postgres
from storage.embedded import s3 as embedded_s3
from storage.embedded import valkey as embedded_valkey
from tests.kit.servers import postgres_server, s3_server, valkey_server


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[embedded_postgres.Running]:
    """A PostgreSQL with the roles and the empty database `lectern`."""
    with postgres_server(tmp_path_factory.mktemp("postgres")) as running:
        yield running


@pytest.fixture(scope="session")
def valkey(tmp_path_factory: pytest.TempPathFactory) -> Iterator[embedded_valkey.Running]:
    with valkey_server(tmp_path_factory.mktemp("valkey")) as running:
        yield running


@pytest.fixture(scope="session")
def s3(tmp_path_factory: pytest.TempPathFactory) -> Iterator[embedded_s3.Running]:
    with s3_server(tmp_path_factory.mktemp("s3")) as running:
        yield running


@pytest.fixture
def valkey_connection(valkey: embedded_valkey.Running) -> Iterator["redis.Redis"]:
    """A connection to an emptied Valkey."""
    with redis.Redis.from_url(valkey.url) as connection:
        connection.flushall()
        yield connection
