"""The sealer misses no entry, waits for none that cannot come, and chains them in batches."""

import pytest
from sqlalchemy import func, select, text, update

from storage.catalogue import audit_sealer
from storage.catalogue.audit_sealer import seal
from storage.catalogue.tables.audit_entry import AuditEntry
from storage.catalogue.tables.audit_horizon import AuditHorizon
from storage.catalogue.transaction import Catalogue, Transaction
from tests.storage.catalogue.builders import NOON, SYSTEM
from tests.storage.catalogue.trail import enter, sealed, verified

pytestmark = pytest.mark.anyio


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
