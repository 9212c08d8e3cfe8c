"""Files as the spool needs them: whole or not there, and gone without a fuss. All of it waits for the disk: it belongs
in threads, but for a part's own write.
"""

import os
from errno import EEXIST, ENOTEMPTY
from pathlib import Path

import structlog

log = structlog.get_logger()


def remove_if_empty(folder: Path) -> None:
    """Left to the system to decide: the folder's other takes may be removed, or a new one made, at this moment."""
    try:
        folder.rmdir()
    except FileNotFoundError:
        return
    except OSError as error:
        if error.errno not in (ENOTEMPTY, EEXIST):
            raise


def reserve(path: Path, size: int) -> None:
    """Takes room that can be given up, unless the disk has none: then it is taken when there is."""
    if path.exists():
        return
    try:
        with path.open("wb") as file:
            os.posix_fallocate(file.fileno(), 0, size)
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
    sync(path.parent)


def sync(path: Path) -> None:
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


def put_aside(path: Path, aside: Path) -> None:
    """Moves a file that may be gone out of the way."""
    if not path.exists():
        return
    aside.parent.mkdir(exist_ok=True)
    path.replace(aside)
    log.error("spool_put_aside", file=str(aside))


def write_all(descriptor: int, data: bytes) -> None:
    """A write that a full disk cut short is tried to its end, and then raises."""
    written = os.write(descriptor, data)
    while written < len(data):
        written += os.write(descriptor, memoryview(data)[written:])
