"""Recordings: one for each session that was live. Promotion and purge both begin with `lock`; one of them wins."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, select, update

from domain.facts import RecordingStored
from domain.permissions import Reach
from domain.retention import RetentionClass as Rule
from domain.retention import expires_at
from domain.states import RECORDING, RecordingMove, RecordingState
from storage.catalogue.faults import RecordingGone
from storage.catalogue.paging import PAGE, Order, Page, page_of
from storage.catalogue.reaches import branches_of
from storage.catalogue.rows import found, locked
from storage.catalogue.tables.recording import Recording
from storage.catalogue.tables.retention_class import RetentionClass
from storage.catalogue.tables.session import Session
from storage.catalogue.transaction import Transaction

ORDER = Order(Recording.started_at, Recording.id)


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which recordings a list shows: in these states (empty: any), `q` anywhere in the title."""

    states: Collection[RecordingState] = ()
    q: str = ""


async def of_live_session(tx: Transaction, session: Session, now: datetime) -> Recording:
    """The recording of a locked session; made on the first take, with everything it inherits."""
    there = await of_session(tx, session.id)
    if there is not None:
        return there
    recording = Recording(
        session_id=session.id,
        title=session.title,
        state=RecordingState.capturing,
        programme_id=session.programme_id,
        department_id=session.department_id,
        cohort_id=session.cohort_id,
        instructor_id=session.instructor_id,
        release=session.release,
        retention_class=session.retention_class,
        started_at=now,
    )
    tx.session.add(recording)
    await tx.session.flush()
    return recording


async def get(tx: Transaction, recording_id: UUID) -> Recording:
    """The recording, or Refusal("not_found")."""
    return await found(tx, Recording, recording_id)


async def of_session(tx: Transaction, session_id: UUID) -> Recording | None:
    """The session's recording; None where it was never live."""
    return (await tx.session.scalars(select(Recording).where(Recording.session_id == session_id))).one_or_none()


@dataclass(frozen=True, slots=True)
class Recorded:
    """What a list of sessions says of a session's recording."""

    id: UUID
    state: RecordingState


async def of_sessions(tx: Transaction, session_ids: Collection[UUID]) -> dict[UUID, Recorded]:
    """Recordings by session id, for a page of sessions."""
    asked = select(Recording.session_id, Recording.id, Recording.state).where(Recording.session_id.in_(session_ids))
    return {row.session_id: Recorded(row.id, row.state) for row in await tx.session.execute(asked)}


async def by_id(tx: Transaction, ids: Collection[UUID]) -> dict[UUID, Recording]:
    """Recordings for a page of items."""
    rows = await tx.session.scalars(select(Recording).where(Recording.id.in_(ids)))
    return {row.id: row for row in rows}


async def lock(tx: Transaction, recording_id: UUID, version: int | None = None) -> Recording:
    """The recording, locked to the transaction's end; Refusal("stale_version") where it is not at `version`."""
    return await locked(tx, Recording, recording_id, version)


async def listing(
    tx: Transaction,
    reach: Reach,
    account_id: UUID,
    wanted: Wanted = Wanted(),
    *,
    cursor: str | None = None,
    limit: int = PAGE,
) -> Page[Recording]:
    """Recordings within the account's reach, the newest first."""
    branches = branches_of(
        reach,
        department_id=Recording.department_id,
        programme_id=Recording.programme_id,
        cohort_id=Recording.cohort_id,
        own=[Recording.instructor_id == account_id],
    )
    where: list[ColumnElement[bool]] = []
    if len(wanted.states) == 1:
        where.append(Recording.state == next(iter(wanted.states)))
    elif wanted.states:
        where.append(Recording.state.in_(wanted.states))
    if wanted.q.strip():
        where.append(Recording.title.icontains(wanted.q.strip(), autoescape=True))
    return await page_of(tx, Recording, ORDER, where=where, branches=branches, cursor=cursor, limit=limit)


async def move(tx: Transaction, recording: Recording, step: RecordingMove) -> RecordingState:
    """Moves a locked recording; Refusal("move_not_allowed") where the table has no such move."""
    recording.state = RECORDING.move(recording.state, step)
    await tx.session.flush()
    return recording.state


async def capture_ended(tx: Transaction, recording_id: UUID, ended_at: datetime) -> Recording:
    """All its reels are stored: from here on its clock runs, from its session's end (`ended_at` where it has none).

    Told as a fact once; a recording that was stored already is returned as it is.
    """
    recording = await lock(tx, recording_id)
    if recording.state != RecordingState.capturing:
        return recording
    session = await found(tx, Session, recording.session_id)
    recording.ended_at = max(ended_at, recording.started_at)  # by a clock that was set back meanwhile
    recording.expires_at = await expiry(tx, recording.retention_class, session.ended_at or ended_at)
    await move(tx, recording, RecordingMove.capture_ended)
    await tx.fact(RecordingStored(recording_id=recording.id))
    return recording


async def expiry(tx: Transaction, retention_class: str, session_ended_at: datetime) -> datetime | None:
    """When a recording of this class is kept long enough; ValueError where there is no such class."""
    row = await tx.session.get(RetentionClass, retention_class)
    if row is None:
        raise ValueError(f"there is no retention class {retention_class!r}")
    return expires_at(Rule(row.slug, row.name_zh, row.name_en, row.months), session_ended_at)


async def lock_for_media(tx: Transaction, recording_id: UUID) -> Recording:
    """The recording, locked, to take media. RecordingGone where its media is purged or being purged (article 16)."""
    recording = await lock(tx, recording_id)
    if recording.state in (RecordingState.purging, RecordingState.purged):
        raise RecordingGone(recording_id)
    return recording


async def grow(tx: Transaction, recording_id: UUID, *, duration_ms: int, size: int) -> None:
    """Adds a stored reel's length and bytes, and locks the recording. RecordingGone, as above. The version stays:
    growing is no edit that a person could lose.
    """
    statement = (
        update(Recording)
        .where(Recording.id == recording_id, Recording.state.not_in((RecordingState.purging, RecordingState.purged)))
        .values(duration_ms=Recording.duration_ms + duration_ms, bytes=Recording.bytes + size)
        .returning(Recording.id)
    )
    if await tx.session.scalar(statement) is None:
        await lock(tx, recording_id)  # refused where there is none
        raise RecordingGone(recording_id)


async def set_poster(tx: Transaction, recording_id: UUID, object_key: str) -> None:
    """Names the picture that lists show; no edit either."""
    statement = update(Recording).where(Recording.id == recording_id).values(poster_key=object_key)
    await tx.session.execute(statement)
