"""`lectern retention`: the clock on recordings, run by hand."""

import asyncio
from datetime import UTC, datetime
from uuid import UUID

import click

from lectern.clock import now
from lectern.commands.context import start_beside_house
from lectern.complaint import Complaint
from lectern.demo_data import demo_recordings
from lectern.settings import Settings
from retention.sweep import Report, Sweep
from storage.catalogue.retention import Plan
from storage.catalogue.transaction import Catalogue
from storage.echo import echoing
from storage.objects.store import ObjectStore


@click.group("retention")
def command() -> None:
    """Mark what has expired, purge what has lain in the trash, send notices."""


@command.command("run")
@click.option("--only", type=click.UUID, multiple=True, help="Only these recordings.")
@click.option(
    "--at", "instant", help="Run as at this instant, ISO 8601 with its zone (without --dry-run: demo data only)."
)
@click.option("--dry-run", is_flag=True, help="Only tell what is due.")
@click.pass_context
def run(context: click.Context, only: tuple[UUID, ...], instant: str | None, dry_run: bool) -> None:
    """Do what is due now. The scheduler does the same once a day."""
    settings = start_beside_house(context, "retention")
    at = _instant(instant)
    if instant is not None and not dry_run:
        require_demo_data(settings, only)
    outcome = asyncio.run(_run(settings, only, at, dry_run))
    for line in _told(outcome):
        click.echo(line)
    if isinstance(outcome, Report) and outcome.failed:
        raise Complaint(f"{len(outcome.failed)} recordings could not be purged; they are tried again by the next run")


def require_demo_data(settings: Settings, only: tuple[UUID, ...]) -> None:
    """Complaint unless every recording was made by this data folder's demo: time is not played with elsewhere."""
    made = demo_recordings(settings.lectern.data_folder)
    if not only or not set(only) <= made:
        raise Complaint("--at without --dry-run needs --only with recordings that a demo made; others keep real time")


async def _run(settings: Settings, only: tuple[UUID, ...], at: datetime, dry_run: bool) -> Plan | Report:
    catalogue = Catalogue.from_settings(settings.storage, "lectern-retention")
    try:
        sweep = Sweep(catalogue, ObjectStore(settings.storage), settings.retention, now, only=only or None)
        async with echoing(catalogue, settings.storage.valkey_url):
            return await (sweep.plan(at) if dry_run else sweep.run(at))
    finally:
        await catalogue.close()


def _instant(text: str | None) -> datetime:
    if text is None:
        return now()
    try:
        at = datetime.fromisoformat(text)
    except ValueError as error:
        raise Complaint(f"--at {text}: not an instant like 2027-03-14T09:00:00+08:00") from error
    if at.tzinfo is None:
        raise Complaint(f"--at {text}: say its zone, as in {text}+08:00")
    return at.astimezone(UTC)


def _told(outcome: Plan | Report) -> list[str]:
    if isinstance(outcome, Plan):
        due = f"due {outcome.due} ({outcome.due_bytes} bytes), held {outcome.held}"
        return [f"{due}, in the trash {outcome.marked}, being purged {outcome.purging}"]
    lines = [f"marked {recording_id}" for recording_id in outcome.marked]
    lines += [
        f"purged {one.recording_id}: {one.objects} objects, {one.bytes} bytes, certificate {one.id}"
        for one in outcome.purged
    ]
    lines += [f"not purged {recording_id}: {why}" for recording_id, why in outcome.failed.items()]
    return [*lines, f"{len(outcome.marked)} marked, {len(outcome.purged)} purged, {outcome.notices} notices"]
