"""All of an act or nothing; conflicts are tried again, a lost connection is told by its type."""

import asyncio
from uuid import uuid4

import pytest
from sqlalchemy import func, insert, select, text, update
from sqlalchemy.exc import DBAPIError, IntegrityError

from domain.facts import SessionEnded, from_json
from storage.catalogue.address import for_engine
from storage.catalogue.faults import CatalogueUnavailable, is_conflict
from storage.catalogue.listener import Notification
from storage.catalogue.tables.audit_entry import AuditEntry
from storage.catalogue.tables.department import Department
from storage.catalogue.tables.fact import FactRow
from storage.catalogue.transaction import FACT_CHANNEL, Actor, Catalogue, Transaction
from tests.conftest import CatalogueUrls

pytestmark = pytest.mark.anyio

SYSTEM = Actor.system("test")


async def count(catalogue: Catalogue, table: type[FactRow] | type[AuditEntry] | type[Department]) -> int:
    async with catalogue.transaction() as tx:
        return await tx.session.scalar(select(func.count()).select_from(table)) or 0


async def act(tx: Transaction) -> None:
    """A change with its fact and its audit entry."""
    tx.session.add(Department(slug="affairs", name_zh="教务处", name_en="Academic affairs"))
    await tx.fact(SessionEnded(session_id=uuid4()))
    await tx.audit(SYSTEM, "department_added", "department", "affairs", reason="test")


async def test_a_change_its_fact_and_its_audit_entry_stand_together(catalogue: Catalogue) -> None:
    async with catalogue.transaction() as tx:
        await act(tx)
    assert [await count(catalogue, table) for table in (Department, FactRow, AuditEntry)] == [1, 1, 1]


async def test_a_change_its_fact_and_its_audit_entry_fall_together(catalogue: Catalogue) -> None:
    async def act_and_fail(tx: Transaction) -> None:
        await act(tx)
        await tx.session.flush()
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await catalogue.run(act_and_fail)
    assert [await count(catalogue, table) for table in (Department, FactRow, AuditEntry)] == [0, 0, 0]


async def test_a_glance_begins_nothing_and_leaves_transactions_what_they_are(catalogue: Catalogue) -> None:
    async with catalogue.transaction() as tx:
        await act(tx)
    state = text("SELECT state FROM pg_stat_activity WHERE pid = :pid")
    async with catalogue.glance() as tx:
        pid = await tx.session.scalar(text("SELECT pg_backend_pid()"))
        assert await tx.session.scalar(select(func.count()).select_from(Department)) == 1
        async with catalogue.transaction() as beside:
            assert await beside.session.scalar(state, {"pid": pid}) == "idle", "not: idle in transaction"
    async with catalogue.transaction() as tx:  # over a connection that was glanced through
        await tx.session.execute(text("UPDATE department SET name_en = 'Other'"))
        await tx.undo()
    async with catalogue.glance() as tx:
        assert (await tx.session.scalars(select(Department.name_en))).one() == "Academic affairs"


async def test_a_fact_comes_back_as_it_was_told(catalogue: Catalogue) -> None:
    fact = SessionEnded(session_id=uuid4())
    async with catalogue.transaction() as tx:
        await tx.fact(fact)
        row = (await tx.session.scalars(select(FactRow))).one()
    assert from_json(row.name, row.payload) == fact
    assert row.delivered_at is None


async def test_the_writer_chooses_neither_id_nor_time_of_an_audit_entry(catalogue: Catalogue) -> None:
    async with catalogue.transaction() as tx:
        before = await tx.session.scalar(select(func.clock_timestamp()))
        forged = {"id": 7_000_000, "at": "1999-01-01T00:00:00Z", "actor_kind": "system", "actor_name": "x"}
        statement = text(
            "INSERT INTO audit_entry (id, at, actor_kind, actor_name, action, item_kind, item_id, details)"
            " VALUES (:id, CAST(:at AS timestamptz), :actor_kind, :actor_name, 'a', 'b', 'c', '{}')"
        )
        await tx.session.execute(statement, forged)
        entry = (await tx.session.scalars(select(AuditEntry))).one()
    assert entry.id == 1
    assert before is not None
    assert entry.at >= before


async def test_a_deadlock_is_tried_again_and_both_get_through(catalogue: Catalogue) -> None:
    """Two transactions take the same two rows in opposite order; the barrier makes them meet on the first attempt."""
    async with catalogue.transaction() as tx:
        for slug in ("a", "b"):
            await tx.session.execute(insert(Department).values(slug=slug, name_zh="", name_en=""))
    barrier = asyncio.Barrier(2)
    attempts = {"ab": 0, "ba": 0}

    async def take(order: str) -> None:
        async def fn(tx: Transaction) -> None:
            attempts[order] += 1
            for position, slug in enumerate(order):
                statement = update(Department).where(Department.slug == slug)
                await tx.session.execute(statement.values(name_en=Department.name_en + order))
                if position == 0 and attempts[order] == 1:
                    await barrier.wait()

        await catalogue.run(fn)

    await asyncio.gather(take("ab"), take("ba"))
    assert sorted(attempts.values()) == [1, 2], "exactly one of them was the victim"
    async with catalogue.transaction() as tx:
        names = (await tx.session.scalars(select(Department.name_en))).all()
    assert {"".join(sorted(name)) for name in names} == {"aabb"}, "each was written once by each"


async def test_conflicts_are_tried_a_bounded_number_of_times(catalogue: Catalogue) -> None:
    attempts = 0

    async def always_in_conflict(tx: Transaction) -> None:
        nonlocal attempts
        attempts += 1
        await tx.session.execute(text("DO $$ BEGIN RAISE EXCEPTION 'x' USING ERRCODE = '40001'; END $$"))

    with pytest.raises(DBAPIError) as caught:
        await catalogue.run(always_in_conflict, attempts=4)
    assert is_conflict(caught.value)
    assert attempts == 4


async def test_what_is_no_conflict_is_not_tried_again(catalogue: Catalogue) -> None:
    attempts = 0

    async def duplicate(tx: Transaction) -> None:
        nonlocal attempts
        attempts += 1
        for _ in range(2):
            await tx.session.execute(insert(Department).values(slug="a", name_zh="", name_en=""))

    with pytest.raises(IntegrityError):
        await catalogue.run(duplicate)
    assert attempts == 1


async def test_a_connection_lost_in_a_transaction_is_catalogue_unavailable(catalogue: Catalogue) -> None:
    with pytest.raises(CatalogueUnavailable):
        async with catalogue.transaction() as tx:
            await tx.session.execute(text("SELECT pg_terminate_backend(pg_backend_pid())"))
    await catalogue.ping()


async def test_connections_that_died_in_the_pool_cost_no_work(
    catalogue: Catalogue, catalogue_urls: CatalogueUrls
) -> None:
    await asyncio.gather(*(catalogue.ping() for _ in range(5)))
    other = Catalogue(catalogue_urls.app)
    async with other.transaction() as tx:
        await tx.session.execute(
            text("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'test'")
        )
    await other.close()
    await asyncio.gather(*(catalogue.ping() for _ in range(5)))


async def test_a_server_that_is_not_there_is_catalogue_unavailable(catalogue_urls: CatalogueUrls) -> None:
    nowhere = Catalogue(for_engine(catalogue_urls.app).set(port=1).render_as_string(hide_password=False))
    with pytest.raises(CatalogueUnavailable):
        await nowhere.ping()
    with pytest.raises(CatalogueUnavailable):
        async with nowhere.listen(["fact"]):
            pass
    await nowhere.close()


async def test_a_full_pool_is_catalogue_unavailable(catalogue_urls: CatalogueUrls) -> None:
    small = Catalogue(catalogue_urls.app, pool_size=1, pool_wait_seconds=0.05)
    async with small.transaction() as tx:
        await tx.session.execute(text("SELECT 1"))
        with pytest.raises(CatalogueUnavailable):
            await small.ping()
    await small.close()


async def test_a_named_lock_is_held_to_the_end_of_its_transaction(catalogue: Catalogue) -> None:
    async with catalogue.transaction() as tx, catalogue.transaction() as other:
        await tx.lock("session/1")
        assert not await other.try_lock("session/1")
        assert await other.try_lock("session/2")
    async with catalogue.transaction() as tx:
        assert await tx.try_lock("session/1")


async def test_a_listener_hears_what_was_committed_after_it_listens(catalogue: Catalogue) -> None:
    async with catalogue.listen([FACT_CHANNEL, "session_control"]) as notes:
        async with catalogue.transaction() as tx:
            await tx.fact(SessionEnded(session_id=uuid4()))
            await tx.fact(SessionEnded(session_id=uuid4()))
            await tx.notify("session_control", "cut")
        heard = []
        async with asyncio.timeout(10):
            async for note in notes:
                heard.append(note)
                if len(heard) == 2:
                    break
    assert heard == [Notification(FACT_CHANNEL, ""), Notification("session_control", "cut")]


async def test_what_comes_between_two_iterations_is_heard_by_the_second(catalogue: Catalogue) -> None:
    async def tell(payload: str) -> None:
        async with catalogue.transaction() as tx:
            await tx.notify("session_control", payload)

    async with catalogue.listen(["session_control"]) as notes:
        heard = []
        for payload in ("one", "two", "three"):
            await tell(payload)
            heard.append((await asyncio.wait_for(anext(aiter(notes)), 10)).payload)
    assert heard == ["one", "two", "three"]


async def test_a_listener_may_be_iterated_alone(catalogue: Catalogue) -> None:
    async def first() -> str:
        async for note in catalogue.listen(["session_control"]):
            return note.payload
        raise AssertionError("it ended")

    listening = asyncio.create_task(first())
    async with asyncio.timeout(10):
        while not listening.done():  # it listens from some instant on that only it knows
            async with catalogue.transaction() as tx:
                await tx.notify("session_control", "x")
    assert listening.result() == "x"


async def test_a_listener_whose_connection_is_cut_says_so(catalogue: Catalogue) -> None:
    async with catalogue.listen(["fact"]) as notes:
        async with catalogue.transaction() as tx:
            await tx.session.execute(
                text("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'lectern-listen'")
            )
        with pytest.raises(CatalogueUnavailable):
            await asyncio.wait_for(anext(aiter(notes)), 10)
