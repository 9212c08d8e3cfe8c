"""Facts are delivered at least once, by one pump at a time, and those that fail wait longer each time."""

from datetime import datetime, timedelta
from uuid import uuid4

import pytest
from sqlalchemy import func, select

from domain.facts import SessionEnded
from storage.catalogue import outbox
from storage.catalogue.tables.fact import FactRow
from storage.catalogue.transaction import Catalogue

pytestmark = pytest.mark.anyio


async def tell(catalogue: Catalogue, count: int) -> datetime:
    """Appends facts; returns an instant at which all of them are due, by the database's clock."""
    async with catalogue.transaction() as tx:
        for _ in range(count):
            await tx.fact(SessionEnded(session_id=uuid4()))
        now: datetime | None = await tx.session.scalar(select(func.clock_timestamp()))
    assert now is not None
    return now


async def test_two_pumps_at_once_share_what_is_due(catalogue: Catalogue) -> None:
    now = await tell(catalogue, 5)
    async with catalogue.transaction() as one, catalogue.transaction() as other:
        first = await outbox.claim_due(one, now, 3)
        second = await outbox.claim_due(other, now, 3)
        assert [row.id for row in first] == [1, 2, 3]
        assert [row.id for row in second] == [4, 5]
        await outbox.delivered(one, [row.id for row in first], now)
        await outbox.delivered(other, [row.id for row in second], now)
    async with catalogue.transaction() as tx:
        assert await outbox.claim_due(tx, now + timedelta(days=1)) == []
        assert await outbox.next_due_at(tx) is None
        assert await outbox.backlog(tx) == outbox.Backlog(0, None, 0)


async def test_a_pump_that_dies_leaves_its_facts_to_the_next(catalogue: Catalogue) -> None:
    now = await tell(catalogue, 1)
    async with catalogue.transaction() as dying:
        claimed = await outbox.claim_due(dying, now)
        await outbox.delivered(dying, [row.id for row in claimed], now)
        await dying.session.rollback()
    async with catalogue.transaction() as tx:
        again = await outbox.claim_due(tx, now)
    assert [row.fact() for row in again] == [row.fact() for row in claimed]


async def test_a_fact_that_fails_waits_longer_each_time_and_lets_others_pass(catalogue: Catalogue) -> None:
    now = await tell(catalogue, 2)
    waits = []
    for _ in range(4):
        async with catalogue.transaction() as tx:
            claimed = (await outbox.claim_due(tx, now))[0]
            again_at = await outbox.failed(tx, claimed, "queue away", now)
        waits.append((again_at - now).total_seconds())
        async with catalogue.transaction() as tx:
            due = await outbox.claim_due(tx, again_at - timedelta(microseconds=1))
            assert claimed.id not in [row.id for row in due]
            await outbox.delivered(tx, [row.id for row in due], now)
        now = again_at
    assert waits == [1.0, 2.0, 4.0, 8.0]
    async with catalogue.transaction() as tx:
        backlog = await outbox.backlog(tx)
        row = (await tx.session.scalars(select(FactRow).where(FactRow.delivered_at.is_(None)))).one()
    assert (backlog.waiting, backlog.failing) == (1, 1)
    assert (row.attempts, row.error) == (4, "queue away")


def test_no_wait_is_longer_than_five_minutes() -> None:
    assert outbox.wait_seconds(1000) == 300.0


async def test_delivered_facts_are_forgotten_and_others_are_not(catalogue: Catalogue) -> None:
    now = await tell(catalogue, 3)
    async with catalogue.transaction() as tx:
        await outbox.delivered(tx, [1, 2], now)
        assert await outbox.forget(tx, now) == 0
        assert await outbox.forget(tx, now + timedelta(seconds=1)) == 2
        assert [row.id for row in await outbox.claim_due(tx, now)] == [3]
