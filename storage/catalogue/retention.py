"""The clock on recordings: which are due, marking, rescue, and the two steps of a purge.

Each step locks the recording's row and reads it anew, and asks the domain whether the move stands; so a promotion, a
hold and a purge of one recording queue on that row, and the first of them decides. Nothing here deletes an object.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, exists, func, select

from domain.facts import RecordingMarked, RecordingPurged
from domain.refusals import Refusal, RefusalCode
from domain.retention import Holding
from domain.retention import RetentionClass as Rule
from domain.states import RecordingMove, RecordingState
from storage.catalogue import audit, certificates, holds, recordings, withdrawals
from storage.catalogue.certificates import Proof
from storage.catalogue.tables.audit_entry import ActorKind
from storage.catalogue.tables.certificate import Certificate
from storage.catalogue.tables.hold import Hold
from storage.catalogue.tables.recording import Recording
from storage.catalogue.tables.retention_class import RetentionClass
from storage.catalogue.transaction import Actor, Transaction

MARKED = "recording_marked"
"""What the audit trail calls the decision to purge, by a person or by the clock."""
_NO_HOLD = ~exists().where(Hold.recording_id == Recording.id, Hold.lifted_at.is_(None))


@dataclass(frozen=True, slots=True)
class Plan:
    """What a sweep at an instant would find."""

    due: int
    due_bytes: int
    held: int
    """Their time is up, but a hold stands."""
    marked: int
    purging: int


async def classes(tx: Transaction) -> dict[str, Rule]:
    """Every retention class by its slug, as the domain reads them."""
    rows = await tx.session.scalars(select(RetentionClass).order_by(RetentionClass.slug))
    return {row.slug: Rule(row.slug, row.name_zh, row.name_en, row.months) for row in rows}


async def plan(tx: Transaction, now: datetime) -> Plan:
    """Counts without locking anything."""
    expired = (Recording.state == RecordingState.stored) & (Recording.expires_at <= now)
    due, due_bytes = (
        await tx.session.execute(
            select(func.count(), func.coalesce(func.sum(Recording.bytes), 0)).where(expired, _NO_HOLD)
        )
    ).one()
    all_expired = await tx.session.scalar(select(func.count()).where(expired)) or 0
    by_state = await tx.session.execute(
        select(Recording.state, func.count().label("number"))
        .where(Recording.state.in_((RecordingState.marked, RecordingState.purging)))
        .group_by(Recording.state)
    )
    counted = {row.state: row.number for row in by_state}
    return Plan(
        due=due,
        due_bytes=int(due_bytes),
        held=all_expired - due,
        marked=counted.get(RecordingState.marked, 0),
        purging=counted.get(RecordingState.purging, 0),
    )


async def due(
    tx: Transaction, now: datetime, limit: int = 100, only: Collection[UUID] | None = None
) -> Sequence[Recording]:
    """Stored recordings without a hold whose time is up, locked; those that another transaction holds are skipped."""
    statement = (
        select(Recording)
        .where(Recording.state == RecordingState.stored, Recording.expires_at <= now, _NO_HOLD, *_among(only))
        .order_by(Recording.expires_at)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    rows = (await tx.session.scalars(statement, execution_options={"populate_existing": True})).all()
    # A hold placed between this statement's snapshot and its locks did not change the row, so it is asked for again.
    held = await holds.standing(tx, [row.id for row in rows])
    return [row for row in rows if row.id not in held]


async def holding(tx: Transaction, recording: Recording) -> Holding:
    """What the domain's rules ask about a locked recording."""
    standing = await holds.count_standing(tx, recording.id)
    promoted = recording.state == RecordingState.promoted
    return Holding(recording.state, recording.expires_at, standing, promoted)


async def mark(tx: Transaction, recording: Recording, reason: str, now: datetime) -> None:
    """Puts a locked recording into the trash, and tells it."""
    await recordings.move(tx, recording, RecordingMove.mark)
    recording.marked_at = now
    recording.purge_reason = reason
    await tx.session.flush()
    await tx.fact(RecordingMarked(recording_id=recording.id))


async def rescue(tx: Transaction, recording: Recording, expires_at: datetime | None) -> None:
    """Takes a locked recording out of the trash; from here on its time is up at `expires_at`."""
    await recordings.move(tx, recording, RecordingMove.rescue)
    recording.marked_at = None
    recording.purge_reason = None
    recording.expires_at = expires_at
    await tx.session.flush()


async def ripe(
    tx: Transaction, marked_before: datetime, limit: int = 100, only: Collection[UUID] | None = None
) -> list[UUID]:
    """Recordings that have lain in the trash since before `marked_before`, and those whose purge was cut short."""
    in_trash = (Recording.state == RecordingState.marked) & (Recording.marked_at <= marked_before) & _NO_HOLD
    cut_short = Recording.state == RecordingState.purging
    statement = select(Recording.id).where(in_trash | cut_short, *_among(only)).order_by(Recording.marked_at)
    return list((await tx.session.scalars(statement.limit(limit))).all())


async def begin_purge(tx: Transaction, recording_id: UUID) -> Recording:
    """From here on its objects may be deleted, and nothing stops it: commit this before the first one goes. With the
    commit nobody who watched the class is shown it any more.

    Refusal("on_hold") where a hold stands; Refusal("move_not_allowed") where it was rescued or promoted meanwhile. One
    whose purge was begun before is returned as it is, to be taken up again.
    """
    recording = await recordings.lock(tx, recording_id)
    if recording.state == RecordingState.purging:
        return recording
    if standing := await holds.count_standing(tx, recording_id):
        raise Refusal(RefusalCode.on_hold, holds=standing)
    await recordings.move(tx, recording, RecordingMove.purge)
    await withdrawals.withdraw_all(tx, recording)
    return recording


async def finish_purge(tx: Transaction, recording_id: UUID, actor: Actor, proof: Proof, now: datetime) -> Certificate:
    """Nothing is left in the store: certificate, audit entry and fact. Finished before is finished: the certificate
    that it has is returned.
    """
    recording = await recordings.lock(tx, recording_id)
    there = await certificates.of_recording(tx, recording_id)
    if there is not None and recording.state == RecordingState.purged:
        return there
    await recordings.move(tx, recording, RecordingMove.purged)
    recording.purged_at = now
    recording.poster_key = None
    await tx.session.flush()
    certificate = await certificates.add(
        tx,
        actor,
        recording_id=recording.id,
        session_id=recording.session_id,
        title=recording.title,
        reason=recording.purge_reason or "expired",
        proof=proof,
        now=now,
        ordered_by=await _who_ordered(tx, recording_id),
    )
    await tx.fact(RecordingPurged(recording_id=recording.id))
    return certificate


async def _who_ordered(tx: Transaction, recording_id: UUID) -> str | None:
    """The name of the person who marked it; None where its time was up."""
    marked = (await audit.newest(tx, "recording", [recording_id], [MARKED])).get((recording_id, MARKED))
    return marked.actor_name if marked is not None and marked.actor_kind == ActorKind.account else None


def _among(only: Collection[UUID] | None) -> tuple[ColumnElement[bool], ...]:
    return () if only is None else (Recording.id.in_(only),)
