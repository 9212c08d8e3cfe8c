"""What a running job may use. A job gets only its arguments from the queue; the worker sets this once, before it forks.

`install` is called by the worker process alone; each horse inherits it by fork and opens its own connections.
"""

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar, cast

from storage.catalogue.transaction import Catalogue
from storage.echo import echoing
from storage.objects.store import ObjectStore
from storage.settings import StorageSettings

JOB_CONNECTIONS = 2

S = TypeVar("S")


@dataclass(frozen=True)
class Workshop:
    """What the jobs of this process work with: the stores, the clock, each room's settings by their type."""

    storage: StorageSettings
    clock: Callable[[], datetime]
    rooms: Mapping[type, object]


@dataclass(frozen=True)
class Place:
    """One job's place in the workshop: its connections, open while it runs."""

    catalogue: Catalogue
    objects: ObjectStore
    clock: Callable[[], datetime]
    rooms: Mapping[type, object]

    def settings(self, room: type[S]) -> S:
        """The settings of the job's room."""
        return cast(S, self.rooms[room])


class _Installed:
    workshop: Workshop | None = None


def install(workshop: Workshop) -> None:
    """Set what the jobs of this process use."""
    _Installed.workshop = workshop


@asynccontextmanager
async def place() -> AsyncIterator[Place]:
    """Connections for one job. RuntimeError where no worker set the workshop up."""
    workshop = _Installed.workshop
    if workshop is None:
        raise RuntimeError("jobs run in `lectern worker`, which sets up what they use")
    catalogue = Catalogue(workshop.storage.database_url, pool_size=JOB_CONNECTIONS, application_name="lectern-worker")
    try:
        async with echoing(catalogue, workshop.storage.valkey_url):
            yield Place(catalogue, ObjectStore(workshop.storage), workshop.clock, workshop.rooms)
    finally:
        await catalogue.close()
