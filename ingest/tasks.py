"""The tasks of an ingest process: what runs on beside its listeners, and what is done every so often.

A duty that fails is logged, and done again at its next time: nobody else's waits for it. A task that ends by an
exception is a fault that nothing here can mend: it is said, and whoever runs the process stops it, to be started anew.
"""

import asyncio
from collections.abc import Awaitable, Callable

import structlog

from ingest.ending import end
from storage.catalogue.faults import CatalogueUnavailable

log = structlog.get_logger()


class Tasks:
    def __init__(self) -> None:
        self.fault: BaseException | None = None
        """What the first of them to fail ended by."""
        self.failed = asyncio.Event()
        """Set with that."""
        self._tasks: list[asyncio.Task[None]] = []

    def run(self, name: str, work: Awaitable[None]) -> asyncio.Task[None]:
        async def run() -> None:
            await work

        task = asyncio.create_task(run(), name=name)
        task.add_done_callback(self._done)
        self._tasks.append(task)
        return task

    def every(self, seconds: float, name: str, *duties: Callable[[], Awaitable[None]]) -> None:
        """Does the duties one after the other, again and again, with so long a rest between."""
        self.run(name, _every(seconds, duties))

    async def until_done(self, name: str, seconds: float) -> None:
        """Gives the task of that name so long to end by itself."""
        await asyncio.wait({task for task in self._tasks if task.get_name() == name}, timeout=seconds)

    async def end(self) -> None:
        await end(self._tasks)

    def _done(self, task: asyncio.Task[None]) -> None:
        if task.cancelled() or (fault := task.exception()) is None:
            return
        log.error("task_failed", task=task.get_name(), exc_info=fault)
        self.fault = self.fault or fault
        self.failed.set()


async def _every(seconds: float, duties: tuple[Callable[[], Awaitable[None]], ...]) -> None:
    while True:
        for duty in duties:
            try:
                await duty()
            except CatalogueUnavailable as error:
                log.warning("duty_waits", error=str(error))
            except Exception:
                log.exception("duty_failed", duty=duty.__qualname__)
        await asyncio.sleep(seconds)
