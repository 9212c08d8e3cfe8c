"""What changes exactly when a recording's replay does: cheap to ask each second; its index is read only then."""

from typing import NamedTuple
from uuid import UUID

from sqlalchemy import func, select

from domain.states import RecordingState
from storage.catalogue.tables.recording import Recording
from storage.catalogue.tables.reel import Reel
from storage.catalogue.tables.rendition_reel import RenditionReel
from storage.catalogue.transaction import Transaction


class ReplayMark(NamedTuple):
    """A recording's state and how much of it there is; reels and renditions are only ever added."""

    state: RecordingState
    reels: int
    rendition_reels: int


async def of_recording(tx: Transaction, recording_id: UUID) -> ReplayMark | None:
    """The mark as it stands; None where there is no such recording."""
    reels = select(func.count()).select_from(Reel).where(Reel.recording_id == recording_id).scalar_subquery()
    encoded = select(func.count()).select_from(RenditionReel).where(RenditionReel.recording_id == recording_id)
    statement = select(Recording.state, reels, encoded.scalar_subquery()).where(Recording.id == recording_id)
    row = (await tx.session.execute(statement)).one_or_none()
    return None if row is None else ReplayMark(*row.tuple())
