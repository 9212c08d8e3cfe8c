"""The jobs that workers run for retention, by names that the queue keeps."""

import asyncio
from uuid import UUID

import structlog

from domain.refusals import Refusal
from retention.purge import purge
from retention.report_writing import write_report
from storage.catalogue.transaction import Actor
from storage.workshop import place

log = structlog.get_logger()

ORDERED = Actor.system("purge ordered by a person")


def purge_recording(recording_id: str) -> None:
    """Purge a recording that a person ordered away: its trash time is over the moment it was marked."""
    asyncio.run(_purge_recording(UUID(recording_id)))


def report_recording(recording_id: str) -> None:
    """Write what is now known of a recording into its report."""
    asyncio.run(_report_recording(UUID(recording_id)))


async def _report_recording(recording_id: UUID) -> None:
    async with place() as here:
        if not await write_report(here.catalogue, here.objects, recording_id):
            log.info("nothing to report", recording=str(recording_id))


async def _purge_recording(recording_id: UUID) -> None:
    async with place() as here:
        try:
            await purge(here.catalogue, here.objects, recording_id, ORDERED, here.clock)
        except Refusal as refusal:
            # Rescued, held or purged since it was ordered.
            log.info("nothing to purge", recording=str(recording_id), why=str(refusal))
