"""The live sessions of this process: opened with their first take, made again after a restart, completed when all is
stored.

A recording is complete when its session has ended and every reel handed in is in the store; only then is that written.
"""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Collection
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from functools import partial
from uuid import UUID

import structlog

from ingest import letting_go, restoring, salvage
from ingest.disk import Disk, free_bytes
from ingest.events import CLOCK
from ingest.findings import findings, format_of
from ingest.guard import Guard
from ingest.hls.sources import ElsewhereSource
from ingest.holding import loop
from ingest.ledger import Ledger
from ingest.live_facts import LiveFacts
from ingest.live_session import LiveHooks, LiveSession
from ingest.nodes.tail import Tail, TailSegment
from ingest.reels import ReelJob
from ingest.restoring import History
from ingest.rtmp.commands import FAILED
from ingest.settings import IngestSettings
from ingest.spool_recovery import RecoveredTake
from ingest.take import Take
from ingest.timeline import LEAD
from ingest.uploader import Uploader
from storage.catalogue import live_owner, recordings, takes
from storage.catalogue.live_owner import Owner
from storage.catalogue.transaction import Catalogue, Transaction
from storage.objects.store import ObjectStore, VerifiedCopy

log = structlog.get_logger()

LEFT_SECONDS = 24 * 3600.0
AWAITED_SECONDS = 600.0
"""How long the completion of a recording waits for another node's spool; what comes later still joins it."""


class Lives:
    """`clock` is the loop's monotonic clock, `wall` the wall's. Raises HoldingFault."""

    def __init__(
        self,
        settings: IngestSettings,
        catalogue: Catalogue,
        store: ObjectStore,
        *,
        clock: Callable[[], float],
        wall: Callable[[], datetime],
    ) -> None:
        settings.spool_folder.mkdir(parents=True, exist_ok=True)
        self.settings = settings
        self.sessions: dict[UUID, LiveSession] = {}
        self.ledger = Ledger(settings, catalogue)
        self.uploader = Uploader(settings, store, catalogue, wall, self._stored, self._spoilt)
        self.disk = Disk(settings, partial(free_bytes, settings.spool_folder), self._freed)
        self.left: dict[UUID, LiveSession] = {}
        """Sessions that another node has now, until all that was captured of them here is in the store."""
        self.tail_of_previous: Callable[[UUID, int, Owner | None], Awaitable[Tail | None]] | None = None
        """Asks a session's last owner where it is."""
        self.recovered: dict[UUID, list[RecoveredTake]] = {}
        """By recording: what a restart found in the spool."""
        self.reel_numbers: dict[UUID, int] = {}
        """By recording: the highest number that a recovered reel has taken."""
        # Of claims that could not be followed up: who was the owner before them, and the first such epoch.
        self._before: dict[UUID, tuple[Owner | None, int]] = {}
        self._doors: dict[UUID, asyncio.Lock] = {}
        self._catalogue = catalogue
        self._store = store
        self.clock = clock
        self._wall = wall
        self._picture = loop.of(settings)
        self._undescribed: set[UUID] = set()  # takes whose rows are to be told what comes
        self.guard = Guard()
        self._pending: Counter[UUID] = Counter()  # reels on their way, by recording
        self._ended: dict[UUID, datetime] = {}  # recordings to be completed, and when their sessions ended
        self._threads = ThreadPoolExecutor(4, "spool")
        self._hooks = LiveHooks(
            reel=self.submit,
            take_described=self._describe,
            take_ended=self._take_ended,
            finished=self._finished,
            disk_full=lambda: self.disk.full,
        )

    def find(self, session_id: UUID) -> LiveSession | None:
        return self.sessions.get(session_id)

    @property
    def publishers(self) -> int:
        return sum(1 for session in self.sessions.values() if session.take is not None)

    async def open(
        self,
        session_id: UUID,
        recording_id: UUID,
        started_at: datetime,
        *,
        delay_seconds: float,
        reviewed: bool,
        epoch: int,
        cut: bool,
        previous: Owner | None = None,
    ) -> LiveSession:
        """The session, made if it is not here. `started_at` is the recording's, `previous` who had the session before
        it was claimed. Raises what `restoring.load` raises.
        """
        # The line's zero is a little before the first take, so that a track may begin before the first packet.
        origin = started_at - timedelta(seconds=LEAD / CLOCK)
        facts = LiveFacts(session_id, recording_id, origin, delay_seconds, epoch, reviewed)
        async with self._doors.setdefault(session_id, asyncio.Lock()):
            there = self.sessions.get(session_id)
            if there is not None:
                if there.facts.epoch < epoch:
                    there.facts = facts  # claimed while a restart was opening it
                return there
            history = await self._history(facts, previous, cut=cut)
            session = LiveSession(
                self.settings,
                facts,
                self._hooks,
                clock=self.clock,
                wall=self._wall,
                threads=self._threads,
                resumption=history.resumption,
                cut=cut,
            )
            history.fill(session.window, self._picture, session.due)
            if cut or history.ends_held:
                session.hold()
            self.sessions[session_id] = session
            return session

    async def _history(self, facts: LiveFacts, previous: Owner | None, *, cut: bool) -> History:
        session_id, recording_id, epoch = facts.session_id, facts.recording_id, facts.epoch
        # A claim that could not be followed up leaves this node as the last owner: what counts is who was before it.
        before = self._before.get(session_id)
        if before is not None and (previous is None or previous.node == self.settings.node):
            previous, first_epoch = before
        else:
            first_epoch = epoch
        self._before[session_id] = (previous, first_epoch)
        ask = self.tail_of_previous
        tail = await ask(session_id, epoch, previous) if ask is not None else None
        left = self.left.get(session_id)

        def kept(said: TailSegment) -> object | None:
            if said.node != self.settings.node:
                return ElsewhereSource(session_id, said.node, said.url) if said.url else None
            segment = left.window.find(said.msn) if left is not None else None
            return segment.source if segment is not None else None

        recovered = self.recovered.get(recording_id, [])
        history = await restoring.load(self._catalogue, self._store, recording_id, recovered, tail, kept)
        if previous is not None and previous.node != self.settings.node:
            is_unknown = tail is None or tail.epoch < first_epoch - 1
        else:  # a cut that came after the last note: the holding picture has had numbers
            is_unknown = previous is not None and (cut or history.was_cut) and not history.ends_held
        if is_unknown:
            now = round((self._wall() - facts.origin).total_seconds() * CLOCK)
            shortest = min(self.settings.segment_min_seconds, self._picture.usual.duration / CLOCK)
            history.leap(now, shortest)
        taken = self.reel_numbers.get(recording_id, 0)
        history.resumption.next_reel_number = max(history.resumption.next_reel_number, taken + 1)
        del self._before[session_id]
        return history

    def drop(self, session: LiveSession) -> None:
        """Another node owns the session now: nothing more is written or shown of it here."""
        if self.sessions.pop(session.facts.session_id, None) is not None:
            self.left[session.facts.session_id] = session
            session.abandon("owner_lost", FAILED, "Another server has this session now.")

    def submit(self, job: ReelJob) -> None:
        """A reel to be stored."""
        self._pending[job.plan.recording_id] += 1
        self.uploader.submit(job)

    def stored(self, recording_id: UUID, msns: Collection[int]) -> None:
        """Segments of the recording are in the store, whoever brought them there."""
        for session in (*self.sessions.values(), *self.left.values()):
            if session.facts.recording_id == recording_id:
                session.window.unstored.difference_update(msns)
        self._complete_if_stored(recording_id)

    def awaits(self, session: LiveSession) -> bool:
        """Whether another node has still to bring something of the session to the store; not for ever."""
        window = session.window
        if session.ended_at is not None and self.clock() - session.ended_at > AWAITED_SECONDS:
            return False
        return any(isinstance(window.segments[msn].source, ElsewhereSource) for msn in window.unstored)

    def complete(self, recording_id: UUID, ended_at: datetime) -> None:
        """The recording's session has ended: it is written as stored once everything of it is."""
        self._ended.setdefault(recording_id, ended_at)
        self._complete_if_stored(recording_id)

    def release_due(self) -> None:
        """What sessions held long enough is let out."""
        for session in (*self.sessions.values(), *self.left.values()):
            self.guard.run("release", session.release_due, of=session.facts.session_id)

    def tick(self) -> None:
        """Once a second: room on the disk, and sessions that nobody can come to any more."""
        self.disk.check()
        now = self.clock()
        for session in list(self.sessions.values()):
            is_over = session.ended_at is not None and now - session.ended_at > self.settings.linger_seconds
            if is_over and not self.awaits(session):
                del self.sessions[session.facts.session_id]
        for session in list(self.left.values()):
            since = now - (session.ended_at or now)
            if since > self.settings.linger_seconds and not (session.window.unstored and since < LEFT_SECONDS):
                del self.left[session.facts.session_id]
        recordings_here = {session.facts.recording_id for session in self.sessions.values()}
        self.disk.forget(lambda job: job.plan.recording_id in recordings_here)

    def close(self) -> None:
        self._threads.shutdown(wait=True)

    def _spoilt(self, job: ReelJob, found: salvage.Found, highest_number: int) -> list[ReelJob]:
        """The reels that take the place of one that the spool lost something of."""
        recording_id = job.plan.recording_id
        here = [one for one in (*self.sessions.values(), *self.left.values()) if one.facts.recording_id == recording_id]
        taken = max(highest_number, job.spool.highest_reel, self.reel_numbers.get(recording_id, 0))
        jobs = salvage.rebuilt(job, found, taken, here[0].recording.next_number if here else None)
        self._pending[recording_id] += len(jobs) - 1
        self.reel_numbers[recording_id] = max(taken, *(one.plan.number for one in jobs))
        self.stored(recording_id, salvage.lost_numbers(job, jobs))
        return jobs

    async def _stored(self, job: ReelJob, copy: VerifiedCopy | None) -> None:
        self._pending[job.plan.recording_id] -= 1
        if copy is not None:
            self.disk.verified(job, copy)
        self.stored(job.plan.recording_id, [planned.msn for planned in job.plan.segments])

    def _complete_if_stored(self, recording_id: UUID) -> None:
        if recording_id not in self._ended or self._pending[recording_id] > 0:
            return
        if any(one.facts.recording_id == recording_id and self.awaits(one) for one in self.sessions.values()):
            return
        ended_at = self._ended.pop(recording_id)
        del self._pending[recording_id]
        self.recovered.pop(recording_id, None)
        self.ledger.put("capture_ended", lambda tx: self._capture_ended(tx, recording_id, ended_at))

    async def _capture_ended(self, tx: Transaction, recording_id: UUID, ended_at: datetime) -> None:
        """The owner alone says that all is there: another node knows of its own part only."""
        recording = await recordings.get(tx, recording_id)
        owner = await live_owner.find(tx, recording.session_id)
        if owner is not None and owner.node != self.settings.node:
            log.warning("capture_ended_elsewhere", recording=str(recording_id), node=owner.node)
            return
        await recordings.capture_ended(tx, recording_id, ended_at)

    def _freed(self, job: ReelJob, copy: VerifiedCopy) -> None:
        """Readers go to the store from now on, and the spool's files go, in a thread: a disk may take its time."""
        for sessions in (self.sessions, self.left):
            session = sessions.get(job.spool.about.session_id)
            if session is not None:
                session.freed(job)
        self._threads.submit(letting_go.release, job, copy)

    def _finished(self, session: LiveSession) -> None:
        """The session is over and through its gate: from here on its recording can complete."""
        self.complete(session.facts.recording_id, self._wall())

    def _describe(self, take: Take) -> None:
        """The take's row says what comes: the newest alone, for an encoder may change its mind at each key frame."""
        if take.id in self._undescribed:
            return
        self._undescribed.add(take.id)

        async def write(tx: Transaction) -> None:
            self._undescribed.discard(take.id)
            await takes.describe(tx, take.id, format_of(take))

        self.ledger.put("take_described", write)

    def _take_ended(self, session: LiveSession, take: Take, reason: str, refusal: str | None) -> None:
        now, format_, recording = self._wall(), format_of(take), session.recording
        found = findings(take, recording.gaps, recording.unrecorded(take.id))

        async def write(tx: Transaction) -> None:
            await takes.describe(tx, take.id, format_)
            await takes.end(tx, take.id, now, reason, refusal, found)

        log.info("take_ended", session=str(session.facts.session_id), take=str(take.id), reason=reason)
        self.ledger.put("take_ended", write, lambda tx: takes.end(tx, take.id, now, reason, refusal))
        self._threads.submit(letting_go.remove_if_done, take.spool)
