"""Brings reels to the store, a few at a time in threads, and tries for ever: what is in the spool is safe until it
is there.

A store or a catalogue that is away costs waits that double up to half a minute, and nothing else; memory holds plans,
never media. Who hands in a reel is told when it is stored and known, and only then lets go of the spool.
"""

import asyncio
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import datetime

import structlog

from ingest.reel_upload import keep, send
from ingest.reels import ReelJob
from ingest.settings import IngestSettings
from storage.catalogue.faults import CatalogueUnavailable
from storage.catalogue.transaction import Catalogue
from storage.objects.faults import ObjectStoreFault
from storage.objects.store import ObjectStore, VerifiedCopy

log = structlog.get_logger()

Stored = Callable[[ReelJob, VerifiedCopy], Awaitable[None]]


class Uploader:
    """Runs from `start` to `stop`. `on_stored` is called for every reel, after its row stands."""

    def __init__(
        self,
        settings: IngestSettings,
        store: ObjectStore,
        catalogue: Catalogue,
        clock: Callable[[], datetime],
        on_stored: Stored,
    ) -> None:
        self._settings = settings
        self._store = store
        self._catalogue = catalogue
        self._clock = clock
        self._on_stored = on_stored
        self._jobs: asyncio.Queue[ReelJob] = asyncio.Queue()
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
        self._jobs.put_nowait(job)

    async def drain(self, timeout_seconds: float) -> bool:
        """Waits until everything handed in is stored. False when the time is over first: the spool keeps the rest."""
        with suppress(TimeoutError):
            async with asyncio.timeout(timeout_seconds):
                await self._jobs.join()
        return not self.pending

    async def stop(self) -> None:
        """Gives up what is under way; the next start finds it in the spool."""
        for worker in self._workers:
            worker.cancel()
        await asyncio.gather(*self._workers, return_exceptions=True)
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def _work(self) -> None:
        while True:
            job = await self._jobs.get()
            try:
                await self._until_stored(job)
            finally:
                self.pending -= 1
                self._jobs.task_done()

    async def _until_stored(self, job: ReelJob) -> None:
        wait = self._settings.retry_first_seconds
        while True:
            try:
                await self._once(job)
            except (ObjectStoreFault, CatalogueUnavailable, OSError) as error:
                self.failing_since = self.failing_since or self._clock()
                log.warning("reel_upload_waits", reel=job.plan.key, seconds=wait, error=str(error))
            except Exception:
                self.failing_since = self.failing_since or self._clock()
                log.exception("reel_upload_failed", reel=job.plan.key)
                wait = self._settings.retry_longest_seconds
            else:
                self.failing_since = None
                return
            await asyncio.sleep(wait)
            wait = min(2 * wait, self._settings.retry_longest_seconds)

    async def _once(self, job: ReelJob) -> None:
        loop = asyncio.get_running_loop()
        copy = await loop.run_in_executor(self._threads, send, self._store, job)
        await self._catalogue.run(lambda tx: keep(tx, job, copy, self._clock()))
        log.info("reel_stored", reel=copy.key, bytes=copy.size)
        await self._on_stored(job, copy)
