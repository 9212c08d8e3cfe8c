"""`lectern recording`: what is stored, looked into by hand."""

import asyncio
from collections.abc import Sequence
from uuid import UUID

import click

from domain.states import RecordingState
from lectern.commands.context import start_beside_house
from lectern.complaint import Complaint
from lectern.settings import Settings
from lectern.whole_recording import examine
from retention.report import Row, report
from storage.catalogue import evidence, recordings
from storage.catalogue.tables.evidence_reel import EvidenceReel
from storage.catalogue.transaction import Catalogue
from storage.objects.store import ObjectStore

NOT_WHOLE = 1


@click.group("recording")
def command() -> None:
    """Prove what is stored of a recording."""


@command.command("verify")
@click.argument("recording_id", type=click.UUID, metavar="ID")
@click.pass_context
def verify(context: click.Context, recording_id: UUID) -> None:
    """Read a recording back from the store and hold it against its report: hashes, frames, times. Exit code 1 when it
    is not whole.
    """
    settings = start_beside_house(context, "recording")
    now, kept = asyncio.run(_told(settings, recording_id))
    checks = failed = 0
    for check in examine(ObjectStore(settings.storage), recording_id, now, kept):
        click.echo(str(check))
        checks, failed = checks + 1, failed + (not check.passed)
    if failed:
        click.echo(f"not whole: {failed} of {checks} checks failed")
        context.exit(NOT_WHOLE)
    click.echo(f"whole: {checks} checks, {now['duration_ms'] / 1000:.3f} s, {now['bytes']} bytes")


async def _told(settings: Settings, recording_id: UUID) -> tuple[Row, Sequence[EvidenceReel]]:
    """What the report should say, and what cuts kept back. Refusal("not_found"), Complaint where there can be none."""
    catalogue = Catalogue.from_settings(settings.storage, "lectern-recording")
    try:
        async with catalogue.transaction() as tx:
            recording = await recordings.get(tx, recording_id)
            if recording.state == RecordingState.capturing:
                raise Complaint(f"recording {recording_id} is still captured: it has no report yet")
            if recording.state in (RecordingState.purging, RecordingState.purged):
                raise Complaint(f"recording {recording_id} was purged; its certificate says when and why")
            return await report(tx, recording), await evidence.of_recording(tx, recording_id)
    finally:
        await catalogue.close()
