"""What cuts kept from the audience: stored once, whatever is sent again, and read by those who may alone."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import select

from storage.catalogue import recordings
from storage.catalogue.tables.evidence_reel import EvidenceReel
from storage.catalogue.transaction import Transaction


async def store(tx: Transaction, reel: EvidenceReel) -> bool:
    """Keeps a reel. False where its object is kept already; ValueError where that has other bytes;
    RecordingGone.
    """
    await recordings.lock_for_media(tx, reel.recording_id)
    there = await tx.session.scalar(select(EvidenceReel).where(EvidenceReel.object_key == reel.object_key))
    if there is None:
        tx.session.add(reel)
        await tx.session.flush()
        return True
    if there.sha256 != reel.sha256:
        raise ValueError(f"{reel.object_key} is kept with other bytes")
    return False


async def of_recording(tx: Transaction, recording_id: UUID) -> Sequence[EvidenceReel]:
    """The recording's evidence in the order in which it was captured."""
    statement = select(EvidenceReel).where(EvidenceReel.recording_id == recording_id)
    return (await tx.session.scalars(statement.order_by(EvidenceReel.starts_at, EvidenceReel.object_key))).all()
