"""Purges one recording: what was decided is committed first, then its objects go, then their absence is certified.

A purge that was cut short anywhere is taken up again by the next run; nothing but an empty prefix makes a certificate.
"""

import asyncio
from collections.abc import Callable
from datetime import datetime
from uuid import UUID

import structlog

from storage.catalogue import retention
from storage.catalogue.certificates import Proof
from storage.catalogue.tables.certificate import Certificate
from storage.catalogue.transaction import Actor, Catalogue
from storage.objects import keys
from storage.objects.store import ObjectStore

log = structlog.get_logger()


async def purge(
    catalogue: Catalogue, objects: ObjectStore, recording_id: UUID, actor: Actor, clock: Callable[[], datetime]
) -> Certificate:
    """Delete every object, version and unfinished upload of the recording and certify it.

    Refusal("on_hold" | "move_not_allowed") before anything is touched; ObjectStoreUnavailable leaves it `purging`.
    """
    async with catalogue.transaction() as tx:
        await retention.begin_purge(tx, recording_id)
    deleted = await asyncio.to_thread(objects.delete_prefix, keys.recording_prefix(recording_id))
    proof = Proof(deleted.objects, deleted.size, deleted.listing_sha256, clock())
    async with catalogue.transaction() as tx:
        certificate = await retention.finish_purge(tx, recording_id, actor, proof, clock())
    log.info("recording purged", recording=str(recording_id), objects=deleted.objects, bytes=deleted.size)
    return certificate
