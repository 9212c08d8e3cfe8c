"""`lectern demo`: what `make demo` runs."""

import asyncio
import sys

import click

from lectern.commands.context import start_logs
from lectern.demo import demo


@click.command("demo")
@click.option("--once", is_flag=True, help="Exit after the story; non-zero when a step failed.")
@click.option("--fresh", is_flag=True, help="Start anew: the data of earlier demos is removed.")
@click.pass_context
def command(context: click.Context, once: bool, fresh: bool) -> None:
    """Start a house of its own on this machine and tell the story of one lecture."""
    sys.exit(asyncio.run(demo(start_logs(context, "demo"), once=once, fresh=fresh)))
