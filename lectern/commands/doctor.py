"""`lectern doctor`: what this machine lacks, a line each, and a line that sums it up.

Exit code 0: nothing keeps Lectern from working, though a person should know what a "!" says. 1: a check failed ("✗").
2: the command itself could not be understood or begun.
"""

import json
import sys
from collections import Counter

import click

from lectern.commands.context import settings_beside_house
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
    """Look for what would keep Lectern from working here; next to a running `lectern up` or demo, at that one's stores.

    Exit code 1 when a check failed (✗), 0 otherwise: what only should be known (!) does not change it.
    """
    settings = settings_beside_house(context)
    found: Counter[Verdict] = Counter()
    for examined in examine(checks_of(processes), settings):
        click.echo(_as_json(examined) if as_json else _line(examined))
        found[examined.finding.verdict] += 1
    if not as_json:
        click.echo(_summary(found))
    sys.exit(SOMETHING_BAD if found[Verdict.bad] else 0)


def _summary(found: Counter[Verdict]) -> str:
    known = f"; {found[Verdict.doubtful]} to know of (!), which keep nothing from working" * bool(
        found[Verdict.doubtful]
    )
    if found[Verdict.bad]:
        return f"{found[Verdict.bad]} of {found.total()} checks failed (✗){known}"
    return f"{found.total()} checks, none failed{known}"


def _line(examined: Examined) -> str:
    finding = examined.finding
    sign, colour = SIGNS[finding.verdict]
    remedy = f" → {finding.remedy}" if finding.remedy else ""
    return f"{click.style(sign, fg=colour)} {examined.title:<22} {finding.found}{remedy}"


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
