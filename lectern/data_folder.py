"""One Lectern on one data folder: held from the start of `up` or a demo to its end, however it ends."""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

from lectern.complaint import Complaint
from storage.embedded.folder import FolderInUse, FolderLock


@contextlib.contextmanager
def held(folder: Path) -> Iterator[None]:
    """Hold `folder` (made when missing). Complaint at once where another Lectern has it, with its process.

    No child inherits this lock: what a killed `up` left behind is waited for by each server's own.
    """
    try:
        lock = FolderLock(folder, wait_seconds=0)
    except FolderInUse:
        who = _holder(folder)
        raise Complaint(
            f"another Lectern runs on {folder}{f' (process {who})' if who else ''}: "
            f"stop it{f' (`kill {who}`)' if who else ''}, or name another folder with LECTERN_DATA_FOLDER"
        ) from None
    os.ftruncate(lock.fd, 0)
    os.pwrite(lock.fd, str(os.getpid()).encode(), 0)
    try:
        yield
    finally:
        lock.release()


def _holder(folder: Path) -> int | None:
    """The process that has the lock, as it wrote there; None in the moment before it has."""
    with contextlib.suppress(OSError, ValueError):
        pid = int((folder / "lock").read_text(encoding="ascii"))
        return pid if Path(f"/proc/{pid}").exists() else None
    return None
