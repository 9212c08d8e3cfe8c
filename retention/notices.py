"""Tells that a recording's time is nearly up: 30, 7 and 1 days before, each once.

A notice is a row that the library page shows beside the recording, and an audit entry.
"""

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from domain.retention import NOTICE_DAYS, RetentionClass, notices_due
from storage.catalogue import notices, retention
from storage.catalogue.notices import Expiring
from storage.catalogue.transaction import Actor, Catalogue, Transaction

BATCH = 500
ACTOR = Actor.system("retention")


async def send_notices(catalogue: Catalogue, at: datetime, only: Collection[UUID] | None = None) -> int:
    """Send every notice that is due at `at`; how many."""
    sent, after = 0, None
    while True:
        async with catalogue.transaction() as tx:
            found = await notices.expiring(tx, at, max(NOTICE_DAYS), after=after, limit=BATCH, only=only)
            rules = await retention.classes(tx)
            for expiring in found:
                sent += await _send(tx, expiring, rules[expiring.recording.retention_class], at)
        if len(found) < BATCH:
            return sent
        after = found[-1].recording.id


async def _send(tx: Transaction, expiring: Expiring, rule: RetentionClass, at: datetime) -> int:
    recording, count = expiring.recording, 0
    for days in notices_due(rule, recording.expires_at, expiring.sent, at):
        if await notices.record(tx, recording.id, days, at):
            await tx.audit(ACTOR, "recording_expiry_noticed", "recording", recording.id, days=days)
            count += 1
    return count
