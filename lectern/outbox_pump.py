"""Delivers facts to the rooms' reactions, at least once and in the order in which they are due.

A fact's rows are written and committed first, then its jobs are put into the queue, then it counts as delivered: a job
never starts before the row it works on, and a pump that dies in between delivers the fact again, which changes nothing.
"""

import asyncio
import contextlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta

import redis
import structlog

from domain.facts import Fact
from storage.catalogue import outbox
from storage.catalogue.faults import CatalogueUnavailable
from storage.catalogue.listener import Listener
from storage.catalogue.outbox import Claimed
from storage.catalogue.transaction import FACT_CHANNEL, Catalogue
from storage.reactions import JobOrder, Reaction, Reactions

log = structlog.get_logger()

BATCH = 100
LONGEST_SLEEP_SECONDS = 5.0
AWAY_SECONDS = 1.0
AWAY = (CatalogueUnavailable, redis.ConnectionError, redis.TimeoutError)
"""What says that a store cannot be reached: no fault of a fact, so it is not counted against one."""
# A delivered fact is kept so long for whoever asks what happened.
KEEP_DAYS = 7


class OutboxPump:
    """`reactions` of all rooms together; `enqueue` puts one order into the queue and blocks while it does."""

    def __init__(
        self,
        catalogue: Catalogue,
        reactions: Iterable[Reactions],
        enqueue: Callable[[JobOrder], object],
        clock: Callable[[], datetime],
    ) -> None:
        self._catalogue = catalogue
        self._reactions = joined(reactions)
        self._enqueue = enqueue
        self._clock = clock

    async def run(self) -> None:
        """Deliver until cancelled; while a store is away, wait for it."""
        while True:
            try:
                async with self._catalogue.listen([FACT_CHANNEL]) as notes, asyncio.TaskGroup() as tasks:
                    told = asyncio.Event()
                    tasks.create_task(_hear(notes, told))
                    tasks.create_task(self._deliver_and_wait(told))
            except* AWAY as errors:
                log.warning("outbox waits for a store", error=str(errors.exceptions[0]))
                await asyncio.sleep(AWAY_SECONDS)

    async def deliver_due(self) -> int:
        """Deliver what is due now; how many facts were looked at."""
        async with self._catalogue.transaction() as tx:
            claimed = await outbox.claim_due(tx, self._clock(), BATCH)
        for fact in claimed:
            await self._deliver(fact)
        return len(claimed)

    async def forget_old(self) -> int:
        """Remove facts that were delivered long ago."""
        async with self._catalogue.transaction() as tx:
            return await outbox.forget(tx, self._clock() - timedelta(days=KEEP_DAYS))

    async def _deliver_and_wait(self, told: asyncio.Event) -> None:
        while True:
            told.clear()
            while await self.deliver_due():
                pass
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(told.wait(), await self._sleep_seconds())

    async def _sleep_seconds(self) -> float:
        async with self._catalogue.transaction() as tx:
            due_at = await outbox.next_due_at(tx)
        if due_at is None:
            return LONGEST_SLEEP_SECONDS
        return min(LONGEST_SLEEP_SECONDS, max(0.05, (due_at - self._clock()).total_seconds()))

    async def _deliver(self, claimed: Claimed) -> None:
        try:
            fact = claimed.fact()
            orders = await self._react(fact)
            for order in orders:
                await asyncio.to_thread(self._enqueue, order)
        except AWAY:
            raise
        except Exception as error:
            log.error("a reaction failed", fact=claimed.name, attempts=claimed.attempts + 1, exc_info=error)
            async with self._catalogue.transaction() as tx:
                await outbox.failed(tx, claimed, f"{type(error).__name__}: {error}", self._clock())
            return
        async with self._catalogue.transaction() as tx:
            await outbox.delivered(tx, [claimed.id], self._clock())

    async def _react(self, fact: Fact) -> list[JobOrder]:
        orders: list[JobOrder] = []
        for reaction in self._reactions.get(type(fact), ()):
            async with self._catalogue.transaction() as tx:
                orders += await reaction(tx, fact, self._clock())
        return orders


async def _hear(notes: Listener, told: asyncio.Event) -> None:
    async for _ in notes:
        told.set()


def joined(reactions: Iterable[Reactions]) -> Mapping[type[Fact], Sequence[Reaction]]:
    """Every room's reaction to each fact."""
    found: dict[type[Fact], list[Reaction]] = {}
    for room in reactions:
        for fact, reaction in room.items():
            found.setdefault(fact, []).append(reaction)
    return found
