"""What a running job may use. A job gets only its arguments from the queue; the worker sets this once, before it forks.

`install` is called by the worker process alone; each horse inherits it by fork and opens its own connections.
"""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime

from storage.catalogue.transaction import Catalogue
from storage.objects.store import ObjectStore
from storage.settings import StorageSettings
from transcode.settings import TranscodeSettings

JOB_CONNECTIONS = 2


@dataclass(frozen=True)
class Workshop:
    """The settings and the clock that jobs of this process work with."""

    settings: TranscodeSettings
    storage: StorageSettings
    clock: Callable[[], datetime]


@dataclass(frozen=True)
class Bench:
    """One job's place in the workshop: its connections, open while it runs."""

    settings: TranscodeSettings
    catalogue: Catalogue
    objects: ObjectStore
    clock: Callable[[], datetime]


class _Installed:
    workshop: Workshop | None = None


def install(workshop: Workshop) -> None:
    """Set what the jobs of this process use."""
    _Installed.workshop = workshop


@asynccontextmanager
async def bench() -> AsyncIterator[Bench]:
    """Connections for one job. RuntimeError where no worker set the workshop up."""
    workshop = _Installed.workshop
    if workshop is None:
        raise RuntimeError("jobs run in `lectern worker`, which sets up what they use")
    catalogue = Catalogue(workshop.storage.database_url, pool_size=JOB_CONNECTIONS, application_name="lectern-worker")
    try:
        yield Bench(workshop.settings, catalogue, ObjectStore(workshop.storage), workshop.clock)
    finally:
        await catalogue.close()
