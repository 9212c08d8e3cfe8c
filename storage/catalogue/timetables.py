"""Timetables and their entries. An import locks its timetable, so that two of one queue, and writes in bulk."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert

from storage.catalogue.identifiers import new_id
from storage.catalogue.rows import locked
from storage.catalogue.tables.timetable import Timetable
from storage.catalogue.tables.timetable_entry import TimetableEntry
from storage.catalogue.tables.timetable_import import TimetableImport
from storage.catalogue.transaction import Transaction

BATCH = 1000
"""Rows in one INSERT."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One occurrence as its source names it, what it said, and the session that it made."""

    uid: str
    occurrence: str
    fingerprint: str
    session_id: UUID


async def put(
    tx: Transaction, slug: str, title: str, *, programme_id: UUID | None = None, cohort_id: UUID | None = None
) -> Timetable:
    """The timetable called `slug`, made or brought up to date."""
    values = {"title": title, "programme_id": programme_id, "cohort_id": cohort_id}
    statement = insert(Timetable).values(slug=slug, **values)
    statement = statement.on_conflict_do_update(index_elements=["slug"], set_=values)
    rows = await tx.session.scalars(statement.returning(Timetable), execution_options={"populate_existing": True})
    return rows.one()


async def every(tx: Transaction) -> Sequence[Timetable]:
    """All timetables, by title."""
    return (await tx.session.scalars(select(Timetable).order_by(Timetable.title, Timetable.id))).all()


async def by_slug(tx: Transaction, slug: str) -> Timetable | None:
    """The timetable called `slug`."""
    return (await tx.session.scalars(select(Timetable).where(Timetable.slug == slug))).one_or_none()


async def lock(tx: Transaction, timetable_id: UUID) -> Timetable:
    """The timetable, locked to the transaction's end; Refusal("not_found")."""
    return await locked(tx, Timetable, timetable_id)


async def entries(tx: Transaction, timetable_id: UUID) -> dict[tuple[str, str], Entry]:
    """Everything in the timetable, by the source's own name: (uid, occurrence)."""
    columns = (TimetableEntry.uid, TimetableEntry.occurrence, TimetableEntry.fingerprint, TimetableEntry.session_id)
    rows = await tx.session.execute(select(*columns).where(TimetableEntry.timetable_id == timetable_id))
    return {(row.uid, row.occurrence): Entry(*row) for row in rows}


async def put_entries(tx: Transaction, timetable_id: UUID, new: Sequence[Entry]) -> None:
    """Keeps entries; those that are there under the same name say from now on what these say."""
    for start in range(0, len(new), BATCH):
        rows: list[dict[str, Any]] = [
            {
                "id": new_id(),
                "timetable_id": timetable_id,
                "uid": entry.uid,
                "occurrence": entry.occurrence,
                "fingerprint": entry.fingerprint,
                "session_id": entry.session_id,
            }
            for entry in new[start : start + BATCH]
        ]
        statement = insert(TimetableEntry).values(rows)
        changed = {name: getattr(statement.excluded, name) for name in ("fingerprint", "session_id")}
        key = ["timetable_id", "uid", "occurrence"]
        await tx.session.execute(statement.on_conflict_do_update(index_elements=key, set_=changed))


async def record_import(
    tx: Transaction,
    timetable_id: UUID,
    *,
    account_id: UUID | None,
    now: datetime,
    file_name: str,
    file_sha256: bytes,
    report: dict[str, Any],
) -> TimetableImport:
    """Keeps that a file was imported, with its report."""
    row = TimetableImport(
        timetable_id=timetable_id,
        account_id=account_id,
        at=now,
        file_name=file_name,
        file_sha256=file_sha256,
        report=report,
    )
    tx.session.add(row)
    await tx.session.flush()
    return row


async def imports(tx: Transaction, timetable_id: UUID, limit: int = 20) -> Sequence[TimetableImport]:
    """The timetable's last imports, the newest first."""
    statement = select(TimetableImport).where(TimetableImport.timetable_id == timetable_id)
    return (await tx.session.scalars(statement.order_by(TimetableImport.at.desc()).limit(limit))).all()


async def count_entries(tx: Transaction, timetable_id: UUID) -> int:
    """How many entries the timetable has."""
    statement = select(func.count()).where(TimetableEntry.timetable_id == timetable_id)
    return await tx.session.scalar(statement) or 0
