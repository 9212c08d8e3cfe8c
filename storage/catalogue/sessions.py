"""Sessions: planned, listed, and moved along `domain.states`' table. Whoever moves one holds its row's lock."""

import json
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import ColumnElement, func, select, update
from sqlalchemy.orm.attributes import flag_modified

from domain.facts import SessionEnded, SessionScheduled
from domain.permissions import Action, Reach
from domain.schedule import MAX_SESSION_SECONDS
from domain.states import SessionMove, SessionState, session_machine
from storage.catalogue import bookings
from storage.catalogue.paging import PAGE, Order, Page, page_of
from storage.catalogue.reaches import branches_of, narrowed
from storage.catalogue.rows import among, found, locked
from storage.catalogue.tables.session import Session
from storage.catalogue.transaction import Transaction

CONTROL_CHANNEL = "session_control"
ORDER = Order(Session.starts_at, Session.id, descending=False)
REVIEWING = frozenset({Action.session_read, Action.session_play, Action.session_control})
"""What being a session's reviewer makes one's own (`domain.permissions`)."""
OPEN_STATES = (SessionState.scheduled, SessionState.live, SessionState.cut)


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which sessions a list shows: those that touch [since, until), in these states (empty: any), of one account."""

    since: datetime | None = None
    until: datetime | None = None
    states: Collection[SessionState] = ()
    of_account: UUID | None = None


async def add(tx: Transaction, sessions: Iterable[Session]) -> None:
    """Plans new sessions; those that are scheduled already are told as facts."""
    made = list(sessions)
    tx.session.add_all(made)
    await tx.session.flush()
    scheduled = [session.id for session in made if session.state == SessionState.scheduled]
    await tx.facts([SessionScheduled(session_id=session_id) for session_id in scheduled])


async def get(tx: Transaction, session_id: UUID) -> Session:
    """The session, or Refusal("not_found")."""
    return await found(tx, Session, session_id)


async def by_id(tx: Transaction, ids: Collection[UUID]) -> dict[UUID, Session]:
    """Sessions for a page of items."""
    rows = await tx.session.scalars(select(Session).where(among(Session.id, ids)))
    return {row.id: row for row in rows}


async def lock(tx: Transaction, session_id: UUID, version: int | None = None) -> Session:
    """The session, locked to the transaction's end; Refusal("stale_version") where it is not at `version`."""
    return await locked(tx, Session, session_id, version)


async def listing(
    tx: Transaction,
    reach: Reach,
    account_id: UUID,
    wanted: Wanted = Wanted(),
    *,
    cursor: str | None = None,
    limit: int = PAGE,
) -> Page[Session]:
    """Sessions within the account's reach, by their start."""
    branches = branches_of(
        reach,
        department_id=Session.department_id,
        programme_id=Session.programme_id,
        cohort_id=Session.cohort_id,
        own=_own(account_id),
    )
    where: list[ColumnElement[bool]] = []
    if wanted.of_account is not None:
        branches, where = narrowed(branches, _own(wanted.of_account))
    if wanted.since is not None:
        # What ended before `since` began no later than a session's longest before it: the index skips the past.
        longest = timedelta(seconds=MAX_SESSION_SECONDS)
        where += [Session.ends_at > wanted.since, Session.starts_at > wanted.since - longest]
    if wanted.until is not None:
        where.append(Session.starts_at < wanted.until)
    if wanted.states:
        where.append(Session.state.in_(wanted.states))
    return await page_of(tx, Session, ORDER, where=where, branches=branches, cursor=cursor, limit=limit)


async def move(
    tx: Transaction, session: Session, step: SessionMove, now: datetime, reason: str | None = None
) -> SessionState:
    """Moves a locked session; Refusal("move_not_allowed") where the table has no such move. Tells the fact it makes;
    what is over frees its room and its people.
    """
    session.state = session_machine(session.kind).move(session.state, step)
    if step == SessionMove.approve:
        session.filing_approved_at = now
    elif step == SessionMove.return_:
        session.filing_approved_at = None
    elif step == SessionMove.go_live:
        session.went_live_at = now
    elif step == SessionMove.cut:
        session.cut_reason = reason
    elif step in (SessionMove.end, SessionMove.cancel):
        session.ended_at = now
        session.end_reason = reason
    await tx.session.flush()
    if step in (SessionMove.end, SessionMove.cancel):
        await bookings.release(tx, [session.id])
    if step == SessionMove.end:
        await tx.fact(SessionEnded(session_id=session.id))
    elif step in (SessionMove.schedule, SessionMove.register):
        await tx.fact(SessionScheduled(session_id=session.id))
    return session.state


async def control(tx: Transaction, session_id: UUID, command: str, **details: str) -> None:
    """Tells the owning ingest node, at the commit: cut, resume, kick or end. HTTP to the owner is the other way.

    The row's version, as it is after the order, numbers it; whoever orders holds the row's lock.
    """
    session = await found(tx, Session, session_id)
    payload = {"session_id": str(session_id), "command": command, "number": session.version, **details}
    await tx.notify(CONTROL_CHANNEL, json.dumps(payload, ensure_ascii=False, sort_keys=True))


async def numbered_anew(tx: Transaction, session: Session) -> None:
    """Raises a locked session's version for an order that changes nothing of it."""
    flag_modified(session, "state")
    await tx.session.flush()


async def keep_peak(tx: Transaction, *, session_id: UUID, viewers: int) -> None:
    """So many watched at one time. The version stays: it is no edit that a person could lose."""
    peak = func.greatest(func.coalesce(Session.peak_viewers, 0), viewers)
    await tx.session.execute(update(Session).where(Session.id == session_id).values(peak_viewers=peak))


async def overdue(tx: Transaction, now: datetime, overrun_seconds: float, limit: int = 100) -> list[Session]:
    """Sessions that nobody ended though their overrun is up, locked; those that another process holds are skipped."""
    statement = (
        select(Session)
        .where(Session.state.in_(OPEN_STATES), Session.ends_at <= now - timedelta(seconds=overrun_seconds))
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    return list((await tx.session.scalars(statement)).all())


def is_own(session: Session, account_id: UUID, action: Action) -> bool:
    """Whether the session is the account's for this action: it teaches it or answers for it; or reviews it, which is
    for seeing, watching and cutting it alone.
    """
    if action == Action.evidence_read:
        return account_id == session.reviewer_id
    if account_id == session.reviewer_id and action in REVIEWING:
        return True
    return account_id in (session.instructor_id, session.responsible_id)


def _own(account_id: UUID) -> list[ColumnElement[bool]]:
    return [
        Session.instructor_id == account_id,
        Session.responsible_id == account_id,
        Session.reviewer_id == account_id,
    ]
