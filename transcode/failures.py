"""What a job's bad end leaves on its recording: tried again, or failed for good, with the error and its log.

The one hook for jobs that raised, that were killed and whose worker was lost. It may be called twice for one run.
"""

import asyncio
import contextlib

import structlog

from domain.refusals import Refusal
from storage.catalogue import work
from storage.worker import JobFailure
from storage.workshop import place
from transcode import subjects

log = structlog.get_logger()

TRACEBACK = "Traceback (most recent call last):"


def record(failure: JobFailure) -> None:
    """Write the failure on the piece of work that the job's id names."""
    log.warning("job failed", job=failure.job_id, attempt=failure.attempt, final=failure.final)
    asyncio.run(_record(failure))


def headline(error: str) -> str:
    """The one line that tells what happened: in a traceback, the exception's own first line."""
    lines = error.strip().splitlines()
    if TRACEBACK not in lines:
        return lines[-1] if lines else "no reason was given"
    start = len(lines) - lines[::-1].index(TRACEBACK)
    said = next((line for line in lines[start:] if not line.startswith(" ")), lines[-1])
    return said.split(": ", 1)[-1]


async def _record(failure: JobFailure) -> None:
    async with place() as here, here.catalogue.transaction() as tx:
        write = work.fail if failure.final else work.retry
        # Refused where it was recorded before, or where another run has finished the work meanwhile.
        with contextlib.suppress(Refusal):
            await write(tx, subjects.of_job(failure.job_id), here.clock(), headline(failure.error), failure.error)
