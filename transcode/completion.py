"""When a ladder is complete: the recording is whole and each of its reels was encoded."""

from uuid import UUID

from domain.facts import LadderCompleted
from domain.states import RecordingState
from storage.catalogue import recordings, reels, work
from storage.catalogue.transaction import Transaction
from transcode import subjects

WHOLE = (RecordingState.stored, RecordingState.promoted)


async def tell_if_complete(tx: Transaction, recording_id: UUID) -> bool:
    """Tell LadderCompleted if it is; the recording's lock makes the last two jobs ask one after the other."""
    recording = await recordings.lock(tx, recording_id)
    if recording.state not in WHOLE:
        return False
    placed = await reels.of_recording(tx, recording_id)
    progress = (await work.progress(tx, [recording_id], [subjects.ENCODE])).get(recording_id)
    if progress is None or progress.done < max(len(placed), progress.total):
        return False
    await tx.fact(LadderCompleted(recording_id=recording_id))
    return True
