"""Fixtures of all tests. Servers come from `tests/kit/fixtures.py`; databases are made here.

How to test with the catalogue: ask for `catalogue`. It is a database of this test alone, cloned from a template that
was migrated once (about 50 ms), and gone afterwards. `catalogue_urls` has its two addresses; use the owner's only to
look at what the application may not, and to break what must be noticed.
"""

import asyncio
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from uuid import uuid4

import psycopg
import pytest
from hypothesis import HealthCheck, settings
from psycopg import sql

from storage.catalogue.address import for_libpq
from storage.catalogue.transaction import Catalogue
from storage.embedded import postgres as embedded_postgres
from storage.migrations.run import migrate

pytest_plugins = ["tests.kit.fixtures"]

# Cores are shared: how long one example took says how busy the machine is, and must not decide whether its test passes.
settings.register_profile("shared cores", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("shared cores")

OWNER = embedded_postgres.OWNER
APPLICATION = embedded_postgres.APPLICATION


@dataclass(frozen=True)
class CatalogueUrls:
    """One database's addresses, by role."""

    app: str
    owner: str


@pytest.fixture
def anyio_backend() -> str:
    """Async tests (`@pytest.mark.anyio`) run on asyncio, as the house does."""
    return "asyncio"


def make_database(server: embedded_postgres.Running, name: str, template: str = "template1") -> CatalogueUrls:
    """Makes a database owned by the migrating role; FILE_COPY costs no WAL, which tests do not need."""
    command = sql.SQL("CREATE DATABASE {} OWNER {} TEMPLATE {} STRATEGY FILE_COPY").format(
        sql.Identifier(name), sql.Identifier(OWNER), sql.Identifier(template)
    )
    with psycopg.connect(for_libpq(server.superuser_url), autocommit=True) as connection:
        connection.execute(command)
    return CatalogueUrls(app=server.address(APPLICATION, name), owner=server.address(OWNER, name))


def drop_database(server: embedded_postgres.Running, name: str) -> None:
    """Drops it under whoever is still connected."""
    with psycopg.connect(for_libpq(server.superuser_url), autocommit=True) as connection:
        connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))


@pytest.fixture(scope="session")
def database_template(postgres: embedded_postgres.Running) -> str:
    """The name of a migrated, empty database that nobody connects to: what tests are cloned from."""
    name = f"template_{uuid4().hex}"
    urls = make_database(postgres, name)
    asyncio.run(migrate(urls.owner))
    return name


@pytest.fixture
def catalogue_urls(postgres: embedded_postgres.Running, database_template: str) -> Iterator[CatalogueUrls]:
    """A database of this test alone."""
    name = f"test_{uuid4().hex}"
    yield make_database(postgres, name, database_template)
    drop_database(postgres, name)


@pytest.fixture
async def catalogue(catalogue_urls: CatalogueUrls, anyio_backend: str) -> AsyncIterator[Catalogue]:
    """The catalogue as the application's role sees it."""
    made = Catalogue(catalogue_urls.app, application_name="test")
    yield made
    await made.close()
