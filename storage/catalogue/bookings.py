"""Bookings. The report of clashes is asked for first; the exclusion constraint has the last word.

The constraint is checked at each statement. A transaction that must pass through a clash on its way (a swap of rooms)
calls `defer` first and `settle` last: then only the outcome counts.
"""

from collections.abc import AsyncIterator, Collection, Iterable, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any
from uuid import UUID

import psycopg
from sqlalchemy import delete, insert, select, text, update
from sqlalchemy.dialects.postgresql import Range
from sqlalchemy.exc import IntegrityError

from domain.kinds import BookingKind
from domain.refusals import Refusal, RefusalCode
from domain.schedule import Booking as Wish
from domain.schedule import Clash, During, clashes
from storage.catalogue.identifiers import new_id
from storage.catalogue.rows import among
from storage.catalogue.tables.booking import Booking
from storage.catalogue.transaction import Transaction

BATCH = 1000
CONSTRAINT = "ex_booking_no_double"

_OVERLAPPING = text("""
    SELECT DISTINCT booking.id
    FROM unnest(CAST(:kinds AS text[]), CAST(:resources AS text[]), CAST(:starts AS timestamptz[]),
                CAST(:ends AS timestamptz[]), CAST(:sessions AS uuid[]))
        AS wish(kind, resource, starts_at, ends_at, session_id)
    JOIN booking ON booking.kind = wish.kind AND booking.resource = wish.resource
        AND booking.during && tstzrange(wish.starts_at, wish.ends_at)
    WHERE booking.active AND booking.override_reason IS NULL
        AND booking.session_id IS DISTINCT FROM wish.session_id
""")
"""Asked with the constraint's own condition, so that its index answers."""


async def conflicts(tx: Transaction, wanted: Collection[Wish], ignoring: Collection[UUID] = ()) -> list[Clash]:
    """Every clash of `wanted` with what is booked (but by the sessions in `ignoring`), and among them."""
    asked = [wish for wish in wanted if wish.excludes()]
    if not asked:
        return []
    found = await tx.session.scalars(
        _OVERLAPPING,
        {
            "kinds": [wish.kind.value for wish in asked],
            "resources": [wish.resource for wish in asked],
            "starts": [wish.during.starts_at for wish in asked],
            "ends": [wish.during.ends_at for wish in asked],
            "sessions": [wish.session_id for wish in asked],
        },
    )
    rows = await tx.session.scalars(select(Booking).where(among(Booking.id, found.all())))
    taken = [_told(row) for row in rows if row.session_id not in ignoring]
    mine = {id(wish) for wish in asked}
    return [clash for clash in clashes((*taken, *asked)) if {id(clash.first), id(clash.second)} & mine]


async def book(tx: Transaction, wanted: Iterable[Wish]) -> None:
    """Books all of `wanted`, or nothing: Refusal("slot_taken") with the first clash. Each wish names its session."""
    wishes = list(wanted)
    async with _told_when_taken(tx, wishes):
        await _insert(tx, wishes)


async def release(tx: Transaction, session_ids: Collection[UUID]) -> None:
    """Frees what these sessions booked; the rows stay as a trace."""
    await tx.session.execute(
        update(Booking).where(among(Booking.session_id, session_ids), Booking.active).values(active=False)
    )


async def replace(tx: Transaction, session_ids: Collection[UUID], wanted: Iterable[Wish]) -> None:
    """Books anew for sessions that were moved: what they had is removed, `wanted` is booked as by `book`."""
    wishes = list(wanted)
    async with _told_when_taken(tx, wishes):
        await tx.session.execute(delete(Booking).where(among(Booking.session_id, session_ids)))
        await _insert(tx, wishes)


async def swap(tx: Transaction, first: UUID, second: UUID, kind: BookingKind) -> None:
    """Two sessions exchange their active bookings' resources of one kind, each at its own time; Refusal("slot_taken")
    where a third session is in the way. ValueError unless each has exactly one.
    """
    statement = select(Booking).where(Booking.session_id.in_((first, second)), Booking.kind == kind, Booking.active)
    rows = (await tx.session.scalars(statement.with_for_update().order_by(Booking.id))).all()
    if sorted(row.session_id for row in rows) != sorted((first, second)):
        raise ValueError(f"each of the two sessions must have one active booking of a {kind}")
    one, other = rows
    wishes = [
        Wish(kind, other.resource, _told(one).during, one.session_id),
        Wish(kind, one.resource, _told(other).during, other.session_id),
    ]
    async with _told_when_taken(tx, wishes, ignoring=(first, second)):
        await defer(tx)
        one.resource, other.resource = other.resource, one.resource
        await tx.session.flush()
        await settle(tx)


async def defer(tx: Transaction) -> None:
    """Lets clashes stand until `settle` or the commit."""
    await tx.session.execute(text(f"SET CONSTRAINTS {CONSTRAINT} DEFERRED"))


async def settle(tx: Transaction) -> None:
    """Checks now what `defer` had put off; IntegrityError for a clash that still stands."""
    await tx.session.execute(text(f"SET CONSTRAINTS {CONSTRAINT} IMMEDIATE"))


async def of_sessions(tx: Transaction, session_ids: Collection[UUID]) -> Sequence[Booking]:
    """What these sessions have booked and not freed."""
    statement = select(Booking).where(among(Booking.session_id, session_ids), Booking.active)
    return (await tx.session.scalars(statement.order_by(Booking.session_id, Booking.kind, Booking.resource))).all()


async def busy(
    tx: Transaction, kind: BookingKind, resource: str, since: datetime, until: datetime
) -> Sequence[Booking]:
    """When a resource is taken, in order."""
    during = Booking.during.overlaps(Range(since, until))
    statement = select(Booking).where(Booking.kind == kind, Booking.resource == resource, during, Booking.active)
    return (await tx.session.scalars(statement.order_by(Booking.during))).all()


@asynccontextmanager
async def _told_when_taken(
    tx: Transaction, wishes: Collection[Wish], ignoring: Collection[UUID] = ()
) -> AsyncIterator[None]:
    """Turns the constraint's error into a refusal that says who is in the way. The savepoint keeps the transaction."""
    try:
        async with tx.session.begin_nested():
            yield
    except IntegrityError as error:
        if not isinstance(error.orig, psycopg.errors.ExclusionViolation):
            raise
        raise _refusal(await conflicts(tx, wishes, ignoring)) from error


async def _insert(tx: Transaction, wishes: Sequence[Wish]) -> None:
    for start in range(0, len(wishes), BATCH):
        await tx.session.execute(insert(Booking), [_row(wish) for wish in wishes[start : start + BATCH]])


def _refusal(found: list[Clash]) -> Refusal:
    if not found:  # who was in the way has left since
        return Refusal(RefusalCode.slot_taken)
    other = found[0].first
    return Refusal(
        RefusalCode.slot_taken,
        kind=other.kind,
        resource=other.resource,
        session_id=other.session_id,
        starts_at=other.during.starts_at,
        ends_at=other.during.ends_at,
    )


def _row(wish: Wish) -> dict[str, Any]:
    return {
        "id": new_id(),
        "session_id": wish.session_id,
        "kind": wish.kind,
        "resource": wish.resource,
        "during": Range(wish.during.starts_at, wish.during.ends_at),
        "active": wish.active,
        "override_reason": wish.override_reason,
    }


def _told(row: Booking) -> Wish:
    starts_at, ends_at = row.during.lower, row.during.upper
    if starts_at is None or ends_at is None:
        raise ValueError(f"booking {row.id} has no end")
    during = During(starts_at, ends_at)
    return Wish(row.kind, row.resource, during, row.session_id, row.active, row.override_reason)
