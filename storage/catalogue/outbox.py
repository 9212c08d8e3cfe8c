"""The outbox, from the pump's side. A fact is appended by `Transaction.fact`, in the transaction that made it true.

Delivered at least once: a claimed fact stays locked to the end of the pump's transaction and is skipped by other pumps;
a pump that dies leaves it as it was. Facts of one batch come in the order they were appended, but a fact that failed
waits alone, so no order is promised: whoever hears one reads the present state. A fact is never given up.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, func, select, update

from domain.facts import Fact, from_json
from storage.catalogue.tables.fact import FactRow
from storage.catalogue.transaction import Transaction

FIRST_WAIT_SECONDS = 1.0
LONGEST_WAIT_SECONDS = 300.0
LONGEST_ERROR = 2000


@dataclass(frozen=True, slots=True)
class Claimed:
    """A fact that is due: `fact()` reads it, ValueError where this version of the house does not know it."""

    id: int
    name: str
    payload: dict[str, object]
    attempts: int
    created_at: datetime

    def fact(self) -> Fact:
        """The domain's fact."""
        return from_json(self.name, self.payload)


@dataclass(frozen=True, slots=True)
class Backlog:
    """What waits: how many, since when, and how many of them failed at least once."""

    waiting: int
    oldest_at: datetime | None
    failing: int


def wait_seconds(attempts: int) -> float:
    """How long a fact waits after its n-th failed delivery: 1 s, doubled each time, at most five minutes."""
    return min(FIRST_WAIT_SECONDS * 2.0 ** min(attempts - 1, 30), LONGEST_WAIT_SECONDS)


async def claim_due(tx: Transaction, now: datetime, limit: int = 100) -> list[Claimed]:
    """Up to `limit` facts that are due, locked to the transaction's end; those that another pump holds are skipped."""
    statement = (
        select(FactRow)
        .where(FactRow.delivered_at.is_(None), FactRow.next_attempt_at <= now)
        .order_by(FactRow.next_attempt_at, FactRow.id)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    rows = (await tx.session.scalars(statement)).all()
    return [Claimed(row.id, row.name, row.payload, row.attempts, row.created_at) for row in rows]


async def delivered(tx: Transaction, ids: Sequence[int], now: datetime) -> None:
    """These facts reached everyone."""
    statement = update(FactRow).where(FactRow.id.in_(ids)).values(delivered_at=now, error=None)
    await tx.session.execute(statement, execution_options={"synchronize_session": False})


async def failed(tx: Transaction, fact: Claimed, error: str, now: datetime) -> datetime:
    """This fact did not reach everyone; returns when it is due again."""
    attempts = fact.attempts + 1
    again_at = now + timedelta(seconds=wait_seconds(attempts))
    values = {"attempts": attempts, "next_attempt_at": again_at, "error": error[:LONGEST_ERROR]}
    statement = update(FactRow).where(FactRow.id == fact.id).values(**values)
    await tx.session.execute(statement, execution_options={"synchronize_session": False})
    return again_at


async def next_due_at(tx: Transaction) -> datetime | None:
    """When the next undelivered fact is due; None where none waits. The pump sleeps until then or a NOTIFY."""
    return await tx.session.scalar(select(func.min(FactRow.next_attempt_at)).where(FactRow.delivered_at.is_(None)))


async def backlog(tx: Transaction) -> Backlog:
    """For metrics and `lectern doctor`."""
    statement = select(func.count(), func.min(FactRow.created_at), func.count().filter(FactRow.attempts > 0)).where(
        FactRow.delivered_at.is_(None)
    )
    waiting, oldest_at, failing = (await tx.session.execute(statement)).one()
    return Backlog(waiting, oldest_at, failing)


async def forget(tx: Transaction, delivered_before: datetime, limit: int = 10_000) -> int:
    """Removes facts that were delivered long ago; returns how many."""
    old = select(FactRow.id).where(FactRow.delivered_at < delivered_before).limit(limit)
    gone = await tx.session.scalars(delete(FactRow).where(FactRow.id.in_(old)).returning(FactRow.id))
    return len(gone.all())
