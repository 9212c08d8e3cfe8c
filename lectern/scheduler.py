"""The scheduler process: delivers facts, seals the audit trail, ends what overran, runs retention once a day.

Several may run; each duty is idempotent or takes its own lock, so that a second one only waits beside the first.
"""

import asyncio
import hashlib
import json
from collections.abc import Awaitable, Callable
from datetime import datetime
from zoneinfo import ZoneInfo

import structlog

from domain.states import SessionMove
from lectern.outbox_pump import OutboxPump
from lectern.settings import Settings
from retention.sweep import Sweep
from storage.catalogue import audit_sealer, sessions
from storage.catalogue.faults import CatalogueUnavailable
from storage.catalogue.transaction import Actor, Catalogue
from storage.objects import keys
from storage.objects.faults import ObjectStoreFault
from storage.objects.store import ObjectStore

log = structlog.get_logger()

SEAL_SECONDS = 1.0
OVERRUN_SECONDS = 5.0
RETENTION_CHECK_SECONDS = 60.0
FORGET_SECONDS = 3600.0
OVERRUN_ACTOR = Actor.system("schedule overrun")


class Scheduler:
    """Runs every duty at its pace until cancelled; a duty that fails is logged and tried again at its next turn."""

    def __init__(
        self,
        catalogue: Catalogue,
        objects: ObjectStore,
        settings: Settings,
        pump: OutboxPump,
        clock: Callable[[], datetime],
    ) -> None:
        self._catalogue = catalogue
        self._objects = objects
        self._settings = settings
        self._pump = pump
        self._clock = clock
        self._retention_ran_on: str | None = None

    async def run(self) -> None:
        """All duties side by side."""
        async with asyncio.TaskGroup() as duties:
            duties.create_task(self._pump.run(), name="outbox")
            duties.create_task(self._every(SEAL_SECONDS, self.seal), name="seal")
            duties.create_task(self._every(OVERRUN_SECONDS, self.end_overrun), name="overrun")
            duties.create_task(self._every(RETENTION_CHECK_SECONDS, self.run_retention_if_due), name="retention")
            duties.create_task(self._every(FORGET_SECONDS, self._pump.forget_old), name="forget")

    async def seal(self) -> None:
        """Seal what is settled of the audit trail and anchor the chain's head in the object store."""
        async with self._catalogue.transaction() as tx:
            await audit_sealer.seal(tx, self._clock())
        async with self._catalogue.transaction() as tx:
            head = await audit_sealer.unanchored(tx)
        if head is None:
            return
        key = keys.audit_anchor(head.id)
        anchor = {"seal": head.id, "last_entry": head.last_entry, "hash": head.hash.hex()}
        content = json.dumps(anchor, sort_keys=True).encode()
        await asyncio.to_thread(self._objects.put_bytes, key, content)
        await asyncio.to_thread(self._objects.verify, key, hashlib.sha256(content).digest(), len(content))
        async with self._catalogue.transaction() as tx:
            await audit_sealer.anchored(tx, head.id, key, self._clock())

    async def end_overrun(self) -> None:
        """Say the end of sessions that run past their time and the overrun; their node hears it and closes them."""
        overrun_seconds = self._settings.ingest.overrun_seconds
        async with self._catalogue.transaction() as tx:
            for session in await sessions.overdue(tx, self._clock(), overrun_seconds):
                await sessions.move(tx, session, SessionMove.end, self._clock(), "overrun")
                await sessions.control(tx, session.id, "end", reason="overrun")
                await tx.audit(OVERRUN_ACTOR, "session_ended", "session", session.id, reason="overrun")

    async def run_retention_if_due(self) -> None:
        """The daily run: once a day, from its hour on, wherever the day was missed before."""
        local = self._clock().astimezone(ZoneInfo(self._settings.retention.time_zone))
        today = local.date().isoformat()
        if local.hour < self._settings.retention.run_hour or self._retention_ran_on == today:
            return
        sweep = Sweep(self._catalogue, self._objects, self._settings.retention, self._clock)
        await sweep.run(self._clock())
        self._retention_ran_on = today

    async def _every(self, seconds: float, duty: Callable[[], Awaitable[object]]) -> None:
        while True:
            try:
                await duty()
            except (CatalogueUnavailable, ObjectStoreFault) as error:
                log.warning("a duty waits for a store", duty=duty.__name__, error=str(error))
            except Exception:
                log.exception("a duty failed", duty=duty.__name__)
            await asyncio.sleep(seconds)
