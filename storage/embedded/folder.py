"""A bundled server's own folder: held by one server at a time, with secrets that are made once.

The lock is a flock on a file whose descriptor the server inherits. The kernel lets it go when the last holder is gone,
however it died, so there is no pid file to be stale: who gets the lock knows that no server lives on the folder.
"""

import fcntl
import json
import os
import secrets
import time
from pathlib import Path

ORPHAN_WAIT_SECONDS = 15.0  # a server whose parent was killed is on its way out and may still be writing
POLL_SECONDS = 0.02


class FolderInUse(Exception):  # noqa: N818 - named for what happened
    """Another live server has this folder."""


class SecretsLost(Exception):  # noqa: N818 - named for what happened
    """The data is there but the passwords that open it are not."""


class FolderLock:
    """Exclusive use of one folder, until `release` here and the end of every process that inherited `fd`."""

    def __init__(self, folder: Path, *, wait_seconds: float = ORPHAN_WAIT_SECONDS) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.fd = os.open(folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        until = time.monotonic() + wait_seconds
        while not self._try():
            if time.monotonic() > until:
                self.release()
                message = f"{folder} is in use by another running server"
                raise FolderInUse(message)
            time.sleep(POLL_SECONDS)

    def _try(self) -> bool:
        try:
            fcntl.flock(self.fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def release(self) -> None:
        """Close our descriptor; safe to call twice."""
        if self.fd >= 0:
            os.close(self.fd)
            self.fd = -1


def write_private(path: Path, text: str) -> None:
    """Write `text` to a file only its owner may read, whole or not at all, on disk when this returns."""
    fresh = path.with_name(path.name + ".new")
    fd = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    with os.fdopen(fd, "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(fd)
    fresh.replace(path)


def secrets_of(folder: Path, names: tuple[str, ...], *, data: Path) -> dict[str, str]:
    """The folder's generated passwords by name, made at the first call and the same ever after.

    Raises SecretsLost when `data` exists already but the secrets do not: new ones would not open it.
    """
    path = folder / "secrets.json"
    known: dict[str, str] = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    if not known and data.exists():
        message = f"{path} is missing beside existing data; restore it, or remove {folder} to start anew"
        raise SecretsLost(message)
    missing = [name for name in names if name not in known]
    if missing:
        # Hex only: the value stands in addresses, command files and configuration without quoting.
        known |= {name: secrets.token_hex(24) for name in missing}
        write_private(path, json.dumps(known, indent=2) + "\n")
    return {name: known[name] for name in names}
