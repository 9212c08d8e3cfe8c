"""Which fact starts which clock."""

from collections.abc import Sequence
from datetime import datetime

from domain.facts import RecordingMarked
from retention.sweep import EXPIRED
from storage.catalogue import recordings
from storage.catalogue.transaction import Transaction
from storage.reactions import JobOrder, Reactions

PURGE_JOB = "retention.jobs.purge_recording"


async def recording_marked(tx: Transaction, fact: RecordingMarked, _now: datetime) -> Sequence[JobOrder]:
    """A recording that a person ordered away goes at once; one that expired waits out its trash time."""
    recording = await recordings.get(tx, fact.recording_id)
    if recording.purge_reason in (None, EXPIRED):
        return ()
    return (JobOrder("urgent", PURGE_JOB, (str(fact.recording_id),), f"purge-{fact.recording_id}"),)


REACTIONS: Reactions = {RecordingMarked: recording_marked}
