"""The audit trail: the application can only add to it, the sealer misses nothing, and what was altered is found."""

from collections.abc import Iterator
from datetime import timedelta
from uuid import UUID

import psycopg
import pytest
from sqlalchemy import func, select, text, update
from sqlalchemy.exc import ProgrammingError

from storage.catalogue import audit, audit_sealer, certificates
from storage.catalogue.address import for_libpq
from storage.catalogue.audit_chain import ChainReport, verify_chain
from storage.catalogue.audit_sealer import seal
from storage.catalogue.tables.audit_anchor import AuditAnchor
from storage.catalogue.tables.audit_entry import AuditEntry
from storage.catalogue.tables.audit_horizon import AuditHorizon
from storage.catalogue.tables.audit_seal import AuditSeal
from storage.catalogue.tables.certificate import Certificate
from storage.catalogue.transaction import Catalogue, Transaction
from tests.conftest import CatalogueUrls
from tests.storage.catalogue.builders import NOON, SYSTEM

pytestmark = pytest.mark.anyio


Owner = psycopg.Connection[tuple[object, ...]]


@pytest.fixture
def owner(catalogue_urls: CatalogueUrls) -> Iterator[Owner]:
    """Who can break what the application cannot: the database's owner."""
    with psycopg.connect(for_libpq(catalogue_urls.owner), autocommit=True) as connection:
        yield connection


async def enter(catalogue: Catalogue, count: int, action: str = "signed_in") -> None:
    for number in range(count):
        async with catalogue.transaction() as tx:
            await tx.audit(SYSTEM, action, "account", str(number), 班级="高一", number=number)


async def sealed(catalogue: Catalogue) -> AuditSeal | None:
    async with catalogue.transaction() as tx:
        return await seal(tx, NOON)


async def verified(catalogue: Catalogue, anchors: dict[int, bytes] | None = None) -> ChainReport:
    async with catalogue.transaction() as tx:
        return await verify_chain(tx, anchors)


@pytest.mark.parametrize("table", [AuditEntry, AuditSeal, AuditAnchor, Certificate])
@pytest.mark.parametrize("verb", ["update", "delete", "truncate", "drop"])
async def test_the_application_cannot_take_back_evidence(
    catalogue: Catalogue, table: type[AuditEntry], verb: str
) -> None:
    name = table.__tablename__
    column = next(iter(table.__table__.primary_key)).name
    statement = {
        "update": f"UPDATE {name} SET {column} = {column}",
        "delete": f"DELETE FROM {name}",
        "truncate": f"TRUNCATE {name} CASCADE",
        "drop": f"DROP TABLE {name} CASCADE",
    }[verb]

    async def take_back(tx: Transaction) -> None:
        await tx.session.execute(text(statement))

    with pytest.raises(ProgrammingError) as caught:
        await catalogue.run(take_back)
    assert isinstance(caught.value.orig, psycopg.errors.InsufficientPrivilege)


async def test_the_application_cannot_switch_the_stamp_off(catalogue: Catalogue) -> None:
    async def switch_off(tx: Transaction) -> None:
        await tx.session.execute(text("ALTER TABLE audit_entry DISABLE TRIGGER audit_entry_stamp"))

    with pytest.raises(ProgrammingError):
        await catalogue.run(switch_off)


async def test_nothing_to_seal_makes_no_seal(catalogue: Catalogue) -> None:
    assert await sealed(catalogue) is None
    report = await verified(catalogue)
    assert (report.holds, report.seals, report.entries) == (True, 0, 0)


async def test_seals_are_chained_and_hold(catalogue: Catalogue) -> None:
    await enter(catalogue, 3)
    first = await sealed(catalogue)
    assert await sealed(catalogue) is None, "nothing new"
    await enter(catalogue, 2)
    second = await sealed(catalogue)
    await enter(catalogue, 1)
    assert first is not None
    assert second is not None
    assert (first.first_entry, first.last_entry) == (1, 3)
    assert (second.first_entry, second.last_entry) == (4, 5)
    assert second.previous_hash == first.hash
    report = await verified(catalogue)
    assert (report.holds, report.seals, report.entries, report.unsealed) == (True, 2, 5, 1)
    assert report.head == second.hash


async def test_ids_that_were_rolled_back_are_no_gap_in_the_chain(catalogue: Catalogue) -> None:
    async def enter_and_fail(tx: Transaction) -> None:
        await tx.audit(SYSTEM, "x", "account", "1")
        raise ZeroDivisionError

    await enter(catalogue, 1)
    with pytest.raises(ZeroDivisionError):
        await catalogue.run(enter_and_fail)
    await enter(catalogue, 1)
    made = await sealed(catalogue)
    assert made is not None
    assert (made.first_entry, made.last_entry) == (1, 3)
    assert (await verified(catalogue)).entries == 2


async def test_an_entry_whose_transaction_still_runs_is_waited_for(catalogue: Catalogue) -> None:
    """Entry 1 commits after entry 2: a seal over entry 2 alone would leave entry 1 outside the chain for ever."""
    async with catalogue.transaction() as slow:
        await slow.audit(SYSTEM, "slow", "account", "1")
        await enter(catalogue, 1)
        assert await sealed(catalogue) is None
        await enter(catalogue, 1)
        assert await sealed(catalogue) is None
    made = await sealed(catalogue)
    assert made is not None
    assert (made.first_entry, made.last_entry) == (1, 3)
    report = await verified(catalogue)
    assert (report.holds, report.entries, report.unsealed) == (True, 3, 0)


async def test_a_higher_id_of_an_older_transaction_does_not_hide_a_lower_one(catalogue: Catalogue) -> None:
    """The older transaction takes id 2 and commits, while the younger one, with id 1, still runs. No transaction is
    complete beyond the younger one's number then, so a snapshot's xmax says nothing of it.
    """
    async with catalogue.transaction() as older, catalogue.transaction() as younger:
        await older.session.execute(text("SELECT pg_current_xact_id()"))
        await younger.audit(SYSTEM, "younger", "account", "1")
        await older.audit(SYSTEM, "older", "account", "2")
        await older.session.commit()
        assert await sealed(catalogue) is None
    made = await sealed(catalogue)
    assert made is not None
    assert (made.first_entry, made.last_entry) == (1, 2)
    assert (await verified(catalogue)).entries == 2


async def test_the_sealer_needs_a_transaction_of_its_own(catalogue: Catalogue) -> None:
    async def seal_what_it_wrote(tx: Transaction) -> None:
        await tx.audit(SYSTEM, "x", "account", "1")
        await seal(tx, NOON)

    with pytest.raises(ValueError, match="of its own"):
        await catalogue.run(seal_what_it_wrote)


async def test_what_came_before_a_slow_transaction_is_sealed_beside_the_next_one(catalogue: Catalogue) -> None:
    """The noted horizon is not pushed on by every run, so that slow transactions in a row cannot starve the sealer."""
    await enter(catalogue, 1)
    async with catalogue.transaction() as first_slow:
        await first_slow.audit(SYSTEM, "slow", "account", "1")
        assert await sealed(catalogue) is None
        async with catalogue.transaction() as second_slow:
            await second_slow.audit(SYSTEM, "slow", "account", "2")
            await first_slow.session.commit()
            made = await sealed(catalogue)
    assert made is not None
    assert made.first_entry == 1
    again = await sealed(catalogue)
    assert again is not None
    report = await verified(catalogue)
    assert (report.holds, report.entries) == (True, 3)


async def test_a_transaction_without_a_number_does_not_hold_the_sealer_up(catalogue: Catalogue) -> None:
    async with catalogue.transaction() as reader:
        await reader.session.execute(select(func.count()).select_from(AuditEntry))
        await enter(catalogue, 1)
        assert await sealed(catalogue) is not None


async def test_a_second_sealer_at_work_is_left_alone(catalogue: Catalogue) -> None:
    await enter(catalogue, 1)
    async with catalogue.transaction() as working:
        await working.lock(audit_sealer.LOCK)
        assert await sealed(catalogue) is None
    assert await sealed(catalogue) is not None


async def test_a_catalogue_restored_into_a_younger_cluster_goes_on(catalogue: Catalogue) -> None:
    """A dump carries the horizon, but the new cluster's transaction numbers begin low."""
    await enter(catalogue, 2)
    assert await sealed(catalogue) is not None
    async with catalogue.transaction() as tx:
        await tx.session.execute(update(AuditHorizon).values(transaction_id=2**40, entry=2))
    await enter(catalogue, 1)
    assert await sealed(catalogue) is not None
    assert (await verified(catalogue)).entries == 3


async def test_a_seal_takes_a_batch_at_a_time(catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audit_sealer, "BATCH", 2)
    await enter(catalogue, 5)
    made = [await sealed(catalogue) for _ in range(4)]
    assert [row and (row.first_entry, row.last_entry) for row in made] == [(1, 2), (3, 4), (5, 5), None]
    assert (await verified(catalogue)).holds


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


@pytest.mark.parametrize(
    "column", ["at", "actor_kind", "actor_id", "address", "action", "item_kind", "item_id", "details"]
)
async def test_every_column_of_an_entry_is_under_the_seal(catalogue: Catalogue, owner: Owner, column: str) -> None:
    await enter(catalogue, 2)
    await sealed(catalogue)
    other = {
        "at": "at + interval '1 microsecond'",
        "actor_kind": "'encoder'",
        "actor_id": "gen_random_uuid()",
        "details": "'{}'",
    }.get(column, "'other'")
    owner.execute(f"UPDATE audit_entry SET {column} = {other} WHERE id = 2")
    report = await verified(catalogue)
    assert (report.broken_by, report.first_altered) == ("entry_altered", 2)


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
