"""Which fact starts which clock, and which makes a recording's report be written anew."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from domain.facts import EvidenceStored, RecordingMarked, RecordingStored, ReelStored, TakeEnded
from domain.states import RecordingState
from retention.sweep import EXPIRED
from storage.catalogue import recordings
from storage.catalogue.transaction import Transaction
from storage.reactions import JobOrder, Reactions

PURGE_JOB = "retention.jobs.purge_recording"
REPORT_JOB = "retention.jobs.report_recording"


async def recording_marked(tx: Transaction, fact: RecordingMarked, _now: datetime) -> Sequence[JobOrder]:
    """A recording that a person ordered away goes at once; one that expired waits out its trash time."""
    recording = await recordings.get(tx, fact.recording_id)
    if recording.purge_reason in (None, EXPIRED):
        return ()
    return (JobOrder("urgent", PURGE_JOB, (str(fact.recording_id),), f"purge-{fact.recording_id}"),)


async def recording_stored(_tx: Transaction, fact: RecordingStored, _now: datetime) -> Sequence[JobOrder]:
    """All of it is in the store: its report is written."""
    return (_report(fact.recording_id, fact.recording_id),)


async def reel_stored(tx: Transaction, fact: ReelStored, _now: datetime) -> Sequence[JobOrder]:
    """A reel that comes after the recording was whole changes what was reported."""
    return await _reported_anew(tx, fact.recording_id, fact.reel_id)


async def evidence_stored(tx: Transaction, fact: EvidenceStored, _now: datetime) -> Sequence[JobOrder]:
    """What was kept back of it explains what is missing."""
    return await _reported_anew(tx, fact.recording_id, fact.evidence_reel_id)


async def take_ended(tx: Transaction, fact: TakeEnded, _now: datetime) -> Sequence[JobOrder]:
    """So does the end of a take that is told late."""
    recording = await recordings.of_session(tx, fact.session_id)
    if recording is None or recording.state == RecordingState.capturing:
        return ()
    return (_report(recording.id, fact.take_id),)


async def _reported_anew(tx: Transaction, recording_id: UUID, why: UUID) -> Sequence[JobOrder]:
    recording = await recordings.get(tx, recording_id)
    return () if recording.state == RecordingState.capturing else (_report(recording.id, why),)


def _report(recording_id: UUID, why: UUID) -> JobOrder:
    """A job for each thing that gives reason to it: the queue would not take the same one twice."""
    return JobOrder("background", REPORT_JOB, (str(recording_id),), f"report-{recording_id}-{why}")


REACTIONS: Reactions = {
    RecordingMarked: recording_marked,
    RecordingStored: recording_stored,
    ReelStored: reel_stored,
    EvidenceStored: evidence_stored,
    TakeEnded: take_ended,
}
