"""`lectern config`: the effective settings, each with its source; secrets masked."""

import dataclasses
import re
from collections.abc import Iterator
from typing import Any

import click

from lectern.commands.context import settings_of
from lectern.settings import ROOMS, Settings, is_secret, variable
from lectern.settings_docs import markdown

PASSWORD_IN_URL = re.compile(r"(?<=://)([^:/@]*):[^@]*@")


@click.command("config")
@click.option("--docs", is_flag=True, help="Print what every setting means, as Markdown (docs/configuration.md).")
@click.pass_context
def command(context: click.Context, docs: bool) -> None:
    """Show every setting: its value, its environment variable and where the value came from."""
    if docs:
        click.echo(markdown(), nl=False)
        return
    lines = [("variable", "value", "from"), *_lines(settings_of(context))]
    widths = [max(len(line[column]) for line in lines) for column in (0, 1)]
    for name, value, source in lines:
        click.echo(f"{name:<{widths[0]}}  {value:<{widths[1]}}  {source}")


def _lines(settings: Settings) -> Iterator[tuple[str, str, str]]:
    for room, made_of in ROOMS.items():
        values = getattr(settings, room)
        for field in dataclasses.fields(made_of):
            shown = mask(field.name, getattr(values, field.name))
            yield variable(room, field.name), shown, settings.sources[f"{room}.{field.name}"]


def mask(field: str, value: Any) -> str:
    """A value as it may be shown: secrets as ***, the password of an address likewise."""
    if value in (None, "", b""):
        return "(not set)"
    if is_secret(field):
        return "***"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, tuple):
        return ", ".join(str(part) for part in value)
    return PASSWORD_IN_URL.sub(r"\1:***@", str(value))
