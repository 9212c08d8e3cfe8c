"""`lectern worker`."""

import click

from lectern.commands.context import start_logs
from lectern.wiring.worker import run_worker


@click.command("worker")
@click.option("--name", help="A name for this worker; else one by chance.")
@click.pass_context
def command(context: click.Context, name: str | None) -> None:
    """Encode recordings and do what else is queued."""
    run_worker(start_logs(context, "worker"), name)
