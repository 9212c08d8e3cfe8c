"""What cuts kept from the audience: stored once, whatever is sent again, and read by those who may alone."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import func, select

from domain.facts import EvidenceStored
from domain.permissions import Reach
from domain.states import RecordingState
from storage.catalogue import recordings
from storage.catalogue.paging import PAGE, Page, page_of
from storage.catalogue.reaches import branches_of
from storage.catalogue.tables.evidence_reel import EvidenceReel
from storage.catalogue.tables.recording import Recording
from storage.catalogue.tables.session import Session
from storage.catalogue.transaction import Transaction

GONE = (RecordingState.purging, RecordingState.purged)


@dataclass(frozen=True, slots=True)
class Extent:
    """How much was kept of one recording."""

    stretches: int
    first_at: datetime
    last_at: datetime
    duration_ms: int
    bytes: int


async def store(tx: Transaction, reel: EvidenceReel) -> bool:
    """Keeps a reel. False where its object is kept already; ValueError where that has other bytes;
    RecordingGone.
    """
    await recordings.lock_for_media(tx, reel.recording_id)
    there = await tx.session.scalar(select(EvidenceReel).where(EvidenceReel.object_key == reel.object_key))
    if there is None:
        tx.session.add(reel)
        await tx.session.flush()
        await tx.fact(EvidenceStored(recording_id=reel.recording_id, evidence_reel_id=reel.id))
        return True
    if there.sha256 != reel.sha256:
        raise ValueError(f"{reel.object_key} is kept with other bytes")
    return False


async def of_recording(tx: Transaction, recording_id: UUID) -> Sequence[EvidenceReel]:
    """The recording's evidence in the order in which it was captured."""
    statement = select(EvidenceReel).where(EvidenceReel.recording_id == recording_id)
    return (await tx.session.scalars(statement.order_by(EvidenceReel.starts_at, EvidenceReel.object_key))).all()


async def listing(
    tx: Transaction, reach: Reach, account_id: UUID, *, cursor: str | None = None, limit: int = PAGE
) -> Page[Recording]:
    """Recordings within the account's reach of which something was cut and is there, the newest first. One's own are
    those whose sessions one reviews.
    """
    reviewed = select(Session.id).where(Session.reviewer_id == account_id)
    branches = branches_of(
        reach,
        department_id=Recording.department_id,
        programme_id=Recording.programme_id,
        cohort_id=Recording.cohort_id,
        own=[Recording.session_id.in_(reviewed)],
    )
    kept = [Recording.id.in_(select(EvidenceReel.recording_id)), Recording.state.not_in(GONE)]
    return await page_of(tx, Recording, recordings.ORDER, where=kept, branches=branches, cursor=cursor, limit=limit)


async def extents(tx: Transaction, recording_ids: Collection[UUID]) -> dict[UUID, Extent]:
    """How much was kept of these, for a page of items."""
    reel = EvidenceReel
    statement = (
        select(
            reel.recording_id,
            func.count(),
            func.min(reel.starts_at),
            func.max(reel.starts_at),
            func.sum(reel.duration_ms),
            func.sum(reel.bytes),
        )
        .where(reel.recording_id.in_(recording_ids))
        .group_by(reel.recording_id)
    )
    rows = (await tx.session.execute(statement)).tuples()
    return {one: Extent(count, first, last, int(ms), int(size)) for one, count, first, last, ms, size in rows}
