"""`lectern migrate`: the catalogue brought to this version's form."""

import asyncio

import click

from lectern.commands.context import start_logs
from lectern.complaint import Complaint
from storage.migrations.run import current, migrate
from storage.objects.store import ObjectStore


@click.command("migrate")
@click.pass_context
def command(context: click.Context) -> None:
    """Bring the catalogue to this version's form and make the bucket; safe to run again."""
    settings = start_logs(context, "migrate")
    if not settings.storage.database_owner_url:
        raise Complaint(
            "LECTERN_STORAGE_DATABASE_OWNER_URL is not set: migrations sign in as its owner (`lectern up` migrates)"
        )

    async def run() -> str | None:
        await migrate(settings.storage.database_owner_url)
        return await current(settings.storage.database_owner_url)

    revision = asyncio.run(run())
    if settings.storage.s3_endpoint:
        ObjectStore(settings.storage).ensure_bucket()
    click.echo(f"catalogue at revision {revision}")
