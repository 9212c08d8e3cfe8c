"""A timetable's rows to sessions, bookings and entries, all in the caller's transaction (R4, R12).

Importing the same file again changes nothing: an entry is known by (uid, occurrence) and by the fingerprint of what it
says. The timetable's row is locked, so that two imports of one queue.
"""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from domain.kinds import BookingKind, Interaction, Release, SessionKind
from domain.permissions import Action, Scope, may_anywhere
from domain.schedule import Booking
from domain.states import SessionState
from storage.catalogue import bookings, institute, sessions, timetables
from storage.catalogue.accounts import folded
from storage.catalogue.tables.session import Session
from storage.catalogue.tables.timetable import Timetable
from storage.catalogue.tables.timetable_import import TimetableImport
from storage.catalogue.timetable_sessions import Teacher, audit_all, cancel_all, lock_sessions, teachers
from storage.catalogue.timetables import Entry
from storage.catalogue.transaction import Actor, Transaction
from teaching import import_clashes
from teaching.import_plan import CANCELLED, Placed, Plan, fingerprint, plan, refused, to_lock
from teaching.import_report import CancelledSession, ImportReport
from teaching.rows import BadRow, Row, RowCode
from teaching.timetable_file import Reading

ORDINARY = "ordinary_teaching"
"""The retention class of daily sessions (article 16)."""
NOBODY = UUID(int=0)
"""Stands for the instructor of a class that does not take place."""
NOT_IN_TIMETABLE = "not_in_timetable"
WORDS = {
    BookingKind.room: "the room is taken",
    BookingKind.instructor: "the instructor teaches elsewhere",
    BookingKind.cohort: "the cohort has another class",
    BookingKind.equipment: "the equipment is taken",
}


@dataclass(frozen=True, slots=True)
class SourceFile:
    """What was imported, and by whom."""

    name: str
    data: bytes
    actor: Actor


async def import_rows(
    tx: Transaction, timetable_id: UUID, reading: Reading, source: SourceFile, now: datetime
) -> TimetableImport:
    """Take a reading into the timetable; the kept record has the report. Refusals: not_found, and slot_taken where
    somebody else booked a slot in the meantime: then nothing of it is done, and it may be tried again.
    """
    timetable = await timetables.lock(tx, timetable_id)
    scope = await institute.scope_of(tx, timetable.programme_id, timetable.cohort_id)
    report = ImportReport()
    found = await teachers(tx, {login for row in reading.rows for login in row.instructors})
    rows, unknown = _with_instructors(reading.rows, found, scope)
    bad = [*reading.bad, *unknown]
    entries = await timetables.entries(tx, timetable_id)
    locked = await lock_sessions(tx, to_lock(entries, rows))
    made = plan(rows, bad, entries, locked, now=now, until=reading.until or now)
    made.reject += await _without_clashes(tx, made, scope)
    await _write(tx, timetable_id, made, locked, scope, now)
    changed = [placed.session_id for placed in made.change]
    await audit_all(tx, source.actor, "session_changed", changed, timetable=timetable.slug)
    await _cancel(tx, timetable, made.cancel, locked, source.actor, now)
    report.created, report.changed = len(made.create), len(made.change)
    gone = [locked[entry.session_id] for entry in made.cancel]
    report.cancel([CancelledSession(one.id, one.title, one.starts_at) for one in gone])
    report.unchanged, report.past, report.kept = made.unchanged, made.past, made.kept
    report.reject((*bad, *made.reject))
    return await _record(tx, timetable_id, report, source, now)


def _with_instructors(
    rows: Iterable[Row], found: dict[str, Teacher], scope: Scope
) -> tuple[list[tuple[Row, UUID, str]], list[BadRow]]:
    """Each row with the account that teaches it and its fingerprint; what has none is rejected."""
    taken: list[tuple[Row, UUID, str]] = []
    bad: list[BadRow] = []
    for row in rows:
        teacher = next((found[folded(login)] for login in row.instructors if folded(login) in found), None)
        named = row.instructors[0][:60] if row.instructors else ""
        if row.cancelled:
            taken.append((row, NOBODY, CANCELLED))
        elif not named:
            bad.append(refused(row, RowCode.instructor_missing, "no instructor is named"))
        elif teacher is None:
            bad.append(refused(row, RowCode.instructor_unknown, f'no account has the login "{named}"'))
        elif not may_anywhere(teacher.grants, Action.session_publish):
            bad.append(refused(row, RowCode.instructor_may_not_publish, f'"{named}" has no role that teaches'))
        else:
            taken.append((row, teacher.id, fingerprint(row, teacher.id, scope)))
    return taken, bad


async def _without_clashes(tx: Transaction, made: Plan, scope: Scope) -> list[BadRow]:
    """Takes out of the plan what cannot be booked; the rows with who is in their way."""
    wanted = sorted((*made.create, *made.change), key=lambda placed: placed.row.number)
    wishes = {placed.session_id: import_clashes.bookings(placed, scope.cohort_id) for placed in wanted}
    gone = {entry.session_id for entry in made.cancel}
    clashes = await bookings.conflicts(tx, [wish for mine in wishes.values() for wish in mine], gone)
    moved = {placed.session_id for placed in made.change}
    in_the_way = import_clashes.refusals(wanted, wishes, clashes, moved)
    if not in_the_way:
        return []
    others = {other.session_id for other in in_the_way.values() if other.session_id is not None}
    titles = {key: row.title for key, row in (await sessions.by_id(tx, others)).items()}
    titles |= {placed.session_id: placed.row.title for placed in wanted if placed.session_id not in in_the_way}
    made.create = [placed for placed in made.create if placed.session_id not in in_the_way]
    made.change = [placed for placed in made.change if placed.session_id not in in_the_way]
    return [_clash(placed.row, in_the_way[placed.session_id], titles) for placed in wanted
            if placed.session_id in in_the_way]  # fmt: skip


def _clash(row: Row, other: Booking, titles: dict[UUID, str]) -> BadRow:
    zone = row.starts_at.tzinfo
    starts, ends = other.during.starts_at.astimezone(zone), other.during.ends_at.astimezone(zone)
    title = titles.get(other.session_id, "") if other.session_id else ""
    when = f"{starts:%Y-%m-%d %H:%M}–{ends:%H:%M}"
    what = f" ({other.resource})" if other.kind in (BookingKind.room, BookingKind.equipment) else ""
    return refused(row, RowCode.slot_taken, f"{WORDS[other.kind]}{what} by 《{title}》, {when}")


async def _write(
    tx: Transaction, timetable_id: UUID, made: Plan, locked: dict[UUID, Session], scope: Scope, now: datetime
) -> None:
    for placed in made.change:
        _bring_up_to_date(locked[placed.session_id], placed, scope)
    await tx.session.flush()
    await sessions.add(tx, [_session(placed, scope, now) for placed in made.create])
    await bookings.release(tx, [entry.session_id for entry in made.cancel])
    both = (*made.create, *made.change)
    await bookings.replace(
        tx,
        [placed.session_id for placed in made.change],
        [wish for placed in both for wish in import_clashes.bookings(placed, scope.cohort_id)],
    )
    await timetables.put_entries(
        tx, timetable_id, [Entry(*placed.row.key, placed.fingerprint, placed.session_id) for placed in both]
    )


def _session(placed: Placed, scope: Scope, now: datetime) -> Session:
    row = placed.row
    return Session(
        id=placed.session_id, kind=SessionKind.daily, interaction=Interaction.interactive, title=row.title,
        state=SessionState.scheduled, department_id=scope.department_id, programme_id=scope.programme_id,
        cohort_id=scope.cohort_id, instructor_id=placed.instructor_id, responsible_id=placed.instructor_id,
        starts_at=row.starts_at, ends_at=row.ends_at, room=row.room, release=Release.roster_at_once,
        retention_class=ORDINARY, created_at=now,
    )  # fmt: skip


def _bring_up_to_date(session: Session, placed: Placed, scope: Scope) -> None:
    row = placed.row
    if session.responsible_id == session.instructor_id:
        session.responsible_id = placed.instructor_id
    session.instructor_id = placed.instructor_id
    session.title, session.room = row.title, row.room
    session.starts_at, session.ends_at = row.starts_at, row.ends_at
    session.department_id, session.programme_id = scope.department_id, scope.programme_id
    session.cohort_id = scope.cohort_id


async def _cancel(
    tx: Transaction,
    timetable: Timetable,
    gone: Sequence[Entry],
    locked: dict[UUID, Session],
    actor: Actor,
    now: datetime,
) -> None:
    cancelled = [entry.session_id for entry in gone]
    await cancel_all(tx, [locked[key] for key in cancelled], now, NOT_IN_TIMETABLE)
    await audit_all(tx, actor, "session_cancelled", cancelled, timetable=timetable.slug)
    marks = [Entry(entry.uid, entry.occurrence, CANCELLED, entry.session_id) for entry in gone]
    await timetables.put_entries(tx, timetable.id, marks)


async def _record(
    tx: Transaction, timetable_id: UUID, report: ImportReport, source: SourceFile, now: datetime
) -> TimetableImport:
    digest = hashlib.sha256(source.data).digest()
    kept = await timetables.record_import(
        tx, timetable_id, account_id=source.actor.account_id, now=now, file_name=source.name, file_sha256=digest,
        report=report.to_json(),
    )  # fmt: skip
    counts = {**report.counts(), "rejected": len(report.rejected)}
    await tx.audit(source.actor, "timetable_imported", "timetable", timetable_id, file=source.name,
                   sha256=digest.hex(), **counts)  # fmt: skip
    return kept
