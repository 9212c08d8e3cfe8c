"""`lectern up`: the whole house on one machine."""

import asyncio

import click

from lectern.commands.context import start_logs
from lectern.stopping import stop_signals
from lectern.up import house


@click.command("up")
@click.pass_context
def command(context: click.Context) -> None:
    """Start everything on this machine, with embedded servers for each store that has no address."""
    settings = start_logs(context, "up")

    async def serve() -> None:
        with stop_signals() as asked:
            async with house(settings) as running:
                click.echo(f"Lectern is at {running.settings.api.public_url} (Ctrl-C stops it)")
                await asked.wait()

    asyncio.run(serve())
