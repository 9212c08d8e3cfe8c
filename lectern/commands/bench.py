"""`lectern bench NAME`: one figure, its peer beside it."""

import importlib
import json
from pathlib import Path
from typing import Any

import click

from lectern.commands.context import start_logs

# Each lies in `bench/NAME.py` with a function `run(quick)` that gives a report; imported when it is asked for, since
# the benches stand above this house and it must not lean on them.
BENCHES = {
    "latency": "how far behind a viewer's screen is in Chromium, from a clock in the picture",
    "live": "RTMP in, packaged and recorded: CPU per stream beside nginx-rtmp",
    "delivery": "viewers at the live edge per core, and finished segments beside nginx's files",
    "edge": "viewers per core at edges, what an edge costs the owner, how much later it is, segments through nginx",
    "replay": "how soon a replay begins, and its bytes per CPU second beside nginx's files",
}


@click.command("bench", epilog="; ".join(f"{name}: {what}" for name, what in BENCHES.items()))
@click.argument("name", type=click.Choice(list(BENCHES)))
@click.option("--quick", is_flag=True, help="At most 45 s of measuring; the same figures, less exact.")
@click.option(
    "--json", "json_file", type=click.Path(dir_okay=False, path_type=Path), help="Write raw values and all here."
)
@click.pass_context
def command(context: click.Context, name: str, quick: bool, json_file: Path | None) -> None:
    """Measure Lectern and a peer side by side on this machine.

    Prints a table with own, peer, ratio and goal. A missed goal is said, and is no failure: the exit code stays 0.
    """
    start_logs(context, "bench")
    bench: Any = importlib.import_module(f"bench.{name}")
    report = bench.run(quick=quick)
    click.echo(report.text())
    if json_file is not None:
        json_file.write_text(json.dumps(report.to_json(), indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
