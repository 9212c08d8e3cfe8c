"""The recording's first home: what a take brings is on this disk before anyone sees it, until the store has proved
its copy.

A folder per take: `take.json`, `init-N.mp4`, one file per segment, `index` with a line per part (`spool_index.py`),
and a plan per reel. A part is one write to its file and one to the index, which has its checksum. A segment's file is
flushed to the disk when it ends, or with each part where a setting says so, by a callable that belongs in a thread; and
so is its name, which is the folder's. Nothing is deleted without a `VerifiedCopy`, which only the store's read-back
makes. What a crash left is read by `spool_recovery.py`, what a disk spoilt is sorted out by `salvage.py`.
"""

import os
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from errno import ENOSPC
from pathlib import Path
from uuid import UUID

import msgspec
import structlog

from ingest.durable import put_aside, remove_if_empty, reserve, sync, unlink, write_all, write_durably
from ingest.events import Init, Part
from ingest.reel_plan import ReelPlan, SpoolRange, TakeAbout
from ingest.spool_index import (
    CutRecord,
    HoldingRecord,
    NumberedRecord,
    PartRecord,
    Record,
    ReelRecord,
    ReleasedRecord,
    SealedRecord,
    line,
)
from storage.objects.checksums import checksum
from storage.objects.store import VerifiedCopy

log = structlog.get_logger()

INDEX = "index"
ABOUT = "take.json"
ASIDE = "unreadable"
"""In the spool's folder: files of which something was given up."""
RESERVE = "reserve"
RESERVE_BYTES = 65_536
"""Kept from the disk for the plans of some reels: what is uploaded is what makes room on a full disk."""
_APPEND = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC


def segment_name(serial: int) -> str:
    return f"{serial:08}.m4s"


def init_name(number: int) -> str:
    return f"init-{number}.mp4"


class TakeSpool:
    """One take's folder. Writes raise OSError (a full disk, a lost one); the caller decides what that means."""

    def __init__(self, folder: Path, about: TakeAbout) -> None:
        self.folder = folder
        self.about = about
        self.over = False
        """Whether the take has ended: nothing more is written."""
        self._unmade: OSError | None = None  # why its folder is not there
        self.init_rows: dict[str, UUID] = {}
        """By key, the rows of the inits that this process knows to be in the store."""
        self._index = -1
        self._torn = False  # whether the index may end in half a line
        self._data = -1
        self._serial = -1
        self._offset = 0
        self._left: dict[str, int] = {}  # bytes of each file that no reel has let go of
        self._letting_go = threading.Lock()  # a take's reels are released by several threads at the same time
        self.highest_reel = 0
        """The highest number that a reel of the take is known to have."""
        self.holes: set[int] = set()
        """Where media begins, ticks of CLOCK, after some that was lost here."""
        self._removed = False
        self._names_are_new = False  # whether files were made since the folder was last told to keep their names

    @classmethod
    def create(cls, root: Path, about: TakeAbout) -> "TakeSpool":
        """A new take's, with `about` on the disk, or not made where the disk takes nothing. Call it in a thread."""
        spool = cls(root / str(about.recording_id) / str(about.take_id), about)
        spool._make()
        return spool

    @property
    def is_made(self) -> bool:
        """Whether its folder is there; nothing can be written before."""
        return self._unmade is None

    def make(self) -> None:
        """Makes the folder, if the disk takes it and the take is not over. Waits for the disk: call it in a thread."""
        with self._letting_go:
            if not (self.is_made or self.over):
                self._make()

    def _make(self) -> None:
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            reserve(self.folder / RESERVE, RESERVE_BYTES)
            write_durably(self.folder / ABOUT, msgspec.json.encode(self.about))
            for names in list(self.folder.parents)[:3]:
                sync(names)
        except OSError as error:
            log.error("spool_not_made", folder=str(self.folder), error=str(error))
            self._unmade = error.with_traceback(None)
        else:
            self._unmade = None

    def write_init(self, init: Init) -> Callable[[], None]:
        """Written before any part that needs it. The returned callable flushes it to the disk: call it in a thread."""
        self._require_folder()
        path = self.folder / init_name(init.number)
        path.write_bytes(init.muxed)

        def flush() -> None:
            sync(path)
            self._sync_names()

        return flush

    def append(self, part: Part, *, init_number: int, discontinuity: bool) -> PartRecord:
        """Writes a part to its segment's file and the index. Where it lies."""
        if part.serial != self._serial:
            self._open(part.serial)
        where = (part.serial, part.index, self._offset, len(part.muxed), part.start, part.duration)
        record = PartRecord(*where, init_number, part.independent, discontinuity, checksum(part.muxed))
        try:
            write_all(self._data, part.muxed)
            self._log(record)
        except OSError:
            os.ftruncate(self._data, self._offset)  # a torn part must not stand before the next one
            raise
        self._offset += record.length
        self._left[segment_name(part.serial)] = self._offset
        return record

    def seal(self) -> Callable[[], None]:
        """Ends the segment. The returned callable flushes it to the disk and says so in the index: call it in a
        thread.
        """
        data, serial = self._data, self._serial
        self._data, self._serial, self._offset = -1, -1, 0

        def flush() -> None:
            if data < 0:
                return
            try:
                os.fdatasync(data)
                with self._letting_go:
                    if not self._removed:  # else all of it was stored and let go of meanwhile
                        self._sync_names()
                        self._log(SealedRecord(serial))
                        os.fdatasync(self._index)
            finally:
                os.close(data)

        return flush

    def flush(self) -> Callable[[], None]:
        """What was written up to now is to reach the disk. The returned callable does it: call it in a thread."""
        # Descriptors of its own: the segment may be sealed, or the take's folder removed, before a thread is free.
        copies = [os.dup(one) for one in (self._data, self._index) if one >= 0]
        names_are_new, self._names_are_new = self._names_are_new, False

        def flush() -> None:
            try:
                for one in copies:
                    os.fdatasync(one)
                if names_are_new:
                    self._sync_names()
            finally:
                for one in copies:
                    os.close(one)

        return flush

    def mark(self, record: CutRecord | HoldingRecord | NumberedRecord | ReleasedRecord) -> None:
        self._log(record)

    def plan(self, reel: ReelPlan) -> None:
        """A reel is made of these files: said on the disk before its upload begins. Call it in a thread."""
        try:
            self._plan(reel)
        except OSError as error:
            if error.errno != ENOSPC or not unlink(self.folder / RESERVE):
                raise
            self._plan(reel)

    def _plan(self, reel: ReelPlan) -> None:
        self.highest_reel = max(self.highest_reel, reel.number)
        self._log(ReelRecord(reel.number))
        write_durably(self.folder / reel.file_name, msgspec.json.encode(reel))

    def release(self, verified: VerifiedCopy, reel: ReelPlan) -> int:
        """Lets go of a reel's bytes, against the proof that the store has them. Returns the bytes freed."""
        if verified.key != reel.key or verified.size != reel.bytes:
            message = f"{verified.key} ({verified.size} bytes) is no proof of {reel.key} ({reel.bytes} bytes)"
            raise ValueError(message)
        with self._letting_go:
            freed = sum(self._let_go(segment.source) for segment in reel.segments)
            self._unplan(reel)
            return freed

    def let_go(self, place: SpoolRange) -> None:
        """Of bytes that are in no plan any more, though a reel that is stored has them."""
        with self._letting_go:
            self._let_go(place)

    def _let_go(self, place: SpoolRange) -> int:
        return unlink(self.folder / place.name) if self._lets_go_of(place) else 0

    def _lets_go_of(self, place: SpoolRange) -> bool:
        """Whether nothing more of its file is wanted."""
        if (left := self._left.pop(place.name, 0) - place.length) > 0:
            self._left[place.name] = left
        return left <= 0

    def give_up(self, place: SpoolRange) -> None:
        """What is there, or is not, cannot be read and never will be. Its file is put aside for whoever looks into it,
        unless there is more in it that is yet to be stored: then it goes with that.
        """
        with self._letting_go:
            if self._lets_go_of(place):
                aside = self.folder.parent.parent / ASIDE
                put_aside(self.folder / place.name, aside / f"{self.about.take_id}-{place.name}")

    def unplan(self, reel: ReelPlan) -> None:
        """A reel of which nothing is left to be stored."""
        with self._letting_go:
            self._unplan(reel)

    def _unplan(self, reel: ReelPlan) -> None:
        unlink(self.folder / reel.file_name)
        if not self.is_empty:
            reserve(self.folder / RESERVE, RESERVE_BYTES)

    def adopt(self, left: Mapping[str, int]) -> None:
        """After a restart: how many bytes of each file no reel has let go of."""
        self._left = dict(left)

    @property
    def is_empty(self) -> bool:
        return not self._left

    def remove(self) -> None:
        """The take is over and all of it is in the store: its folder goes, and its recording's when that is empty.

        Whoever comes second, from another thread, finds it done.
        """
        with self._letting_go:
            if not self.is_empty:
                message = f"{self.folder} still holds media"
                raise ValueError(message)
            if self._removed:
                return
            self.close()
            if self.folder.exists():
                for path in self.folder.iterdir():
                    unlink(path)
                self.folder.rmdir()
            self._removed = True
        remove_if_empty(self.folder.parent)

    def close(self) -> None:
        for descriptor in (self._data, self._index):
            if descriptor >= 0:
                os.close(descriptor)
        self._data = self._index = -1

    def _require_folder(self) -> None:
        """What kept it from being made says more than that it is not there."""
        if self._unmade is not None:
            raise OSError(self._unmade.errno, self._unmade.strerror, str(self.folder))

    def _open(self, serial: int) -> None:
        if self._data >= 0:
            os.close(self._data)
        self._data = os.open(self.folder / segment_name(serial), _APPEND, 0o640)
        self._names_are_new = True
        self._serial, self._offset = serial, os.fstat(self._data).st_size

    def _sync_names(self) -> None:
        """A file that was flushed may still be gone after a power cut: its name is the folder's."""
        with suppress(FileNotFoundError):  # the take was let go of meanwhile
            sync(self.folder)

    def _log(self, record: Record) -> None:
        if self._index < 0:
            self._require_folder()
            self._index = os.open(self.folder / INDEX, _APPEND, 0o640)
        text = b"\n" + line(record) if self._torn else line(record)
        self._torn = True
        write_all(self._index, text)
        self._torn = False
