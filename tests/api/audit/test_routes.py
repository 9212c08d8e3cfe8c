"""The auditor's view: the trail by page and filter, and the proof that it is whole."""

from dataclasses import replace
from uuid import uuid4

import psycopg
import pytest

from api.resources import Resources
from domain.kinds import Role
from lectern.outbox_pump import OutboxPump
from lectern.scheduler import Scheduler
from lectern.settings import load
from storage.catalogue.address import for_libpq
from storage.catalogue.transaction import Actor, Catalogue
from storage.embedded import s3 as embedded_s3
from storage.objects.store import ObjectStore
from tests.api.conftest import Client, Clock, People
from tests.conftest import CatalogueUrls
from tests.kit.fixtures import object_store_settings

pytestmark = pytest.mark.anyio

STORES = {
    f"LECTERN_STORAGE_{name}": "unused"
    for name in ("DATABASE_URL", "DATABASE_OWNER_URL", "VALKEY_URL", "S3_ENDPOINT", "S3_ACCESS_KEY", "S3_SECRET_KEY")
}
"""Settings that are read; the stores themselves are handed over."""


@pytest.fixture
def object_store(s3: embedded_s3.Running) -> ObjectStore:
    """A bucket of this test alone: anchors have fixed names."""
    made = ObjectStore(replace(object_store_settings(s3), s3_bucket=f"audit-{uuid4().hex}"))
    made.ensure_bucket()
    return made


async def write(catalogue: Catalogue, count: int, item: str = "thing") -> None:
    async with catalogue.transaction() as tx:
        for number in range(count):
            await tx.audit(Actor.system("test"), "made", item, str(number), number=number)


async def seal(catalogue: Catalogue, objects: ObjectStore, clock: Clock) -> None:
    """As the scheduler does each second."""
    pump = OutboxPump(catalogue, (), lambda _order: True, clock)
    await Scheduler(catalogue, objects, load(STORES), pump, clock).seal()


async def test_the_newest_entries_come_first_and_each_parameter_narrows(
    client: Client, people: People, catalogue: Catalogue
) -> None:
    auditor = await people.with_role(Role.auditor)
    await client.sign_in(auditor.login)
    await write(catalogue, 5)
    await write(catalogue, 1, "other")
    first = (await client.get("/api/v1/audit-entries", params={"item_kind": "thing", "limit": 3})).json()
    rest = (
        await client.get("/api/v1/audit-entries", params={"item_kind": "thing", "cursor": first["next_cursor"]})
    ).json()
    assert [one["item_id"] for one in (*first["items"], *rest["items"])] == ["4", "3", "2", "1", "0"]
    assert rest["next_cursor"] is None
    assert first["items"][0]["details"] == {"number": 4}
    own = (await client.get("/api/v1/audit-entries", params={"actor_id": str(auditor.id)})).json()["items"]
    assert [(one["action"], one["actor_name"], one["address"]) for one in own] == [("sign_in", "auditor", "127.0.0.1")]
    named = {"item_kind": "thing", "item_id": "2", "action": "made"}
    assert len((await client.get("/api/v1/audit-entries", params=named)).json()["items"]) == 1
    future = {"from": "2999-01-01T00:00:00Z"}
    assert (await client.get("/api/v1/audit-entries", params=future)).json()["items"] == []


@pytest.mark.parametrize("query", ["cursor=x", "cursor=-1", "cursor=99999999999999999999", "from=2026-01-01T00:00:00"])
async def test_queries_that_make_no_sense_are_problems(client: Client, people: People, query: str) -> None:
    await client.sign_in((await people.with_role(Role.auditor)).login)
    answer = await client.get(f"/api/v1/audit-entries?{query}")
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_input")


async def test_a_whole_chain_holds_up_to_its_anchor(
    client: Client, people: People, catalogue: Catalogue, object_store: ObjectStore, clock: Clock
) -> None:
    await client.sign_in((await people.with_role(Role.auditor)).login)
    empty = (await client.get("/api/v1/audit-chain")).json()
    assert (empty["holds"], empty["seals"], empty["unsealed"]) == (True, 0, 1)
    await write(catalogue, 3)
    await seal(catalogue, object_store, clock)
    await write(catalogue, 2)
    report = (await client.get("/api/v1/audit-chain")).json()
    assert (report["holds"], report["broken_by"]) == (True, None)
    assert (report["seals"], report["entries"], report["unsealed"], report["anchors"]) == (1, 4, 2, 1)


async def test_an_altered_entry_is_named(
    client: Client, people: People, catalogue: Catalogue, object_store: ObjectStore, clock: Clock,
    catalogue_urls: CatalogueUrls,
) -> None:  # fmt: skip
    await client.sign_in((await people.with_role(Role.auditor)).login)
    await write(catalogue, 3)
    await seal(catalogue, object_store, clock)
    with psycopg.connect(for_libpq(catalogue_urls.owner), autocommit=True) as connection:
        connection.execute("UPDATE audit_entry SET actor_name = 'nobody' WHERE item_kind = 'thing' AND item_id = '1'")
    report = (await client.get("/api/v1/audit-chain")).json()
    assert (report["holds"], report["broken_by"], report["seal_id"]) == (False, "entry_altered", 1)
    entry = (await client.get("/api/v1/audit-entries", params={"item_kind": "thing", "item_id": "1"})).json()
    assert report["first_altered"] == entry["items"][0]["id"]


async def test_a_chain_that_was_cut_short_is_shown_by_its_anchor(
    client: Client, people: People, catalogue: Catalogue, object_store: ObjectStore, clock: Clock,
    catalogue_urls: CatalogueUrls,
) -> None:  # fmt: skip
    await client.sign_in((await people.with_role(Role.auditor)).login)
    await write(catalogue, 1)
    await seal(catalogue, object_store, clock)
    await write(catalogue, 1)
    await seal(catalogue, object_store, clock)
    with psycopg.connect(for_libpq(catalogue_urls.owner), autocommit=True) as connection:
        connection.execute("DELETE FROM audit_anchor WHERE seal_id = 2")
        connection.execute("DELETE FROM audit_seal WHERE id = 2")
    report = (await client.get("/api/v1/audit-chain")).json()
    assert (report["holds"], report["broken_by"], report["seal_id"]) == (False, "seal_missing", 2)


async def test_only_the_auditor_reads_the_trail(client: Client, people: People, resources: Resources) -> None:
    await client.sign_in((await people.with_role(Role.system_administrator)).login)
    for path in ("audit-entries", "audit-chain"):
        assert (await client.get(f"/api/v1/{path}")).json()["code"] == "not_permitted"
