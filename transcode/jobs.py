"""The jobs that workers run, by names that the queue keeps: a name here is never changed while jobs may wait under it.

A job is plain and blocking for RQ and async inside. A failure is written on the recording's work and raised again, so
that RQ tries once more after its wait; the last one stays there with its log until somebody asks for another try.
"""

import asyncio
from uuid import UUID

import structlog

from domain.refusals import Refusal
from storage.catalogue import work
from transcode import subjects
from transcode.encode import encode
from transcode.ffmpeg import EncodeFailed
from transcode.resources import Bench, bench

log = structlog.get_logger()


def encode_reel(reel_id: str, ladder_plan_id: str) -> None:
    """Every rendition and still of one reel."""
    asyncio.run(_encode_reel(UUID(reel_id), UUID(ladder_plan_id)))


async def _encode_reel(reel_id: UUID, plan_id: UUID) -> None:
    subject = subjects.encode(reel_id, plan_id)
    async with bench() as place:
        try:
            async with place.catalogue.transaction() as tx:
                item = await work.start(tx, subject, place.clock())
        except Refusal as refusal:
            # Done already (a job that was delivered twice), or gone with its recording.
            log.info("nothing to encode", reel=str(reel_id), why=str(refusal))
            return
        try:
            await encode(place, reel_id, plan_id, subject)
        except Exception as error:
            await _failed(place, subject, item.attempts, error)
            raise


async def _failed(place: Bench, subject: str, attempts: int, error: Exception) -> None:
    """Write the failure down; the queue tries as often as it has waits."""
    last = attempts > len(place.settings.retry_waits_seconds)
    said = error.log if isinstance(error, EncodeFailed) else None
    line = str(error).splitlines()[0] if str(error) else type(error).__name__
    async with place.catalogue.transaction() as tx:
        await (work.fail if last else work.retry)(tx, subject, place.clock(), line, said)
    log.warning("encoding failed", subject=subject, attempt=attempts, last=last, error=line)
