"""Holds: a stop put on purging. Placed and lifted under the recording row's lock, so that none is missed by a purge."""

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from sqlalchemy import func, select

from domain.refusals import Refusal, RefusalCode
from domain.states import RecordingState
from storage.catalogue import recordings
from storage.catalogue.tables.hold import Hold
from storage.catalogue.transaction import Transaction


async def place(tx: Transaction, recording_id: UUID, reason: str, placed_by: UUID | None, now: datetime) -> Hold:
    """Puts a hold on the recording; Refusal("already_purged") once its objects are going or gone."""
    recording = await recordings.lock(tx, recording_id)
    if recording.state in (RecordingState.purging, RecordingState.purged):
        raise Refusal(RefusalCode.already_purged)
    hold = Hold(recording_id=recording_id, reason=reason, placed_by=placed_by, placed_at=now)
    tx.session.add(hold)
    await tx.session.flush()
    return hold


async def lift(
    tx: Transaction, recording_id: UUID, hold_id: UUID, lifted_by: UUID | None, reason: str, now: datetime
) -> Hold:
    """Lifts a hold; Refusal("not_found") where it does not stand on this recording."""
    await recordings.lock(tx, recording_id)
    hold = await tx.session.get(Hold, hold_id, with_for_update=True, populate_existing=True)
    if hold is None or hold.recording_id != recording_id or hold.lifted_at is not None:
        raise Refusal(RefusalCode.not_found, kind="hold", id=hold_id)
    hold.lifted_by, hold.lifted_at, hold.lift_reason = lifted_by, now, reason
    await tx.session.flush()
    return hold


async def standing(tx: Transaction, recording_ids: Collection[UUID]) -> dict[UUID, list[Hold]]:
    """The holds that stand on each recording; one without any has no entry."""
    statement = select(Hold).where(Hold.recording_id.in_(recording_ids), Hold.lifted_at.is_(None))
    found: dict[UUID, list[Hold]] = {}
    for hold in await tx.session.scalars(statement.order_by(Hold.placed_at, Hold.id)):
        found.setdefault(hold.recording_id, []).append(hold)
    return found


async def lifted(tx: Transaction, recording_ids: Collection[UUID]) -> dict[UUID, list[Hold]]:
    """The holds that stood on each recording once and were lifted, the latest first."""
    statement = select(Hold).where(Hold.recording_id.in_(recording_ids), Hold.lifted_at.is_not(None))
    found: dict[UUID, list[Hold]] = {}
    for hold in await tx.session.scalars(statement.order_by(Hold.lifted_at.desc(), Hold.id)):
        found.setdefault(hold.recording_id, []).append(hold)
    return found


async def count_standing(tx: Transaction, recording_id: UUID) -> int:
    """How many holds stand on the recording."""
    statement = select(func.count()).where(Hold.recording_id == recording_id, Hold.lifted_at.is_(None))
    return await tx.session.scalar(statement) or 0
