"""One run of the retention clock at an instant: mark what is due, purge what has lain in the trash, send notices.

Each recording is decided in a transaction of its own under its row's lock, so that one that is promoted or held at the
same moment is left alone, and a run that is stopped loses nothing. Running again at the same instant does nothing more.
"""

from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

import structlog

from domain.refusals import Refusal
from domain.retention import Due, verdict_on
from retention.notices import send_notices
from retention.purge import purge
from retention.settings import RetentionSettings
from storage.catalogue import retention
from storage.catalogue.tables.certificate import Certificate
from storage.catalogue.transaction import Actor, Catalogue
from storage.objects.faults import ObjectStoreFault
from storage.objects.store import ObjectStore

log = structlog.get_logger()

MARK_BATCH = 100
EXPIRED = "expired"
RULE = Actor.system("retention")


@dataclass
class Report:
    """What a run did: recordings marked, certificates written, what failed and why, notices sent."""

    marked: list[UUID] = field(default_factory=list)
    purged: list[Certificate] = field(default_factory=list)
    failed: dict[UUID, str] = field(default_factory=dict)
    notices: int = 0


@dataclass(frozen=True)
class Sweep:
    """`only` narrows a run to some recordings; `clock` tells when a purge really happened, whatever was asked."""

    catalogue: Catalogue
    objects: ObjectStore
    settings: RetentionSettings
    clock: Callable[[], datetime]
    actor: Actor = RULE
    only: Collection[UUID] | None = None

    async def plan(self, at: datetime) -> retention.Plan:
        """What a run at that instant would find; nothing is changed."""
        async with self.catalogue.transaction() as tx:
            return await retention.plan(tx, at)

    async def run(self, at: datetime) -> Report:
        """Do all that is due at `at`, an aware instant."""
        report = Report()
        while marked := await self._mark_some(at):
            report.marked += marked
        await self._purge_ripe(at, report)
        report.notices = await send_notices(self.catalogue, at, self.only)
        log.info("retention ran", at=at.isoformat(), marked=len(report.marked), purged=len(report.purged),
                 failed=len(report.failed), notices=report.notices)  # fmt: skip
        return report

    async def _mark_some(self, at: datetime) -> list[UUID]:
        """Mark one batch of what is due; empty when nothing is left."""
        marked = []
        async with self.catalogue.transaction() as tx:
            for recording in await retention.due(tx, at, MARK_BATCH, self.only):
                if isinstance(verdict_on(await retention.holding(tx, recording), at), Due):
                    await retention.mark(tx, recording, EXPIRED, at)
                    await tx.audit(self.actor, retention.MARKED, "recording", recording.id, reason=EXPIRED)
                    marked.append(recording.id)
        return marked

    async def _purge_ripe(self, at: datetime, report: Report) -> None:
        marked_before = at - timedelta(hours=self.settings.trash_grace_hours)
        async with self.catalogue.transaction() as tx:
            ripe = await retention.ripe(tx, marked_before, self.settings.purge_batch, self.only)
        for recording_id in ripe:
            try:
                report.purged.append(await purge(self.catalogue, self.objects, recording_id, self.actor, self.clock))
            except (Refusal, ObjectStoreFault) as failure:
                report.failed[recording_id] = str(failure)
                log.warning("recording not purged", recording=str(recording_id), why=str(failure))
