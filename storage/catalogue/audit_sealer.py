"""Chains audit entries in batches. Acting transactions append without a queue; one sealer comes behind them.

Which ids may be sealed? Ids are given in order, but commit in any: below the highest visible id there may be one whose
transaction still runs, and a batch sealed over it would be broken when it commits. So the sealer works in two steps. It
notes a horizon: the highest id it sees, and then a transaction number of its own. Every id up to that one belongs to a
transaction with a lower number (the table's trigger takes the transaction's number before the id). Once a snapshot
shows that no transaction with a lower number runs, all these ids are settled, committed or never to appear, and are
sealed up to the horizon. In a quiet catalogue both steps are one call; beside a long transaction the seal waits for it.
(A snapshot's own xmax would not do for the number: it is one past the last *completed* transaction, and transactions
beyond it may be running.)

A catalogue restored into another cluster may find itself at a lower transaction number than its horizon: nothing of the
old cluster runs there, so the horizon is settled.
"""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, func, insert, select, text

from storage.catalogue.audit_digests import FIRST_HASH, chained, digests
from storage.catalogue.tables.audit_anchor import AuditAnchor
from storage.catalogue.tables.audit_entry import AuditEntry
from storage.catalogue.tables.audit_horizon import AuditHorizon
from storage.catalogue.tables.audit_seal import AuditSeal
from storage.catalogue.transaction import Transaction

LOCK = "audit_sealer"
BATCH = 10_000
"""Entries in one seal at most: 400 KB of digests."""

_RUNNING = text("""
    SELECT pg_snapshot_xmin(seen)::text::bigint AS oldest, pg_snapshot_xmax(seen)::text::bigint AS after_completed
    FROM pg_current_snapshot() AS seen
""")
_OWN_NUMBER = text("SELECT pg_current_xact_id()::text::bigint")
_HAS_NUMBER = text("SELECT pg_current_xact_id_if_assigned() IS NOT NULL")


@dataclass(frozen=True, slots=True)
class Horizon:
    """Entries up to `entry` belong to transactions older than `transaction_id`."""

    entry: int
    transaction_id: int


async def seal(tx: Transaction, now: datetime) -> AuditSeal | None:
    """Seals what is settled, at most one batch; None where nothing is. Another sealer at work makes it None too.

    ValueError in a transaction that has written before: its number is too old to be a horizon's.
    """
    if await tx.session.scalar(_HAS_NUMBER):
        raise ValueError("the sealer needs a transaction of its own")
    if not await tx.try_lock(LOCK):
        return None
    settled_to = 0
    noted = await _noted_horizon(tx)
    if noted is not None:
        if not await _is_settled(tx, noted) and not await _is_of_another_cluster(tx, noted):
            return None
        settled_to = noted.entry
    fresh = await _fresh_horizon(tx)
    if await _is_settled(tx, fresh):
        settled_to = fresh.entry
    await _note_horizon(tx, fresh)
    return await _seal_up_to(tx, settled_to, now)


async def last_seal(tx: Transaction) -> AuditSeal | None:
    """The head of the chain."""
    return (await tx.session.scalars(select(AuditSeal).order_by(AuditSeal.id.desc()).limit(1))).one_or_none()


async def unanchored(tx: Transaction) -> AuditSeal | None:
    """The head of the chain where it is not anchored yet; an anchor of the head holds all before it."""
    head = await last_seal(tx)
    return None if head is None or await tx.session.get(AuditAnchor, head.id) is not None else head


async def anchored(tx: Transaction, seal_id: int, object_key: str, now: datetime) -> None:
    """Keeps that the seal's hash lies outside the catalogue, under `object_key`."""
    await tx.session.execute(insert(AuditAnchor).values(seal_id=seal_id, object_key=object_key, anchored_at=now))


async def _seal_up_to(tx: Transaction, highest: int, now: datetime) -> AuditSeal | None:
    head = await last_seal(tx)
    statement = (
        select(AuditEntry)
        .where(AuditEntry.id > (head.last_entry if head else 0), AuditEntry.id <= highest)
        .order_by(AuditEntry.id)
        .limit(BATCH)
    )
    entries = (await tx.session.scalars(statement)).all()
    if not entries:
        return None
    previous = head.hash if head else FIRST_HASH
    data = digests(entries)
    made = AuditSeal(
        first_entry=entries[0].id,
        last_entry=entries[-1].id,
        digests=data,
        previous_hash=previous,
        hash=chained(previous, data),
        sealed_at=now,
    )
    tx.session.add(made)
    await tx.session.flush()
    return made


async def _is_settled(tx: Transaction, horizon: Horizon) -> bool:
    """Whether no older transaction runs; a transaction that asks does not count itself as older than its own number."""
    return bool((await tx.session.execute(_RUNNING)).one().oldest >= horizon.transaction_id)


async def _is_of_another_cluster(tx: Transaction, noted: Horizon) -> bool:
    """A noted horizon's number was committed with it, so its own cluster has completed it."""
    return bool((await tx.session.execute(_RUNNING)).one().after_completed <= noted.transaction_id)


async def _fresh_horizon(tx: Transaction) -> Horizon:
    """The order of the two matters: the number must be younger than every id that was seen."""
    entry = await tx.session.scalar(select(func.coalesce(func.max(AuditEntry.id), 0)))
    number = await tx.session.scalar(_OWN_NUMBER)
    return Horizon(entry=entry or 0, transaction_id=number or 0)


async def _noted_horizon(tx: Transaction) -> Horizon | None:
    row = await tx.session.get(AuditHorizon, 1, populate_existing=True)
    return None if row is None else Horizon(row.entry, row.transaction_id)


async def _note_horizon(tx: Transaction, horizon: Horizon) -> None:
    await tx.session.execute(delete(AuditHorizon))
    values = {"id": 1, "entry": horizon.entry, "transaction_id": horizon.transaction_id}
    await tx.session.execute(insert(AuditHorizon).values(**values))
