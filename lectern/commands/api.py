"""`lectern api`."""

import click

from lectern.commands.context import start_logs
from lectern.wiring.api import run_api


@click.command("api")
@click.pass_context
def command(context: click.Context) -> None:
    """Serve the HTTP API and the pages."""
    run_api(start_logs(context, "api"))
