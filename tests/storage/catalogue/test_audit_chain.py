"""What was altered is found, down to the row; what was rewritten as a whole is shown by what was kept elsewhere."""

import pytest
from sqlalchemy import func, select

from storage.catalogue import audit_sealer
from storage.catalogue.tables.audit_entry import AuditEntry
from storage.catalogue.transaction import Catalogue
from tests.storage.catalogue.builders import NOON
from tests.storage.catalogue.trail import Owner, enter, sealed, verified

pytestmark = pytest.mark.anyio


BREAKS = {
    "entry_altered": ("UPDATE audit_entry SET actor_name = 'somebody else' WHERE id = 5", 5),
    "entry_missing": ("DELETE FROM audit_entry WHERE id = 5", 5),
    "entry_added": ("UPDATE audit_entry SET id = 7 WHERE id = 9", 7),
    "seal_altered": ("UPDATE audit_seal SET digests = substr(digests, 41) WHERE id = 2", None),
    "seal_missing": ("DELETE FROM audit_seal WHERE id = 1", None),
}


@pytest.mark.parametrize("fault", BREAKS)
async def test_the_first_altered_row_is_told(catalogue: Catalogue, owner: Owner, fault: str) -> None:
    await enter(catalogue, 3)
    await sealed(catalogue)
    await enter(catalogue, 3)
    async with catalogue.transaction() as tx:
        await tx.session.execute(select(func.nextval("audit_entry_id")))  # 7: an id that no entry has
    await enter(catalogue, 2)
    await sealed(catalogue)
    assert (await verified(catalogue)).holds
    statement, entry_id = BREAKS[fault]
    if fault == "entry_added":
        await enter(catalogue, 1)  # 10, which is moved under the seal
        statement = statement.replace("9", "10")
    owner.execute(statement)
    report = await verified(catalogue)
    assert (report.broken_by, report.first_altered, report.seal_id) == (fault, entry_id, 2)
    assert not report.holds


async def test_every_column_of_an_entry_is_under_the_seal(catalogue: Catalogue, owner: Owner) -> None:
    await enter(catalogue, 2)
    await sealed(catalogue)
    other = {
        "at": "at + interval '1 microsecond'",
        "actor_kind": "'encoder'",
        "actor_id": "gen_random_uuid()",
        "details": "'{}'",
    }
    owner.execute("CREATE TEMPORARY TABLE kept AS SELECT * FROM audit_entry WHERE id = 2")
    for column in (column.key for column in AuditEntry.__table__.columns if column.key != "id"):
        value = other.get(column, "'other'")
        owner.execute(f"UPDATE audit_entry SET {column} = {value} WHERE id = 2")
        report = await verified(catalogue)
        assert (report.broken_by, report.first_altered) == ("entry_altered", 2), column
        owner.execute(f"UPDATE audit_entry SET {column} = kept.{column} FROM kept WHERE audit_entry.id = 2")
        assert (await verified(catalogue)).holds, column


async def test_a_chain_rewritten_from_its_beginning_is_shown_by_what_was_written_down_elsewhere(
    catalogue: Catalogue, owner: Owner
) -> None:
    await enter(catalogue, 3)
    await sealed(catalogue)
    async with catalogue.transaction() as tx:
        head = await audit_sealer.unanchored(tx)
        assert head is not None
        await audit_sealer.anchored(tx, head.id, "audit/1", NOON)
        assert await audit_sealer.unanchored(tx) is None
    anchors = {head.id: head.hash}
    owner.execute("UPDATE audit_entry SET actor_name = 'somebody else' WHERE id = 2")
    owner.execute("TRUNCATE audit_anchor, audit_seal RESTART IDENTITY")
    assert await sealed(catalogue) is not None
    assert (await verified(catalogue)).holds, "in itself it does"
    report = await verified(catalogue, anchors)
    assert (report.broken_by, report.seal_id) == ("anchor_differs", head.id)


async def test_a_chain_whose_end_was_cut_off_is_shown_by_what_was_written_down_elsewhere(
    catalogue: Catalogue, owner: Owner
) -> None:
    await enter(catalogue, 1)
    await sealed(catalogue)
    await enter(catalogue, 1)
    second = await sealed(catalogue)
    assert second is not None
    owner.execute("DELETE FROM audit_seal WHERE id = 2")
    owner.execute("DELETE FROM audit_entry WHERE id = 2")
    assert (await verified(catalogue)).holds
    report = await verified(catalogue, {second.id: second.hash})
    assert (report.broken_by, report.seal_id) == ("seal_missing", second.id)
