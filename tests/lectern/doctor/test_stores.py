"""What the doctor finds on real stores, healthy and spoilt."""

import dataclasses
import time
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import psycopg
import pytest
import redis
from psycopg import sql

from lectern.doctor import catalogue, clock, objects, valkey
from lectern.doctor.finding import Verdict
from lectern.settings import Settings
from storage.catalogue.address import for_libpq
from storage.embedded import postgres as embedded_postgres
from storage.embedded import valkey as embedded_valkey
from storage.migrations.privileges import ADD_ONLY
from storage.objects.store import ObjectStore
from tests.conftest import CatalogueUrls, drop_database, make_database
from tests.lectern.doctor.conftest import given


def changed(settings: Settings, **storage: Any) -> Settings:
    return dataclasses.replace(settings, storage=dataclasses.replace(settings.storage, **storage))


def as_owner(urls: CatalogueUrls, statement: str) -> None:
    with psycopg.connect(for_libpq(urls.owner), autocommit=True) as connection:
        connection.execute(sql.SQL(statement))


# The catalogue


def test_a_migrated_catalogue_is_well(stores: Settings) -> None:
    for check in (catalogue.reachable, catalogue.revision, catalogue.evidence, clock.agrees):
        finding = check(stores)
        assert finding.verdict == Verdict.good, finding


def test_without_an_address_the_embedded_servers_are_meant() -> None:
    nothing = given()
    checks = (catalogue.reachable, catalogue.revision, catalogue.evidence, clock.agrees, valkey.queue)
    assert {check(nothing).verdict for check in (*checks, objects.round_trip)} == {Verdict.doubtful}


def test_one_store_without_an_address_beside_others_is_a_mistake(stores: Settings) -> None:
    for field, check in (
        ("database_url", catalogue.reachable),
        ("valkey_url", valkey.queue),
        ("s3_secret_key", objects.round_trip),
    ):
        finding = check(changed(stores, **{field: ""}))
        assert finding.verdict == Verdict.bad
        assert f"LECTERN_STORAGE_{field.upper()}" in finding.found


def test_no_server_there(stores: Settings, dead_port: int) -> None:
    away = changed(stores, database_url=f"postgresql://lectern_app:x@127.0.0.1:{dead_port}/lectern")
    finding = catalogue.reachable(away)
    assert (finding.verdict, "refused" in finding.found) == (Verdict.bad, True)
    # The others leave it to that line.
    assert {check(away).verdict for check in (catalogue.revision, catalogue.evidence, clock.agrees)} == {
        Verdict.doubtful
    }


def test_a_wrong_password_is_not_shown(stores: Settings) -> None:
    wrong = stores.storage.database_url.replace(":", ":hunter2", 2).replace("hunter2//", "//", 1)
    finding = catalogue.reachable(changed(stores, database_url=wrong))
    assert (finding.verdict, "password" in finding.found) == (Verdict.bad, True)
    assert "hunter2" not in finding.found + finding.remedy


@pytest.fixture
def empty(postgres: embedded_postgres.Running) -> Iterator[CatalogueUrls]:
    name = f"empty_{uuid4().hex}"
    yield make_database(postgres, name)
    drop_database(postgres, name)


def test_an_empty_database_asks_for_migrate(stores: Settings, empty: CatalogueUrls) -> None:
    there = changed(stores, database_url=empty.app)
    assert catalogue.reachable(there).verdict == Verdict.good
    for check in (catalogue.revision, catalogue.evidence):
        finding = check(there)
        assert (finding.verdict, "lectern migrate" in finding.remedy) == (Verdict.bad, True)


def test_another_revision(stores: Settings, catalogue_urls: CatalogueUrls) -> None:
    as_owner(catalogue_urls, "UPDATE alembic_version SET version_num = '0000'")
    finding = catalogue.revision(stores)
    assert (finding.verdict, "at revision 0000" in finding.found) == (Verdict.bad, True)


@pytest.mark.parametrize("table", sorted(ADD_ONLY))
@pytest.mark.parametrize("privilege", ["UPDATE", "DELETE", "TRUNCATE"])
def test_a_right_to_rewrite_evidence(
    stores: Settings, catalogue_urls: CatalogueUrls, table: str, privilege: str
) -> None:
    as_owner(catalogue_urls, f"GRANT {privilege} ON {table} TO lectern_app")
    finding = catalogue.evidence(stores)
    assert (finding.verdict, f"{privilege} {table}" in finding.found) == (Verdict.bad, True)


def test_the_owner_is_not_whom_the_application_may_be(stores: Settings, catalogue_urls: CatalogueUrls) -> None:
    finding = catalogue.evidence(changed(stores, database_url=catalogue_urls.owner))
    assert (finding.verdict, "lectern_owner may" in finding.found) == (Verdict.bad, True)


@pytest.mark.parametrize(("off_seconds", "word"), [(90.0, "ahead of"), (-90.0, "behind")])
def test_a_clock_that_is_off(stores: Settings, off_seconds: float, word: str) -> None:
    finding = clock.agrees(stores, lambda: time.time() + off_seconds)
    assert (finding.verdict, word in finding.found) == (Verdict.doubtful, True)


# Valkey


@pytest.fixture
def told(valkey: embedded_valkey.Running) -> Iterator["redis.Redis"]:
    """The queue's server, to be told otherwise; as it was afterwards."""
    with redis.Redis.from_url(valkey.url) as connection:
        before = {name: connection.config_get(name)[name] for name in ("appendonly", "maxmemory-policy")}
        yield connection
        for name, value in before.items():
            connection.config_set(name, value)


def test_a_queue_that_keeps_what_it_is_told(stores: Settings) -> None:
    assert valkey.queue(stores).verdict == Verdict.good


def test_a_queue_that_forgets_at_a_restart(stores: Settings, told: "redis.Redis") -> None:
    told.config_set("appendonly", "no")
    finding = valkey.queue(stores)
    assert (finding.verdict, "appendonly is off" in finding.found) == (Verdict.bad, True)


def test_a_queue_that_throws_away(stores: Settings, told: "redis.Redis") -> None:
    told.config_set("maxmemory-policy", "allkeys-lru")
    finding = valkey.queue(stores)
    assert (finding.verdict, "allkeys-lru" in finding.found) == (Verdict.bad, True)


def test_no_queue_there(stores: Settings, dead_port: int) -> None:
    finding = valkey.queue(changed(stores, valkey_url=f"redis://127.0.0.1:{dead_port}"))
    assert (finding.verdict, "refused" in finding.found) == (Verdict.bad, True)


# The object store


def test_an_object_goes_round_and_nothing_is_left(stores: Settings, object_store: ObjectStore) -> None:
    assert objects.round_trip(stores).verdict == Verdict.good
    assert list(object_store.list_prefix("probes/")) == []


def test_a_key_that_opens_nothing(stores: Settings) -> None:
    finding = objects.round_trip(changed(stores, s3_secret_key="wrong"))
    assert (finding.verdict, "access key" in finding.remedy) == (Verdict.bad, True), finding


def test_a_bucket_that_is_not_there(stores: Settings) -> None:
    finding = objects.round_trip(changed(stores, s3_bucket="elsewhere"))
    assert (finding.verdict, "migrate" in finding.remedy) == (Verdict.bad, True), finding


def test_no_store_there(stores: Settings, dead_port: int) -> None:
    finding = objects.round_trip(changed(stores, s3_endpoint=f"127.0.0.1:{dead_port}"))
    assert (finding.verdict, "S3_ENDPOINT" in finding.remedy) == (Verdict.bad, True), finding
