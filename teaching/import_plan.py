"""What an import should do with each row: a decision over what the timetable's entries and sessions are now.

Rule of this file: a session that is live is never changed, and one that is over keeps its record. A session that a
person cancelled stays cancelled; one that an import cancelled comes back as a new one when its row does. An entry that
is gone from the file is cancelled if its class is still to come, unless an unreadable row may have meant it.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from uuid import UUID

from domain.permissions import Scope
from domain.states import SessionState
from storage.catalogue.identifiers import new_id
from storage.catalogue.tables.session import Session
from storage.catalogue.timetables import Entry
from teaching.rows import BadRow, Row, RowCode

CANCELLED = "cancelled"
"""The fingerprint of an entry whose session an import has cancelled."""
ON_AIR = (SessionState.live, SessionState.cut)


@dataclass(frozen=True, slots=True)
class Placed:
    """A row with its instructor found, and the session it makes or changes."""

    row: Row
    instructor_id: UUID
    fingerprint: str
    session_id: UUID


@dataclass
class Plan:
    """What to do; the counts of the rest."""

    create: list[Placed] = field(default_factory=list)
    change: list[Placed] = field(default_factory=list)
    cancel: list[Entry] = field(default_factory=list)
    reject: list[BadRow] = field(default_factory=list)
    unchanged: int = 0
    past: int = 0
    kept: int = 0


def fingerprint(row: Row, instructor_id: UUID, scope: Scope) -> str:
    """A digest of all that a session takes from its row and its timetable."""
    said = [
        row.title,
        row.starts_at.astimezone(UTC).isoformat(),
        row.ends_at.astimezone(UTC).isoformat(),
        row.room,
        str(instructor_id),
        str(scope.programme_id),
        str(scope.cohort_id),
    ]
    return hashlib.sha256(json.dumps(said, ensure_ascii=False).encode()).hexdigest()


def refused(row: Row, code: RowCode, detail: str) -> BadRow:
    """A row that was read, and not taken."""
    return BadRow(row.number, code, detail, row.uid, row.occurrence, row.title)


def to_lock(entries: Mapping[tuple[str, str], Entry], rows: Sequence[tuple[Row, UUID, str]]) -> set[UUID]:
    """The sessions whose state decides: those of entries that changed or are gone. All others stay untouched."""
    same = {row.key for row, _, said in rows if row.key in entries and entries[row.key].fingerprint == said}
    same -= {row.key for row, _, _ in rows if row.cancelled}
    return {entry.session_id for key, entry in entries.items() if key not in same and entry.fingerprint != CANCELLED}


def plan(
    rows: Sequence[tuple[Row, UUID, str]],
    bad: Sequence[BadRow],
    entries: Mapping[tuple[str, str], Entry],
    sessions: Mapping[UUID, Session],
    *,
    now: datetime,
    until: datetime,
) -> Plan:
    """Decide on every row, then on every entry that no row names."""
    made = Plan()
    for row, instructor_id, said in rows:
        entry = entries.get(row.key)
        if entry is None or entry.fingerprint == CANCELLED:
            _fresh(made, row, instructor_id, said, known=entry is not None, now=now)
        else:
            _known(made, Placed(row, instructor_id, said, entry.session_id), entry, sessions, now)
    named = {row.key for row, _, _ in rows}
    missing = (entry for key, entry in entries.items() if key not in named)
    # A file of which nothing was taken (a wrong column, another's file) says nothing of what is not in it.
    _gone(made, missing, bad, sessions, now, until, keeps_all=not rows)
    return made


def _fresh(made: Plan, row: Row, instructor_id: UUID, said: str, *, known: bool, now: datetime) -> None:
    if row.cancelled or (known and row.ends_at <= now):
        made.unchanged += 1
    elif row.ends_at <= now:
        made.past += 1
    else:
        made.create.append(Placed(row, instructor_id, said, new_id()))


def _known(made: Plan, placed: Placed, entry: Entry, sessions: Mapping[UUID, Session], now: datetime) -> None:
    row, session = placed.row, sessions.get(entry.session_id)
    if session is None or (entry.fingerprint == placed.fingerprint and not row.cancelled):
        made.unchanged += 1
    elif session.state in ON_AIR:
        made.reject.append(refused(row, RowCode.session_live, f"《{session.title}》 is live and stays as it is"))
    elif session.state == SessionState.cancelled or (session.state == SessionState.ended and row.ends_at <= now):
        made.unchanged += 1
    elif session.state == SessionState.ended:
        made.reject.append(refused(row, RowCode.session_over, f"《{session.title}》 was held already"))
    elif row.cancelled:
        made.cancel.append(entry)
    elif row.ends_at <= now and session.ends_at <= now:
        made.unchanged += 1
    elif row.ends_at <= now:
        made.reject.append(refused(row, RowCode.in_the_past, "the class cannot be moved to a time that is over"))
    else:
        made.change.append(placed)


def _gone(
    made: Plan,
    entries: Iterable[Entry],
    bad: Sequence[BadRow],
    sessions: Mapping[UUID, Session],
    now: datetime,
    until: datetime,
    *,
    keeps_all: bool,
) -> None:
    for entry in entries:
        session = sessions.get(entry.session_id)
        if session is None or session.state != SessionState.scheduled or not now < session.starts_at < until:
            continue
        if keeps_all or any(row.may_be(entry.uid, entry.occurrence) for row in bad):
            made.kept += 1
        else:
            made.cancel.append(entry)
