"""What must be written into the catalogue sooner or later, in order: a take's end, a recording's completion.

Live media never waits for the catalogue: what happened is put down here and written when the catalogue is there, tried
for ever. What the catalogue refuses is logged and passed over: the rows then say something truer than this process.
What fails in a way that nobody foresaw is tried a few times more, and then what can be said instead is.
"""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import structlog

from domain.refusals import Refusal
from ingest.ending import end
from ingest.settings import IngestSettings
from storage.catalogue.faults import CatalogueUnavailable, StaleOwner
from storage.catalogue.transaction import Catalogue, Transaction

log = structlog.get_logger()

Write = Callable[[Transaction], Awaitable[Any]]

TRIES = 3
"""Of an entry that fails though the catalogue is there; those after it wait meanwhile, for they follow from it."""


@dataclass(frozen=True, slots=True)
class Entry:
    """`write` may run more than once: it must find what it did already. So must `otherwise`, which says less and is
    written where that cannot be.
    """

    name: str
    write: Write
    otherwise: Write | None = None


class Ledger:
    def __init__(self, settings: IngestSettings, catalogue: Catalogue) -> None:
        self._settings = settings
        self._catalogue = catalogue
        self._entries: asyncio.Queue[Entry] = asyncio.Queue()
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._task = asyncio.create_task(self._work(), name="ledger")

    def put(self, name: str, write: Write, otherwise: Write | None = None) -> None:
        self._entries.put_nowait(Entry(name, write, otherwise))

    async def drain(self, timeout_seconds: float) -> None:
        """Waits until everything is written, or the time is over."""
        with suppress(TimeoutError):
            async with asyncio.timeout(timeout_seconds):
                await self._entries.join()

    async def stop(self) -> None:
        if self._task:
            await end([self._task])

    async def _work(self) -> None:
        while True:
            entry = await self._entries.get()
            try:
                if not await self._is_written(entry.name, entry.write) and entry.otherwise is not None:
                    await self._is_written(entry.name, entry.otherwise)
            finally:
                self._entries.task_done()

    async def _is_written(self, name: str, write: Write) -> bool:
        """False where it fails for no reason that is known, again and again."""
        wait, failures = self._settings.retry_first_seconds, 0
        while True:
            try:
                await self._catalogue.run(write)
            except CatalogueUnavailable as error:
                log.warning("ledger_waits", entry=name, seconds=wait, error=str(error))
            except (Refusal, StaleOwner) as refused:
                log.warning("ledger_refused", entry=name, reason=str(refused))
                return True
            except Exception:
                log.exception("ledger_failed", entry=name)
                failures += 1
                if failures == TRIES:
                    return False
            else:
                return True
            await asyncio.sleep(wait)
            wait = min(2 * wait, self._settings.retry_longest_seconds)
