"""Which fact starts which job.

A stored reel is encoded at once, while the lecture goes on; when the recording is whole, whoever comes last (the last
reel's job, or this) tells that its ladder is complete.
"""

from collections.abc import Sequence
from datetime import datetime

from domain.facts import RecordingStored, ReelStored, WorkRetried
from domain.states import WorkState
from storage.catalogue import ladder, work
from storage.catalogue.transaction import Transaction
from storage.reactions import JobOrder, Reactions
from transcode import subjects
from transcode.completion import tell_if_complete

ENCODE_JOB = "transcode.jobs.encode_reel"


async def reel_stored(tx: Transaction, fact: ReelStored, now: datetime) -> Sequence[JobOrder]:
    """Order the reel's renditions under the active plan; nothing where no plan is active."""
    plan = await ladder.active_plan(tx)
    if plan is None:
        return ()
    subject = subjects.encode(fact.reel_id, plan.id)
    await work.queue(tx, fact.recording_id, subjects.ENCODE, subject, now)
    return (JobOrder("media", ENCODE_JOB, (str(fact.reel_id), str(plan.id)), subject),)


async def recording_stored(tx: Transaction, fact: RecordingStored, _now: datetime) -> Sequence[JobOrder]:
    """All its reels are in: perhaps all are encoded too."""
    await tell_if_complete(tx, fact.recording_id)
    return ()


async def work_retried(tx: Transaction, fact: WorkRetried, _now: datetime) -> Sequence[JobOrder]:
    """Order the job anew, under an id of its own; nothing where the work is no encoding or has moved on meanwhile."""
    item = await work.get(tx, fact.work_id)
    if item is None or item.kind != subjects.ENCODE or item.state != WorkState.queued:
        return ()
    reel_id, plan_id = subjects.encoded(item.subject)
    return (JobOrder("media", ENCODE_JOB, (str(reel_id), str(plan_id)), subjects.job(item.subject, item.attempts)),)


REACTIONS: Reactions = {
    ReelStored: reel_stored,
    RecordingStored: recording_stored,
    WorkRetried: work_retried,
}
