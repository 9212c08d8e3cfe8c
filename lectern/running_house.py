"""How to reach the house that runs on a data folder: kept there by `up` and the demo for as long as they run, private
to their user, read by the commands that work beside them.

Only what is embedded stands in it. An address, a password or a secret that the house was given is not written down: who
gave it gives it to the commands too, and they join a house only where both sides leave out the same stores. A file that
a killed house left is told by its process, which is known by its number and the tick at which it began.
"""

import contextlib
import dataclasses
import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from lectern.complaint import Complaint
from lectern.settings import PREFIX, Settings, is_secret, to_environ, variable
from storage.embedded.folder import write_private
from storage.settings import StorageSettings

NAME = "running.json"
MASTER_SECRET = "master-secret"  # noqa: S105 - the name of the file
ADDRESSES = ("database_url", "valkey_url", "s3_endpoint")
ENDED = ("Z", "X")  # a process that is over and only not yet asked for its exit code
# How a command logs is its own affair; no command signs in as the catalogue's owner.
NOT_TOLD = ("LECTERN_LOG_LEVEL", "LECTERN_LOG_FORMAT", "LECTERN_STORAGE_DATABASE_OWNER_URL")


@dataclass(frozen=True)
class RunningHouse:
    """Its folder, its process, and the variables that reach it."""

    folder: Path
    pid: int
    variables: Mapping[str, str] = field(repr=False)

    def completes(self, storage: StorageSettings) -> bool:
        """Whether exactly the stores without an address are this house's own: two houses are never mixed."""
        missing = {one for one in ADDRESSES if not getattr(storage, one)}
        return bool(missing) and missing == {one for one in ADDRESSES if variable("storage", one) in self.variables}


@contextlib.contextmanager
def announced(given: Settings, complete: Settings) -> Iterator[None]:
    """For the block, say in the data folder how to reach this process's house; `given` is what it was told itself."""
    kept = complete.lectern.data_folder / NAME
    me = {"pid": os.getpid(), "began_tick": _began_tick(os.getpid()), "variables": _variables(given, complete)}
    write_private(kept, json.dumps(me, indent=2))
    try:
        yield
    finally:
        kept.unlink(missing_ok=True)


def find(folder: Path) -> RunningHouse | None:
    """The house that runs on `folder`; None where none does. Complaint where it is another user's."""
    folder = folder.resolve()
    try:
        kept = json.loads((folder / NAME).read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError):
        return None
    except PermissionError:
        raise Complaint(f"the Lectern on {folder} is another user's: run this as that user") from None
    if _began_tick(kept["pid"]) != kept["began_tick"]:
        return None
    return RunningHouse(folder, kept["pid"], kept["variables"])


def _variables(given: Settings, complete: Settings) -> dict[str, str]:
    environ = to_environ(complete)
    told = {one for one in environ if one not in NOT_TOLD and not is_secret(one.removeprefix(PREFIX).lower())}
    for one in dataclasses.fields(StorageSettings):
        name = variable("storage", one.name)
        if getattr(given.storage, one.name) == getattr(complete.storage, one.name):
            told.discard(name)
        elif name not in NOT_TOLD:
            told.add(name)
    variables = {name: environ[name] for name in sorted(told & environ.keys())}
    if not given.lectern.master_secret:
        variables[f"{PREFIX}MASTER_SECRET_FILE"] = str(complete.lectern.data_folder / MASTER_SECRET)
    return variables


def _began_tick(pid: int) -> int | None:
    """When a process began, in ticks since this machine's start (proc(5), stat, field 22); None where there is none."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    # The name, in parentheses, may hold anything: fields are counted from behind it, the third first.
    fields = stat.rpartition(")")[2].split()
    return int(fields[19]) if fields[0] not in ENDED else None
