"""After a start: what earlier processes of this node left is finished. Every spool's reels go up, every recording
completes.

Listening does not wait for it; but a session's spool is read before the session can be opened again, so that it goes on
where it was.
"""

import asyncio
from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import structlog
from sqlalchemy import select

from domain.states import RecordingState, SessionState, TakeState
from ingest import late_takes, letting_go
from ingest.events import CLOCK
from ingest.lives import Lives
from ingest.reel_plan import ReelPlan, Spoilt, TakeAbout
from ingest.reels import ReelBuilder, ReelJob
from ingest.settling import Kept, kept, settle
from ingest.spool_recovery import RecoveredTake, read_about, recover, take_folders
from storage.catalogue import reels, takes
from storage.catalogue.tables.live_owner import LiveOwner
from storage.catalogue.tables.recording import Recording
from storage.catalogue.tables.session import Session
from storage.catalogue.tables.take import Take
from storage.catalogue.transaction import Catalogue, Transaction

log = structlog.get_logger()


def read_spools(lives: Lives) -> list[RecoveredTake]:
    """Reads and repairs the spool's folders; before anything is written into it. One that cannot be read is left, and
    one of another node is not touched: that may be writing there. Both are told of.
    """
    found = []
    for folder in take_folders(lives.settings.spool_folder):
        try:
            node = read_about(folder).node
            if node != lives.settings.node:
                log.error("spool_of_another_node", folder=str(folder), node=node)
                lives.disk.left_alone.append(f"of the node {node}")
                continue
            take = recover(folder)
        except (OSError, ValueError) as error:
            log.error("spool_unreadable", folder=str(folder), error=str(error))
            lives.disk.left_alone.append("unreadable")
            continue
        take.spool.over = True
        found.append(take)
        lives.recovered.setdefault(take.spool.about.recording_id, []).append(take)
    return found


async def finish(catalogue: Catalogue, lives: Lives, found: list[RecoveredTake], now: datetime) -> None:
    """Lets go of what is stored, hands the rest to the uploader and ends the takes. Raises CatalogueUnavailable; may be
    done again.
    """
    numbers: dict[UUID, int] = {}
    stored: list[Kept] = []
    async with catalogue.transaction() as tx:
        for take in found:
            recording_id = take.spool.about.recording_id
            if recording_id not in numbers:
                numbers[recording_id] = await reels.highest_number(tx, recording_id)
            numbers[recording_id] = max(numbers[recording_id], take.highest_reel)
            stored.append(await kept(tx, recording_id, take.spool.about.take_id))
        for take_id in await _left_publishing(tx, lives.settings.node):
            await takes.end(tx, take_id, now, "owner_lost")
    jobs: list[ReelJob] = []
    for take, rows in zip(found, stored, strict=True):
        of_take = _jobs(lives, take, await _settled(take, rows), numbers)
        if not of_take:
            letting_go.remove_if_done(take.spool)
        jobs += of_take
    lives.reel_numbers.update(numbers)
    for job in jobs:
        lives.submit(job)
    for take in found:
        _end_take(lives, take.spool.about, now)
    if found:
        log.info("spool_recovered", takes=len(found), reels=len(jobs))


async def _settled(take: RecoveredTake, rows: Kept) -> dict[bool, list[Spoilt]]:
    try:
        return await asyncio.to_thread(settle, take, rows)
    except OSError as error:  # then it goes up once more
        log.error("spool_not_settled", folder=str(take.spool.folder), error=str(error))
        return {}


async def _left_publishing(tx: Transaction, node: str) -> Sequence[UUID]:
    """Takes of this node's sessions that its last process left as if they went on, also those that have no spool: of a
    rehearsal or a backup, or begun in the moment that it died. None of this process has begun yet.
    """
    statement = (
        select(Take.id)
        .join(LiveOwner, LiveOwner.session_id == Take.session_id)
        .where(Take.state == TakeState.publishing, LiveOwner.node == node)
        .order_by(Take.id)
    )
    return (await tx.session.scalars(statement)).all()


async def complete_ended(catalogue: Catalogue, lives: Lives) -> None:
    """Completes this node's recordings whose sessions have ended: what a lost order or a restart left open."""
    async with catalogue.glance() as tx:
        ended = await _capturing_of_ended(tx, lives.settings.node)
    here = {session.facts.recording_id: session for session in lives.sessions.values()}
    for recording_id, ended_at in ended:
        session = here.get(recording_id)
        if session is None or session.ended:
            lives.complete(recording_id, ended_at)


async def _capturing_of_ended(tx: Transaction, node: str) -> list[tuple[UUID, datetime]]:
    statement = (
        select(Recording.id, Session.ended_at)
        .join(Session, Session.id == Recording.session_id)
        .join(LiveOwner, LiveOwner.session_id == Session.id)
        .where(Recording.state == RecordingState.capturing, Session.state == SessionState.ended)
        .where(LiveOwner.node == node, Session.ended_at.is_not(None))
    )
    rows = (await tx.session.execute(statement)).tuples()
    return [(recording_id, ended_at) for recording_id, ended_at in rows if ended_at is not None]


def _jobs(lives: Lives, take: RecoveredTake, lost: dict[bool, list[Spoilt]], numbers: dict[UUID, int]) -> list[ReelJob]:
    """The reels planned before the crash, and new ones of what was left; and of nothing, where something is lost."""
    recording_id = take.spool.about.recording_id

    def next_number() -> int:
        numbers[recording_id] += 1
        return numbers[recording_id]

    jobs = [ReelJob(plan, take.spool) for plan in take.plans]
    ticks = round(lives.settings.reel_seconds * CLOCK)
    builders = {kind: ReelBuilder(ticks, evidence=kind, next_number=next_number) for kind in (False, True)}
    for evidence, init_number, segment in take.unplanned:
        jobs += builders[evidence].add(take.spool, init_number, segment)
    for builder in builders.values():
        jobs += builder.flush()
    for evidence, spoilt in lost.items():
        plan = ReelPlan(next_number(), recording_id, take.spool.about.take_id, 0, evidence, [], spoilt)
        jobs.append(ReelJob(plan, take.spool))
    return jobs


def _end_take(lives: Lives, about: TakeAbout, now: datetime) -> None:
    async def write(tx: Transaction) -> None:
        await late_takes.write(tx, about, now)
        await takes.end(tx, about.take_id, now, "owner_lost")

    lives.ledger.put("take_recovered", write)
