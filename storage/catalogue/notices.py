"""Notices that a recording's time is nearly up. Which are due is `domain.retention.notices_due`'s business."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import exists, func, select
from sqlalchemy.dialects.postgresql import insert

from domain.states import RecordingState
from storage.catalogue.tables.hold import Hold
from storage.catalogue.tables.recording import Recording
from storage.catalogue.tables.retention_notice import RetentionNotice
from storage.catalogue.transaction import Transaction


@dataclass(frozen=True, slots=True)
class Expiring:
    """A recording whose time is nearly up, and which notices of it were sent."""

    recording: Recording
    sent: frozenset[int]


async def expiring(
    tx: Transaction,
    now: datetime,
    within_days: int,
    *,
    after: UUID | None = None,
    limit: int = 500,
    only: Collection[UUID] | None = None,
) -> list[Expiring]:
    """Stored recordings without a hold that expire within so many days, by id from `after` on."""
    sent = func.array_remove(func.array_agg(RetentionNotice.days), None)
    statement = (
        select(Recording, sent)
        .outerjoin(RetentionNotice, RetentionNotice.recording_id == Recording.id)
        .where(Recording.state == RecordingState.stored)
        .where(Recording.expires_at > now, Recording.expires_at <= now + timedelta(days=within_days))
        .where(~exists().where(Hold.recording_id == Recording.id, Hold.lifted_at.is_(None)))
        .group_by(Recording.id)
        .order_by(Recording.id)
        .limit(limit)
    )
    if after is not None:
        statement = statement.where(Recording.id > after)
    if only is not None:
        statement = statement.where(Recording.id.in_(only))
    rows = (await tx.session.execute(statement)).all()
    return [Expiring(recording, frozenset(days or ())) for recording, days in rows]


async def record(tx: Transaction, recording_id: UUID, days: int, now: datetime) -> bool:
    """Keeps that the notice of so many days was sent; False where it was sent before."""
    statement = (
        insert(RetentionNotice)
        .values(recording_id=recording_id, days=days, sent_at=now)
        .on_conflict_do_nothing(index_elements=["recording_id", "days"])
        .returning(RetentionNotice.id)
    )
    return await tx.session.scalar(statement) is not None
