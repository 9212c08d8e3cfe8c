"""What an import of a timetable asks of the catalogue in bulk: its sessions, its teachers, and who sees it."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import insert, select

from domain.permissions import Grant
from domain.states import SessionMove, session_machine
from storage.catalogue.accounts import folded
from storage.catalogue.tables.account import Account
from storage.catalogue.tables.audit_entry import AuditEntry
from storage.catalogue.tables.role_grant import RoleGrant
from storage.catalogue.tables.session import Session
from storage.catalogue.tables.timetable_entry import TimetableEntry
from storage.catalogue.transaction import Actor, Transaction

BATCH = 5_000
"""Ids in one statement, far below PostgreSQL's 65,535 parameters."""


@dataclass(frozen=True, slots=True)
class Teacher:
    """An account that may be meant by a login in a timetable."""

    id: UUID
    grants: tuple[Grant, ...]


async def lock_sessions(tx: Transaction, ids: Collection[UUID]) -> dict[UUID, Session]:
    """These sessions as they are now, locked to the transaction's end, always in the order of their ids."""
    ordered = sorted(ids)
    found: dict[UUID, Session] = {}
    for start in range(0, len(ordered), BATCH):
        statement = select(Session).where(Session.id.in_(ordered[start : start + BATCH])).order_by(Session.id)
        rows = await tx.session.scalars(statement.with_for_update(), execution_options={"populate_existing": True})
        found |= {row.id: row for row in rows}
    return found


async def cancel_all(tx: Transaction, found: Collection[Session], now: datetime, reason: str) -> None:
    """As `sessions.move` cancels one, for many that are locked; Refusal("move_not_allowed")."""
    for session in found:
        session.state = session_machine(session.kind).move(session.state, SessionMove.cancel)
        session.ended_at, session.end_reason = now, reason
    await tx.session.flush()


async def audit_all(tx: Transaction, actor: Actor, action: str, session_ids: Collection[UUID], **details: Any) -> None:
    """One entry for each session, as `Transaction.audit` writes them, in one statement."""
    rows = [
        {
            "actor_kind": actor.kind,
            "actor_id": actor.account_id,
            "actor_name": actor.name,
            "address": actor.address,
            "action": action,
            "item_kind": "session",
            "item_id": str(session_id),
            "details": details,
        }
        for session_id in session_ids
    ]
    for start in range(0, len(rows), BATCH):
        await tx.session.execute(insert(AuditEntry).values(rows[start : start + BATCH]))


async def teachers(tx: Transaction, logins: Collection[str]) -> dict[str, Teacher]:
    """The accounts behind these logins, by the folded login, with what was granted to them; disabled ones are none."""
    wanted = sorted({folded(login) for login in logins})
    found: dict[str, Teacher] = {}
    for start in range(0, len(wanted), BATCH):
        chosen = Account.login.in_(wanted[start : start + BATCH]), Account.disabled_at.is_(None)
        accounts = (await tx.session.execute(select(Account.login, Account.id).where(*chosen))).all()
        given = select(RoleGrant).join(Account, Account.id == RoleGrant.account_id).where(*chosen)
        grants: dict[UUID, list[Grant]] = {}
        for row in await tx.session.scalars(given):
            grants.setdefault(row.account_id, []).append(Grant(row.role, row.scope_kind, row.scope_id))
        found |= {login: Teacher(key, tuple(grants.get(key, ()))) for login, key in accounts}
    return found


async def taught_by(tx: Transaction, account_id: UUID) -> set[UUID]:
    """The timetables that have a session of this instructor."""
    statement = (
        select(TimetableEntry.timetable_id)
        .join(Session, Session.id == TimetableEntry.session_id)
        .where(Session.instructor_id == account_id)
        .distinct()
    )
    return set((await tx.session.scalars(statement)).all())
