"""Asks the catalogue for no longer than somebody can wait. A server that is frozen, or behind a line that swallows what
is sent, says nothing for minutes; and a question to it that is cancelled waits for it once more.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from storage.catalogue.faults import CatalogueUnavailable
from storage.catalogue.transaction import Catalogue, Transaction

T = TypeVar("T")


class Asking:
    """`catalogue.run` with an end; what nobody waits for any more is left to end by itself, and may yet be done."""

    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue
        self._left: set[asyncio.Task[object]] = set()

    async def run(self, work: Callable[[Transaction], Awaitable[T]], seconds: float) -> T:
        """Raises CatalogueUnavailable, also when there is no answer within `seconds`; and what `work` raises."""
        asked = asyncio.ensure_future(self._catalogue.run(work))
        self._left.add(asked)
        asked.add_done_callback(self._over)
        try:
            await asyncio.wait({asked}, timeout=seconds)
        except asyncio.CancelledError:
            asked.cancel()
            raise
        if not asked.done():
            raise CatalogueUnavailable(f"no answer within {seconds:g} s")
        return asked.result()

    def _over(self, asked: asyncio.Task[object]) -> None:
        self._left.discard(asked)
        if not asked.cancelled():
            asked.exception()  # has been looked at: nobody waits for it
