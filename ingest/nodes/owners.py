"""Who owns a session that is not here: remembered for a second, hinted at by Valkey, decided by the catalogue.

However many ask, each session costs one look a second at most. With the catalogue away, or silent, the newest hint has
to do: it can be wrong only as long as the old owner cannot hear that it is one no more, and whoever is asked wrongly
says so.
"""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from uuid import UUID

import redis.asyncio
import structlog
from redis.exceptions import RedisError

from ingest.asking import Asking
from storage import live_hints
from storage.catalogue import live_owner
from storage.catalogue.faults import CatalogueUnavailable
from storage.catalogue.live_owner import Owner
from storage.catalogue.transaction import Catalogue
from storage.live_hints import LiveHint

log = structlog.get_logger()

FRESH_SECONDS = 1.0
CHECKED_SECONDS = 5.0
"""For how long a hint that the catalogue has confirmed is not asked about again."""
ANSWER_SECONDS = 1.0
"""How long the catalogue may take; viewers wait for it. One that did not answer is not asked for CHECKED_SECONDS."""
MANY = 4096
"""Sessions remembered at most."""


@dataclass(slots=True)
class _Known:
    owner: LiveHint | None
    at: float
    checked_at: float
    """When the catalogue last said so."""


class Owners:
    """`clock` is the loop's."""

    def __init__(self, catalogue: Catalogue, valkey: redis.asyncio.Redis, *, clock: Callable[[], float]) -> None:
        self._catalogue = Asking(catalogue)
        self._silent_at = -CHECKED_SECONDS
        self._valkey = valkey
        self._clock = clock
        self._known: dict[UUID, _Known] = {}
        self._asking: dict[UUID, asyncio.Task[LiveHint | None]] = {}

    async def find(self, session_id: UUID, *, doubted: bool = False) -> LiveHint | None:
        """The owner; None where there is none, or none can be known. `doubted`: the one found last did not answer."""
        known = self._known.get(session_id)
        age = self._clock() - known.at if known else FRESH_SECONDS
        if known is not None and age < (FRESH_SECONDS / 4 if doubted else FRESH_SECONDS):
            return known.owner
        asking = self._asking.get(session_id)
        if asking is None:
            asking = asyncio.create_task(self._ask(session_id, known, doubted=doubted), name="owner")
            self._asking[session_id] = asking
            asking.add_done_callback(lambda _: self._asking.pop(session_id, None))
        return await asyncio.shield(asking)

    async def _ask(self, session_id: UUID, known: _Known | None, *, doubted: bool) -> LiveHint | None:
        hint = await self._hint(session_id)
        now = self._clock()
        is_confirmed = known is not None and known.owner == hint and now - known.checked_at < CHECKED_SECONDS
        if known is not None and hint is not None and is_confirmed and not doubted:
            return self._keep(session_id, hint, known.checked_at)
        try:
            row = await self._row(session_id, doubted=doubted)
        except CatalogueUnavailable as error:
            log.warning("owner_not_confirmed", session=str(session_id), error=str(error))
            last = known.owner if known else None
            newest = max((one for one in (hint, last) if one), key=lambda one: one.epoch, default=None)
            return self._keep(session_id, newest, known.checked_at if known else -CHECKED_SECONDS)
        return self._keep(session_id, LiveHint(row.epoch, row.node, row.control_url) if row else None, self._clock())

    async def _row(self, session_id: UUID, *, doubted: bool) -> Owner | None:
        """Raises CatalogueUnavailable."""
        if self._clock() - self._silent_at < CHECKED_SECONDS and not doubted:
            raise CatalogueUnavailable("it did not answer a moment ago")
        asked_at = self._clock()
        try:
            return await self._catalogue.run(lambda tx: live_owner.find(tx, session_id), ANSWER_SECONDS)
        except CatalogueUnavailable:
            if self._clock() - asked_at >= ANSWER_SECONDS:
                self._silent_at = self._clock()
            raise

    async def has_newer(self, session_id: UUID, epoch: int) -> bool:
        """Whether a claim after this epoch has been heard of, the catalogue left aside: who claims notes it in Valkey.
        What cannot be read within a second says nothing.
        """
        known = self._known.get(session_id)
        heard = [known.owner] if known else []
        with suppress(TimeoutError):
            async with asyncio.timeout(ANSWER_SECONDS):
                heard.append(await self._hint(session_id))
        return any(one is not None and one.epoch > epoch for one in heard)

    async def _hint(self, session_id: UUID) -> LiveHint | None:
        try:
            return await live_hints.find(self._valkey, session_id)
        except (RedisError, OSError):
            return None

    def _keep(self, session_id: UUID, owner: LiveHint | None, checked_at: float) -> LiveHint | None:
        if len(self._known) >= MANY:
            self._known.clear()
        self._known[session_id] = _Known(owner, self._clock(), checked_at)
        return owner
