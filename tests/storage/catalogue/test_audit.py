"""The audit trail and its certificates: the application adds to them and reads them, and can take nothing back."""

from datetime import timedelta
from uuid import UUID

import psycopg
import pytest
from sqlalchemy import text
from sqlalchemy.exc import ProgrammingError

from storage.catalogue import audit, certificates
from storage.catalogue.transaction import Catalogue, Transaction
from storage.migrations.privileges import ADD_ONLY
from tests.storage.catalogue.builders import NOON, SYSTEM
from tests.storage.catalogue.trail import Owner, enter

pytestmark = pytest.mark.anyio


async def refused(catalogue: Catalogue, statement: str) -> None:
    async def fn(tx: Transaction) -> None:
        await tx.session.execute(text(statement))

    with pytest.raises(ProgrammingError) as caught:
        await catalogue.run(fn)
    assert isinstance(caught.value.orig, psycopg.errors.InsufficientPrivilege), statement


async def test_the_application_cannot_take_back_evidence(catalogue: Catalogue) -> None:
    assert {"audit_entry", "audit_seal", "certificate"} <= ADD_ONLY
    for table in ADD_ONLY:
        column = "seal_id" if table == "audit_anchor" else "id"
        await refused(catalogue, f"UPDATE {table} SET {column} = {column}")
        await refused(catalogue, f"DELETE FROM {table}")
        await refused(catalogue, f"TRUNCATE {table} CASCADE")
        await refused(catalogue, f"DROP TABLE {table} CASCADE")
        await refused(catalogue, f"ALTER TABLE {table} DISABLE TRIGGER ALL")
    await refused(catalogue, "ALTER TABLE audit_entry DISABLE TRIGGER audit_entry_stamp")
    await refused(catalogue, "CREATE OR REPLACE FUNCTION audit_entry_stamp() RETURNS trigger LANGUAGE plpgsql AS ''")
    await refused(catalogue, "SET ROLE lectern_owner")


async def test_the_trail_is_read_by_item_actor_action_and_time(catalogue: Catalogue) -> None:
    await enter(catalogue, 5)
    await enter(catalogue, 1, action="signed_out")
    async with catalogue.transaction() as tx:
        assert [row.id for row in await audit.entries(tx, limit=2)] == [6, 5]
        assert [row.id for row in await audit.entries(tx, before=5, limit=2)] == [4, 3]
        assert [row.id for row in await audit.entries(tx, audit.Wanted(action="signed_out"))] == [6]
        of_item = audit.Wanted(item_kind="account", item_id="0")
        assert [row.id for row in await audit.entries(tx, of_item)] == [6, 1]
        newest = (await audit.entries(tx, limit=1))[0]
        assert await audit.entries(tx, audit.Wanted(since=newest.at + timedelta(microseconds=1))) == []
        assert len(await audit.entries(tx, audit.Wanted(until=newest.at))) == 5
        assert newest.details == {"班级": "高一", "number": 0}


async def test_an_altered_or_missing_certificate_is_found(catalogue: Catalogue, owner: Owner) -> None:
    proof = certificates.Proof(objects=3, bytes=9, listing_sha256=b"l" * 32, verified_at=NOON)
    keys = [UUID(int=number) for number in range(3)]
    async with catalogue.transaction() as tx:
        for key in keys:
            await certificates.add(
                tx, SYSTEM, recording_id=key, session_id=key, title="课", reason="expired", proof=proof, now=NOON
            )
    async with catalogue.transaction() as tx:
        assert await certificates.altered(tx) == []
    owner.execute("UPDATE certificate SET objects = objects + 1 WHERE recording_id = %s", [keys[1]])
    owner.execute("DELETE FROM certificate WHERE recording_id = %s", [keys[2]])
    async with catalogue.transaction() as tx:
        assert await certificates.altered(tx) == keys[1:]
