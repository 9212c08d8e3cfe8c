"""The recording's first home: what a take brings is on this disk before anyone sees it, until the store has proved
its copy.

A folder per take: `take.json`, `init-N.mp4`, one file per segment, `index` with a line per part (`spool_index.py`),
and a plan per reel. A part is one write to its file and one to the index. A segment's file is flushed to the disk
when it ends, or with each part where a setting says so, by a callable that belongs in a thread. Nothing is deleted
without a `VerifiedCopy`, which only the store's read-back makes. What a crash left is read by `spool_recovery.py`.
"""

import os
import threading
from collections.abc import Callable
from errno import EEXIST, ENOSPC, ENOTEMPTY
from functools import partial
from pathlib import Path
from uuid import UUID

import msgspec

from ingest.events import HeldRun, Init, Part
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
from storage.objects.store import VerifiedCopy

INDEX = "index"
ABOUT = "take.json"
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
        self.init_rows: dict[str, UUID] = {}
        """By key, the rows of the inits that this process knows to be in the store."""
        self._index = -1
        self._torn = False  # whether the index may end in half a line
        self._data = -1
        self._serial = -1
        self._offset = 0
        self._left: dict[str, int] = {}  # bytes of each file that no reel has let go of
        self._letting_go = threading.Lock()  # a take's reels are released by several threads at the same time
        self._removed = False

    @classmethod
    def create(cls, root: Path, about: TakeAbout) -> "TakeSpool":
        """A new folder for a take, with `about` on the disk. Waits for the disk: call it in a thread."""
        folder = root / str(about.recording_id) / str(about.take_id)
        folder.mkdir(parents=True, exist_ok=True)
        _reserve(folder)
        write_durably(folder / ABOUT, msgspec.json.encode(about))
        return cls(folder, about)

    def write_init(self, init: Init) -> Callable[[], None]:
        """Written before any part that needs it. The returned callable flushes it to the disk: call it in a thread."""
        path = self.folder / init_name(init.number)
        path.write_bytes(init.muxed)
        return partial(_sync, path)

    def append(self, part: Part, *, init_number: int, discontinuity: bool) -> SpoolRange:
        """Writes a part to its segment's file and the index. Where it lies."""
        if part.serial != self._serial:
            self._open(part.serial)
        place = SpoolRange(segment_name(part.serial), self._offset, len(part.muxed))
        record = PartRecord(
            part.serial,
            part.index,
            self._offset,
            place.length,
            part.start,
            part.duration,
            init_number,
            part.independent,
            discontinuity,
        )
        try:
            _write_all(self._data, part.muxed)
            self._log(record)
        except OSError:
            os.ftruncate(self._data, self._offset)  # a torn part must not stand before the next one
            raise
        self._offset += place.length
        self._left[place.name] = self._offset
        return place

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
                self._log(SealedRecord(serial))
                os.fdatasync(self._index)
            finally:
                os.close(data)

        return flush

    def flush(self) -> Callable[[], None]:
        """What was written up to now is to reach the disk. The returned callable does it: call it in a thread."""
        # Descriptors of its own: the segment may be sealed, or the take's folder removed, before a thread is free.
        copies = [os.dup(one) for one in (self._data, self._index) if one >= 0]

        def flush() -> None:
            try:
                for one in copies:
                    os.fdatasync(one)
            finally:
                for one in copies:
                    os.close(one)

        return flush

    def mark_cut(self, serial: int, index: int) -> None:
        self._log(CutRecord(serial, index))

    def mark_holding(self, msn: int, start: int) -> None:
        self._log(HoldingRecord(msn, start))

    def mark_numbered(self, serial: int, msn: int, held: HeldRun | None) -> None:
        self._log(NumberedRecord(serial, msn, held))

    def mark_released(self, serial: int, index: int) -> None:
        self._log(ReleasedRecord(serial, index))

    def plan(self, reel: ReelPlan) -> None:
        """A reel is made of these files: said on the disk before its upload begins. Call it in a thread."""
        try:
            self._plan(reel)
        except OSError as error:
            if error.errno != ENOSPC or not unlink(self.folder / RESERVE):
                raise
            self._plan(reel)

    def _plan(self, reel: ReelPlan) -> None:
        self._log(ReelRecord(reel.number))
        write_durably(self.folder / reel.file_name, msgspec.json.encode(reel))

    def release(self, verified: VerifiedCopy, reel: ReelPlan) -> int:
        """Lets go of a reel's bytes, against the proof that the store has them. Returns the bytes freed."""
        if verified.key != reel.key or verified.size != reel.bytes:
            message = f"{verified.key} ({verified.size} bytes) is no proof of {reel.key} ({reel.bytes} bytes)"
            raise ValueError(message)
        with self._letting_go:
            return self._release(reel)

    def _release(self, reel: ReelPlan) -> int:
        freed = 0
        for segment in reel.segments:
            name = segment.source.name
            left = self._left.get(name, 0) - segment.source.length
            self._left[name] = left
            if left <= 0:
                freed += unlink(self.folder / name)
                del self._left[name]
        unlink(self.folder / reel.file_name)
        if not self.is_empty:
            _reserve(self.folder)
        return freed

    def adopt(self, left: dict[str, int]) -> None:
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
            for path in self.folder.iterdir():
                unlink(path)
            self.folder.rmdir()
            self._removed = True
        _remove_if_empty(self.folder.parent)

    def close(self) -> None:
        for descriptor in (self._data, self._index):
            if descriptor >= 0:
                os.close(descriptor)
        self._data = self._index = -1

    def _open(self, serial: int) -> None:
        if self._data >= 0:
            os.close(self._data)
        self._data = os.open(self.folder / segment_name(serial), _APPEND, 0o640)
        self._serial, self._offset = serial, os.fstat(self._data).st_size

    def _log(self, record: Record) -> None:
        if self._index < 0:
            self._index = os.open(self.folder / INDEX, _APPEND, 0o640)
        text = b"\n" + line(record) if self._torn else line(record)
        self._torn = True
        _write_all(self._index, text)
        self._torn = False


def _remove_if_empty(folder: Path) -> None:
    """Left to the system to decide: the folder's other takes may be removed, or a new one made, at this moment."""
    try:
        folder.rmdir()
    except FileNotFoundError:
        return
    except OSError as error:
        if error.errno not in (ENOTEMPTY, EEXIST):
            raise


def _reserve(folder: Path) -> None:
    """Takes room for plans, unless the disk has none: then it is taken when there is."""
    path = folder / RESERVE
    if path.exists():
        return
    try:
        with path.open("wb") as file:
            os.posix_fallocate(file.fileno(), 0, RESERVE_BYTES)
    except OSError:
        unlink(path)


def write_durably(path: Path, data: bytes) -> None:
    """The file is there whole or not at all, whatever happens meanwhile."""
    temporary = path.with_name(path.name + ".new")
    with temporary.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)
    _sync(path.parent)


def _sync(path: Path) -> None:
    """Flushes a file's bytes, or a folder's names, to the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def unlink(path: Path) -> int:
    """Removes a file that may be gone. Returns the bytes it had."""
    try:
        size = path.stat().st_size
        path.unlink()
    except FileNotFoundError:
        return 0
    return size


def _write_all(descriptor: int, data: bytes) -> None:
    """A write that a full disk cut short is tried to its end, and then raises."""
    written = os.write(descriptor, data)
    while written < len(data):
        written += os.write(descriptor, memoryview(data)[written:])
