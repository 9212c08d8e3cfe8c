"""The audit trail, from its readers' side. Entries are appended by `Transaction.audit` and never change."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select

from storage.catalogue.tables.audit_entry import AuditEntry
from storage.catalogue.transaction import Transaction

PAGE = 100


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which entries are read; what is None does not matter."""

    item_kind: str | None = None
    item_id: str | None = None
    actor_id: UUID | None = None
    action: str | None = None
    since: datetime | None = None
    until: datetime | None = None


async def entries(
    tx: Transaction, wanted: Wanted = Wanted(), *, before: int | None = None, limit: int = PAGE
) -> list[AuditEntry]:
    """The newest entries first; `before` is the id of the last one of the page before."""
    statement = select(AuditEntry).order_by(AuditEntry.id.desc()).limit(limit)
    exact = {
        AuditEntry.item_kind: wanted.item_kind,
        AuditEntry.item_id: wanted.item_id,
        AuditEntry.actor_id: wanted.actor_id,
        AuditEntry.action: wanted.action,
    }
    for column, value in exact.items():
        if value is not None:
            statement = statement.where(column == value)
    if wanted.since is not None:
        statement = statement.where(AuditEntry.at >= wanted.since)
    if wanted.until is not None:
        statement = statement.where(AuditEntry.at < wanted.until)
    if before is not None:
        statement = statement.where(AuditEntry.id < before)
    return list((await tx.session.scalars(statement)).all())


async def newest(
    tx: Transaction, item_kind: str, item_ids: Collection[UUID], actions: Collection[str]
) -> dict[tuple[UUID, str], AuditEntry]:
    """The newest entry of each of these actions on each of these items; one that never was has none."""
    statement = (
        select(AuditEntry)
        .where(
            AuditEntry.item_kind == item_kind,
            AuditEntry.item_id.in_([str(one) for one in item_ids]),
            AuditEntry.action.in_(actions),
        )
        .order_by(AuditEntry.item_id, AuditEntry.action, AuditEntry.id.desc())
        .distinct(AuditEntry.item_id, AuditEntry.action)
    )
    return {(UUID(one.item_id), one.action): one for one in await tx.session.scalars(statement)}
