"""`lectern up`: the whole house on one machine."""

import asyncio

import click

from lectern.commands.context import start_logs
from lectern.settings import Settings
from lectern.stopping import stop_signals, until_asked
from lectern.up import house


@click.command("up")
@click.pass_context
def command(context: click.Context) -> None:
    """Start everything on this machine, with embedded servers for each store that has no address."""
    settings = start_logs(context, "up")

    asyncio.run(_serve(settings))


async def _serve(settings: Settings) -> None:
    with stop_signals() as asked:
        await until_asked(asked, _stay(settings))


async def _stay(settings: Settings) -> None:
    """From the first start to a cancellation."""
    async with house(settings) as running:
        click.echo(f"Lectern is at {running.settings.api.public_url} (Ctrl-C stops it)")
        await asyncio.Event().wait()
