"""Fixtures of the catalogue's own tests."""

from collections.abc import Iterator

import psycopg
import pytest

from storage.catalogue.address import for_libpq
from tests.conftest import CatalogueUrls
from tests.storage.catalogue.trail import Owner


@pytest.fixture
def owner(catalogue_urls: CatalogueUrls) -> Iterator[Owner]:
    """Who can break what the application cannot: the database's owner."""
    with psycopg.connect(for_libpq(catalogue_urls.owner), autocommit=True) as connection:
        yield connection
