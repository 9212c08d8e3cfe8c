"""`lectern doctor`: what this machine lacks, a line each."""

import json
import sys

import click

from lectern.commands.context import settings_of
from lectern.doctor.checks import checks_of
from lectern.doctor.examination import Examined, examine
from lectern.doctor.finding import Verdict

SIGNS = {Verdict.good: ("✓", "green"), Verdict.doubtful: ("!", "yellow"), Verdict.bad: ("✗", "red")}
SOMETHING_BAD = 1
PROCESSES = ("api", "ingest", "worker", "scheduler")


@click.command("doctor")
@click.option(
    "--process",
    "processes",
    type=click.Choice(PROCESSES),
    multiple=True,
    help="Only what this process needs, where a machine or container runs no other; may be given again.",
)
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line, for machines.")
@click.pass_context
def command(context: click.Context, processes: tuple[str, ...], as_json: bool) -> None:
    """Look for what would keep Lectern from working here; exit code 1 when something would."""
    settings = settings_of(context)
    found_bad = False
    for examined in examine(checks_of(processes), settings):
        click.echo(_as_json(examined) if as_json else _line(examined))
        found_bad |= examined.finding.verdict == Verdict.bad
    sys.exit(SOMETHING_BAD if found_bad else 0)


def _line(examined: Examined) -> str:
    finding = examined.finding
    sign, colour = SIGNS[finding.verdict]
    remedy = f" → {finding.remedy}" if finding.remedy else ""
    return f"{click.style(sign, fg=colour)} {examined.title:<16} {finding.found}{remedy}"


def _as_json(examined: Examined) -> str:
    finding = examined.finding
    shown = {
        "check": examined.title,
        "verdict": finding.verdict.value,
        "found": finding.found,
        "remedy": finding.remedy,
        "seconds": round(examined.seconds, 3),
    }
    return json.dumps(shown, ensure_ascii=False)
