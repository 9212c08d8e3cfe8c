"""`lectern up`, and one command for each process of a house that is spread over machines."""

import asyncio

import click
import uvloop

from lectern import wiring
from lectern.commands.context import start_logs
from lectern.stopping import stop_signals
from lectern.up import house


@click.command("up")
@click.pass_context
def up(context: click.Context) -> None:
    """Start everything on this machine, with embedded servers for each store that has no address."""
    settings = start_logs(context, "up")

    async def serve() -> None:
        with stop_signals() as asked:
            async with house(settings) as running:
                click.echo(f"Lectern is at {running.settings.api.public_url} (Ctrl-C stops it)")
                await asked.wait()

    asyncio.run(serve())


@click.command("api")
@click.pass_context
def api(context: click.Context) -> None:
    """Serve the HTTP API and the pages."""
    wiring.run_api(start_logs(context, "api"))


@click.command("ingest")
@click.pass_context
def ingest(context: click.Context) -> None:
    """Take encoders and browsers in, serve them live, record them."""
    uvloop.run(wiring.run_ingest(start_logs(context, "ingest")))


@click.command("worker")
@click.option("--name", help="A name for this worker; else one by chance.")
@click.pass_context
def worker(context: click.Context, name: str | None) -> None:
    """Encode recordings and do what else is queued."""
    wiring.run_worker(start_logs(context, "worker"), name)


@click.command("scheduler")
@click.pass_context
def scheduler(context: click.Context) -> None:
    """Deliver facts, seal the audit trail, end what overran, run retention each day."""
    asyncio.run(wiring.run_scheduler(start_logs(context, "scheduler")))
