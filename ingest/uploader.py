"""Brings reels to the store, a few at a time in threads, and tries for ever: what is in the spool is safe until it
is there.

A store or a catalogue that is away costs waits that double up to half a minute, and nothing else; memory holds plans,
never media. Who hands in a reel is told when it is stored and known, and only then lets go of the spool.

A recording's reels are stored one by one in their order, since the encoding places each after those before it; and
recordings take turns, so that a lecture that begins does not wait behind what an outage left of others. All uploads
keep to a pace: neither that nor reels that end at one instant take the network and the processor from live streams.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

import structlog

from ingest import letting_go
from ingest.ending import end
from ingest.pace import Pace
from ingest.reel_upload import Sent, keep, send, tell_discarded, tell_spoilt
from ingest.reels import ReelJob
from ingest.salvage import Found, look
from ingest.settings import IngestSettings
from media.malformed import MalformedMedia
from storage.catalogue.faults import CatalogueUnavailable, RecordingGone
from storage.catalogue.transaction import Catalogue
from storage.objects import keys
from storage.objects.faults import ObjectStoreFault
from storage.objects.store import ObjectStore, VerifiedCopy

log = structlog.get_logger()

Stored = Callable[[ReelJob, VerifiedCopy | None], Awaitable[None]]
Spoilt = Callable[[ReelJob, Found, int], list[ReelJob]]


@dataclass(slots=True)
class _Line:
    """What waits of one recording; its first is under way, or will be at the recording's turn."""

    wait_seconds: float
    jobs: deque[ReelJob] = field(default_factory=deque)
    sent: Sent | None = None
    """The first, proven to be in the store: only the catalogue is waited for."""


class Uploader:
    """Runs from `start` to `stop`. `on_stored` is called for every reel, after its row stands; without a copy where
    nothing of it was left to be stored. `on_spoilt` makes the reels that take the place of one that the spool lost
    something of; it is told the highest number of those that wait.
    """

    def __init__(
        self,
        settings: IngestSettings,
        store: ObjectStore,
        catalogue: Catalogue,
        clock: Callable[[], datetime],
        on_stored: Stored,
        on_spoilt: Spoilt,
    ) -> None:
        self._settings = settings
        self._store = store
        self._catalogue = catalogue
        self._clock = clock
        self._on_stored = on_stored
        self._on_spoilt = on_spoilt
        self._lines: dict[UUID, _Line] = {}
        self._turns: asyncio.Queue[UUID] = asyncio.Queue()
        self._idle = asyncio.Event()
        self._idle.set()
        self._pace = Pace(settings.upload_megabits * 1_000_000 / 8)
        self._threads = ThreadPoolExecutor(settings.upload_threads, "upload")
        self._workers: list[asyncio.Task[None]] = []
        self.failing_since: datetime | None = None
        """Since when no upload has succeeded, while tries fail."""
        self.pending = 0
        """Reels handed in and not yet stored."""

    def start(self) -> None:
        for number in range(self._settings.upload_threads):
            self._workers.append(asyncio.create_task(self._work(), name=f"upload-{number}"))

    def submit(self, job: ReelJob) -> None:
        self.pending += 1
        self._idle.clear()
        recording_id = job.plan.recording_id
        line = self._lines.get(recording_id)
        if line is None:
            line = self._lines[recording_id] = _Line(self._settings.retry_first_seconds)
            self._turns.put_nowait(recording_id)
        line.jobs.append(job)

    async def drain(self, timeout_seconds: float) -> bool:
        """Waits until everything handed in is stored. False when the time is over first: the spool keeps the rest."""
        with suppress(TimeoutError):
            async with asyncio.timeout(timeout_seconds):
                await self._idle.wait()
        return not self.pending

    async def stop(self) -> None:
        """Gives up what is under way; the next start finds it in the spool."""
        await end(self._workers)
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def _work(self) -> None:
        while True:
            recording_id = await self._turns.get()
            line = self._lines[recording_id]
            if not await self._is_stored(line):
                later = asyncio.get_running_loop().call_later
                later(line.wait_seconds, self._turns.put_nowait, recording_id)
                line.wait_seconds = min(2 * line.wait_seconds, self._settings.retry_longest_seconds)
                continue
            line.wait_seconds = self._settings.retry_first_seconds
            line.jobs.popleft()
            if line.jobs:
                self._turns.put_nowait(recording_id)
            else:
                del self._lines[recording_id]
            self.pending -= 1
            if not self.pending:
                self._idle.set()

    async def _is_stored(self, line: _Line) -> bool:
        """Tries the line's first reel. One that fails by itself goes behind the others, which may fare better."""
        job = line.jobs[0]
        try:
            await self._once(line, job)
        except (ObjectStoreFault, CatalogueUnavailable) as error:
            log.warning("reel_upload_waits", reel=job.plan.key, seconds=line.wait_seconds, error=str(error))
        except Exception as error:
            if isinstance(error, OSError | MalformedMedia) and await self._salvaged(line, job):
                return False
            log.exception("reel_upload_failed", reel=job.plan.key)
            line.jobs.rotate(-1)
            line.sent = None
        else:
            line.sent = self.failing_since = None
            return True
        self.failing_since = self.failing_since or self._clock()
        return False

    async def _salvaged(self, line: _Line, job: ReelJob) -> bool:
        """Whether the reel's files are at fault; what is left of it then stands in its place."""
        try:
            found = await asyncio.get_running_loop().run_in_executor(self._threads, look, job)
            if found is None:
                return False
            jobs = self._on_spoilt(job, found, max(one.plan.number for one in line.jobs))
        except Exception:
            log.exception("spool_not_salvaged", reel=job.plan.key)
            return False
        line.sent = None
        line.jobs.popleft()
        line.jobs.extendleft(reversed(jobs))
        self.pending += len(jobs) - 1
        return True

    async def _once(self, line: _Line, job: ReelJob) -> None:
        loop = asyncio.get_running_loop()
        if not job.plan.segments:
            await self._catalogue.run(lambda tx: tell_spoilt(tx, job))
            await loop.run_in_executor(self._threads, letting_go.unplan, job)
            await self._on_stored(job, None)
            return
        if line.sent is None:
            await asyncio.sleep(self._pace.wait_seconds(job.plan.bytes, loop.time()))
            line.sent = await loop.run_in_executor(self._threads, send, self._store, job)
        sent = line.sent
        try:
            init_id = await self._catalogue.run(lambda tx: keep(tx, job, sent, self._clock()))
        except RecordingGone:
            await self._discard(job)
        else:
            if init_id is not None:
                job.spool.init_rows[job.plan.init_key] = init_id
            log.info("reel_stored", reel=sent.reel.key, bytes=sent.reel.size)
        await self._on_stored(job, sent.reel)

    async def _discard(self, job: ReelJob) -> None:
        """A spool that comes back after its recording was purged leaves nothing in the store (article 16)."""
        recording_id = job.plan.recording_id
        prefix = keys.recording_prefix(recording_id)
        deleted = await asyncio.get_running_loop().run_in_executor(self._threads, self._store.delete_prefix, prefix)
        await self._catalogue.run(lambda tx: tell_discarded(tx, job, deleted.objects))
        log.warning("reel_of_purged_recording", reel=job.plan.key, objects=deleted.objects)
