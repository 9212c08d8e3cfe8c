"""`lectern scheduler`."""

import asyncio

import click

from lectern.commands.context import start_logs
from lectern.wiring.scheduler import run_scheduler


@click.command("scheduler")
@click.pass_context
def command(context: click.Context) -> None:
    """Deliver facts, seal the audit trail, end what overran, run retention each day."""
    asyncio.run(run_scheduler(start_logs(context, "scheduler")))
