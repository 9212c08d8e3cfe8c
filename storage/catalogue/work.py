"""Work items: what workers must do for a recording. `subject` names an item once and for all, so that a fact that is
delivered twice queues it once, and a job that runs twice is told apart from two jobs.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert

from domain.refusals import Refusal, RefusalCode
from domain.states import WORK, WorkMove, WorkState
from storage.catalogue.tables.work import Work
from storage.catalogue.transaction import Transaction

LONGEST_LOG = 64 * 1024
"""Characters kept of a job's log: its end, where the reason is."""
LONGEST_ERROR = 500


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a recording's work is."""

    done: int = 0
    total: int = 0
    failed: int = 0


async def queue(tx: Transaction, recording_id: UUID, kind: str, subject: str, now: datetime) -> bool:
    """Writes an item down as queued; False where it was written down before, in whatever state it is."""
    statement = (
        insert(Work)
        .values(recording_id=recording_id, kind=kind, subject=subject, state=WorkState.queued, queued_at=now)
        .on_conflict_do_nothing(index_elements=["subject"])
        .returning(Work.id)
    )
    return await tx.session.scalar(statement) is not None


async def start(tx: Transaction, subject: str, now: datetime) -> Work:
    """A worker takes the item up, for the first time or again; Refusal("move_not_allowed") once it is over."""
    item = await _locked(tx, subject)
    item.state = WORK.move(item.state, WorkMove.start)
    item.attempts += 1
    item.started_at = now
    item.finished_at = None
    await tx.session.flush()
    return item


async def finish(tx: Transaction, subject: str, now: datetime, log: str | None = None) -> Work:
    """The item is done; done twice is done."""
    item = await _locked(tx, subject)
    if item.state != WorkState.done:
        await _close(tx, item, WorkMove.finish, now, None, log)
    return item


async def retry(tx: Transaction, subject: str, now: datetime, error: str, log: str | None = None) -> Work:
    """This attempt failed, and another is to come; the error shows meanwhile. A failed item is queued anew."""
    item = await _locked(tx, subject)
    await _close(tx, item, WorkMove.retry, now, error, log)
    item.queued_at = now
    await tx.session.flush()
    return item


async def fail(tx: Transaction, subject: str, now: datetime, error: str, log: str | None = None) -> Work:
    """The last attempt failed: it shows on the recording, with its log."""
    item = await _locked(tx, subject)
    if item.state != WorkState.failed:
        await _close(tx, item, WorkMove.fail, now, error, log)
    return item


async def try_again(tx: Transaction, recording_id: UUID, work_id: UUID, now: datetime) -> Work:
    """A person has a failed item of the recording queued anew; its log stays until it ends again.

    Refusals: not_found, move_not_allowed where it has not failed.
    """
    statement = select(Work).where(Work.id == work_id, Work.recording_id == recording_id).with_for_update()
    rows = await tx.session.scalars(statement, execution_options={"populate_existing": True})
    item = rows.one_or_none()
    if item is None:
        raise Refusal(RefusalCode.not_found, kind="work", id=work_id)
    if item.state != WorkState.failed:  # what runs is not for people to retry
        raise Refusal(RefusalCode.move_not_allowed, machine=WORK.name, state=item.state, move=WorkMove.retry)
    item.state = WORK.move(item.state, WorkMove.retry)
    item.queued_at, item.finished_at, item.error = now, None, None
    await tx.session.flush()
    return item


async def get(tx: Transaction, work_id: UUID) -> Work | None:
    """The item with this id."""
    return await tx.session.get(Work, work_id)


async def find(tx: Transaction, subject: str) -> Work | None:
    """The item called `subject`."""
    return (await tx.session.scalars(select(Work).where(Work.subject == subject))).one_or_none()


async def of_recording(tx: Transaction, recording_id: UUID) -> Sequence[Work]:
    """The recording's items in the order they were queued."""
    statement = select(Work).where(Work.recording_id == recording_id).order_by(Work.queued_at, Work.id)
    return (await tx.session.scalars(statement)).all()


async def progress(
    tx: Transaction, recording_ids: Collection[UUID], kinds: Collection[str] = ()
) -> dict[UUID, Progress]:
    """How far each recording's work is, of all kinds or of some; a recording without any has no entry."""
    statement = (
        select(
            Work.recording_id,
            func.count().filter(Work.state == WorkState.done),
            func.count(),
            func.count().filter(Work.state == WorkState.failed),
        )
        .where(Work.recording_id.in_(recording_ids))
        .group_by(Work.recording_id)
    )
    if kinds:
        statement = statement.where(Work.kind.in_(kinds))
    rows = (await tx.session.execute(statement)).all()
    return {recording_id: Progress(done, total, failed) for recording_id, done, total, failed in rows}


async def unfinished(tx: Transaction, queued_before: datetime, limit: int = 1000) -> Sequence[Work]:
    """Items that wait or run since before `queued_before`: what a reconciler compares with the queue."""
    statement = (
        select(Work)
        .where(Work.state.in_((WorkState.queued, WorkState.running)), Work.queued_at < queued_before)
        .order_by(Work.queued_at)
        .limit(limit)
    )
    return (await tx.session.scalars(statement)).all()


async def _locked(tx: Transaction, subject: str) -> Work:
    statement = select(Work).where(Work.subject == subject).with_for_update()
    rows = await tx.session.scalars(statement, execution_options={"populate_existing": True})
    item = rows.one_or_none()
    if item is None:
        raise Refusal(RefusalCode.not_found, kind="work", id=subject)
    return item


async def _close(
    tx: Transaction, item: Work, step: WorkMove, now: datetime, error: str | None, log: str | None
) -> None:
    item.state = WORK.move(item.state, step)
    item.finished_at = now
    item.error = None if error is None else error[:LONGEST_ERROR]
    item.log = item.log if log is None else log[-LONGEST_LOG:]
    await tx.session.flush()
