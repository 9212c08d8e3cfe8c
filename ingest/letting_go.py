"""Spool files go once the store has proved its copy, and a take's folder with the last of them. Called in threads: a
disk may take its time.
"""

import structlog

from ingest.reels import ReelJob
from ingest.spool import TakeSpool
from storage.objects.store import VerifiedCopy

log = structlog.get_logger()


def release(job: ReelJob, copy: VerifiedCopy) -> None:
    """Lets go of a reel's files, and of its take's folder with the last of them."""
    try:
        job.spool.release(copy, job.plan)
    except OSError as error:
        log.warning("spool_not_released", folder=str(job.spool.folder), error=str(error))
    remove_if_done(job.spool)


def unplan(job: ReelJob) -> None:
    """The same of a reel of which nothing was left."""
    try:
        job.spool.unplan(job.plan)
    except OSError as error:
        log.warning("spool_not_released", folder=str(job.spool.folder), error=str(error))
    remove_if_done(job.spool)


def remove_if_done(spool: TakeSpool) -> None:
    """The take's folder goes when the take is over and all of it is stored."""
    try:
        if spool.over and spool.is_empty:
            spool.remove()
    except OSError as error:
        log.warning("spool_not_removed", folder=str(spool.folder), error=str(error))
