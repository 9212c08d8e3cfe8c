"""The live sessions of this process: opened with their first take, made again after a restart, completed when all is
stored.

A recording is complete when its session has ended and every reel handed in is in the store; only then is that written.
"""

from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from functools import partial
from uuid import UUID

import structlog

from ingest import restoring
from ingest.disk import Disk, free_bytes
from ingest.events import CLOCK
from ingest.findings import findings
from ingest.ledger import Ledger
from ingest.live_session import LiveFacts, LiveHooks, LiveSession
from ingest.reels import ReelJob
from ingest.rtmp.commands import FAILED
from ingest.settings import IngestSettings
from ingest.spool import TakeSpool
from ingest.spool_recovery import RecoveredTake
from ingest.take import Take
from ingest.timeline import LEAD
from ingest.uploader import Uploader
from storage.catalogue import recordings, takes
from storage.catalogue.transaction import Catalogue, Transaction
from storage.objects.store import ObjectStore, VerifiedCopy

log = structlog.get_logger()


class Lives:
    """`clock` is the loop's monotonic clock, `wall` the wall's."""

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
        self.uploader = Uploader(settings, store, catalogue, wall, self._stored)
        self.disk = Disk(settings, partial(free_bytes, settings.spool_folder), self._freed)
        self.recovered: dict[UUID, list[RecoveredTake]] = {}
        """By recording: what a restart found in the spool."""
        self.reel_numbers: dict[UUID, int] = {}
        """By recording: the highest number that a recovered reel has taken."""
        self._catalogue = catalogue
        self._store = store
        self.clock = clock
        self._wall = wall
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
    ) -> LiveSession:
        """The session, made if it is not here. `started_at` is the recording's. Raises what `restoring.load` raises."""
        there = self.sessions.get(session_id)
        if there is not None:
            return there
        history = await restoring.load(self._catalogue, self._store, recording_id, self.recovered.get(recording_id, []))
        taken = self.reel_numbers.get(recording_id, 0)
        history.resumption.next_reel_number = max(history.resumption.next_reel_number, taken + 1)
        # The line's zero is a little before the first take, so that a track may begin before the first packet.
        origin = started_at - timedelta(seconds=LEAD / CLOCK)
        session = LiveSession(
            self.settings,
            LiveFacts(session_id, recording_id, origin, delay_seconds, epoch, reviewed),
            self._hooks,
            clock=self.clock,
            wall=self._wall,
            threads=self._threads,
            resumption=history.resumption,
            cut=cut,
        )
        history.fill(session.window)
        self.sessions[session_id] = session
        return session

    def drop(self, session: LiveSession) -> None:
        """Another node owns the session now: nothing more is written or shown of it here."""
        if self.sessions.pop(session.facts.session_id, None) is not None:
            session.abandon("owner_lost", FAILED, "Another server has this session now.")

    def submit(self, job: ReelJob) -> None:
        """A reel to be stored."""
        self._pending[job.plan.recording_id] += 1
        self.uploader.submit(job)

    def complete(self, recording_id: UUID, ended_at: datetime) -> None:
        """The recording's session has ended: it is written as stored once everything of it is."""
        self._ended.setdefault(recording_id, ended_at)
        self._complete_if_stored(recording_id)

    def tick(self) -> None:
        """Once a second: room on the disk, held media, and sessions that nobody can come to any more."""
        self.disk.check()
        now = self.clock()
        for session in list(self.sessions.values()):
            session.release_due()
            if session.ended_at is not None and now - session.ended_at > self.settings.linger_seconds:
                del self.sessions[session.facts.session_id]
        recordings_here = {session.facts.recording_id for session in self.sessions.values()}
        self.disk.forget(lambda job: job.plan.recording_id in recordings_here)

    def close(self) -> None:
        self._threads.shutdown(wait=True)

    async def _stored(self, job: ReelJob, copy: VerifiedCopy) -> None:
        self._pending[job.plan.recording_id] -= 1
        self.disk.verified(job, copy)
        self._complete_if_stored(job.plan.recording_id)

    def _complete_if_stored(self, recording_id: UUID) -> None:
        if recording_id not in self._ended or self._pending[recording_id] > 0:
            return
        ended_at = self._ended.pop(recording_id)
        del self._pending[recording_id]
        self.recovered.pop(recording_id, None)
        self.ledger.put("capture_ended", lambda tx: recordings.capture_ended(tx, recording_id, ended_at))

    def _freed(self, job: ReelJob, copy: VerifiedCopy) -> None:
        """Readers go to the store from now on, and the spool's files go, in a thread: a disk may take its time."""
        session = self.sessions.get(job.spool.about.session_id)
        if session is not None:
            session.freed(job)
        self._threads.submit(_release, job, copy)

    def _finished(self, session: LiveSession) -> None:
        """The session is over and through its gate: from here on its recording can complete."""
        self.complete(session.facts.recording_id, self._wall())

    def _describe(self, take: Take) -> None:
        """The take's row says what comes."""
        format_ = _format(take)
        self.ledger.put("take_described", lambda tx: takes.describe(tx, take.id, format_))

    def _take_ended(self, session: LiveSession, take: Take, reason: str, refusal: str | None) -> None:
        now, format_, found = self._wall(), _format(take), findings(take, session.recording.gaps)

        async def write(tx: Transaction) -> None:
            await takes.describe(tx, take.id, format_)
            await takes.end(tx, take.id, now, reason, refusal, found)

        log.info("take_ended", session=str(session.facts.session_id), take=str(take.id), reason=reason)
        self.ledger.put("take_ended", write)
        self._threads.submit(_remove_if_done, take.spool)


def _release(job: ReelJob, copy: VerifiedCopy) -> None:
    """Lets go of a reel's files, and of its take's folder with the last of them."""
    try:
        job.spool.release(copy, job.plan)
    except OSError as error:
        log.warning("spool_not_released", folder=str(job.spool.folder), error=str(error))
    _remove_if_done(job.spool)


def _remove_if_done(spool: TakeSpool) -> None:
    """The take's folder goes when the take is over and all of it is stored."""
    try:
        if spool.over and spool.is_empty and spool.folder.exists():
            spool.remove()
    except OSError as error:
        log.warning("spool_not_removed", folder=str(spool.folder), error=str(error))


def _format(take: Take) -> takes.Format:
    """What the encoder was found to send."""
    video, audio = take.statistics.video, take.statistics.audio
    return takes.Format(
        video_codec=video.codec if video else None,
        audio_codec=audio.codec if audio else None,
        width=video.width if video else None,
        height=video.height if video else None,
        frame_rate=take.statistics.frame_rate,
    )
