"""One Lectern on one data folder: held from the start of `up` or a demo to its end, however it ends."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

from lectern.complaint import Complaint
from storage.embedded.folder import FolderInUse, FolderLock


@contextlib.contextmanager
def held(folder: Path) -> Iterator[None]:
    """Hold `folder` (made when missing). Complaint at once where another Lectern has it.

    No child inherits this lock: what a killed `up` left behind is waited for by each server's own.
    """
    try:
        lock = FolderLock(folder, wait_seconds=0)
    except FolderInUse:
        raise Complaint(
            f"another Lectern runs on {folder}: stop it, or name another folder with LECTERN_DATA_FOLDER"
        ) from None
    try:
        yield
    finally:
        lock.release()
