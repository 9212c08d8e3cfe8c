"""`lectern ingest`."""

import click
import uvloop

from lectern.commands.context import start_logs
from lectern.wiring.ingest import run_ingest


@click.command("ingest")
@click.pass_context
def command(context: click.Context) -> None:
    """Take encoders and browsers in, serve them live, record them."""
    uvloop.run(run_ingest(start_logs(context, "ingest")))
