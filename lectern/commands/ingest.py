"""`lectern ingest`."""

import asyncio
import dataclasses

import click
import uvloop

from lectern.commands.context import start_logs
from lectern.free_ports import require_own_ports
from lectern.ingest_processes import MOST, numbers_of, run_processes, settings_of
from lectern.settings import Settings
from lectern.stopping import stop_signals
from lectern.wiring.ingest import run_ingest
from lectern.wiring.stores import require_stores


@click.command("ingest")
@click.option(
    "--processes", type=click.IntRange(1, MOST), help="How many, at the same ports; else LECTERN_INGEST_PROCESSES."
)
@click.option("--process", type=click.IntRange(1, MOST), hidden=True, help="Which of them this is.")
@click.pass_context
def command(context: click.Context, processes: int | None, process: int | None) -> None:
    """Take encoders and browsers in, serve them live, record them."""
    settings = start_logs(context, "ingest" if process is None else f"ingest-{process}")
    processes = processes or settings.ingest.processes
    if process is not None:
        mine = settings_of(settings.ingest, process, processes)
        uvloop.run(run_ingest(dataclasses.replace(settings, ingest=mine)))
    elif numbers_of(settings.ingest, processes):
        require_stores(settings.storage)
        require_own_ports(settings, processes)
        asyncio.run(_supervise(settings, processes))
    else:
        uvloop.run(run_ingest(settings))


async def _supervise(settings: Settings, processes: int) -> None:
    with stop_signals() as asked:
        await run_processes(settings, processes, asked)
