"""The spool's disk: what is in the store already is kept for viewers who seek, and goes first when room is needed.

Order of relief: verified spool beyond its share, then all of it, the oldest first; and with nothing left to free,
recording pauses (a gap in the recording, said on the page) while live goes on from memory.
"""

import shutil
from collections import deque
from collections.abc import Callable
from pathlib import Path

import structlog

from domain.disk_state import DiskState, disk_state
from ingest.reels import ReelJob
from ingest.settings import IngestSettings
from storage.objects.store import VerifiedCopy

log = structlog.get_logger()


def free_bytes(folder: Path) -> int:
    """What a writer may still use on the folder's disk. Raises OSError, when the disk is lost say."""
    return shutil.disk_usage(folder).free


class Disk:
    """`measure` gives the free bytes; `free` lets go of a reel's spool files, soon if not at once."""

    def __init__(
        self, settings: IngestSettings, measure: Callable[[], int], free: Callable[[ReelJob, VerifiedCopy], None]
    ) -> None:
        self._settings = settings
        self._measure = measure
        self._free = free
        self._verified: deque[tuple[ReelJob, VerifiedCopy]] = deque()
        self._verified_bytes = 0
        self.free_bytes = 0
        """When it was looked at last, and after all was freed that may be."""
        self.left_alone: list[str] = []
        """Why takes that a start found in the spool were not touched, one for each."""
        self.lost = ""
        """Why it cannot even be looked at; empty while it can."""
        self.check()

    @property
    def state(self) -> DiskState:
        """By its room; that it fails while it can be looked at is seen by who writes."""
        low, full = self._settings.disk_low_bytes, self._settings.disk_full_bytes
        return disk_state(self.free_bytes, low_bytes=low, full_bytes=full, failing=bool(self.lost))

    @property
    def full(self) -> bool:
        """Whether recording must pause."""
        return bool(self.lost) or self.free_bytes < self._settings.disk_full_bytes

    @property
    def verified_bytes(self) -> int:
        return self._verified_bytes

    def verified(self, job: ReelJob, copy: VerifiedCopy) -> None:
        """A reel is in the store: its spool files may go when room is needed."""
        self._verified.append((job, copy))
        self._verified_bytes += copy.size
        while self._verified_bytes > self._settings.verified_keep_bytes:
            self._free_oldest()

    def forget(self, keep: Callable[[ReelJob], bool]) -> None:
        """Frees the reels that nobody will seek in any more: of sessions that are over."""
        for _ in range(len(self._verified)):
            if keep(self._verified[0][0]):
                self._verified.rotate(-1)
            else:
                self._free_oldest()

    def check(self) -> None:
        """Looks at the disk and makes room; once a second."""
        try:
            free = self._measure()
        except OSError as error:
            if not self.lost:
                log.error("spool_disk_lost", error=str(error))
            self.lost = str(error)
            return
        self.lost = ""
        while free < self._settings.disk_low_bytes and self._verified:
            free += self._free_oldest()
        self.free_bytes = free

    def _free_oldest(self) -> int:
        job, copy = self._verified.popleft()
        self._verified_bytes -= copy.size
        self._free(job, copy)
        return copy.size
