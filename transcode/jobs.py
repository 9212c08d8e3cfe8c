"""The jobs that workers run, by names that the queue keeps: a name here is never changed while jobs may wait under it.

A job is plain and blocking for RQ and async inside. Whatever it raises reaches `transcode/failures.py` by way of the
worker, which also speaks for jobs that were killed.
"""

import asyncio
from uuid import UUID

import structlog

from domain.refusals import Refusal
from storage.catalogue import work
from storage.workshop import place
from transcode import subjects
from transcode.encode import encode

log = structlog.get_logger()


def encode_reel(reel_id: str, ladder_plan_id: str) -> None:
    """Every rendition and still of one reel."""
    asyncio.run(_encode_reel(UUID(reel_id), UUID(ladder_plan_id)))


async def _encode_reel(reel_id: UUID, plan_id: UUID) -> None:
    subject = subjects.encode(reel_id, plan_id)
    async with place() as here:
        try:
            async with here.catalogue.transaction() as tx:
                await work.start(tx, subject, here.clock())
        except Refusal as refusal:
            # Done already (a job that was delivered twice), or gone with its recording.
            log.info("nothing to encode", reel=str(reel_id), why=str(refusal))
            return
        await encode(here, reel_id, plan_id, subject)
