"""`lectern config`: the effective settings, each with its source; secrets masked."""

import dataclasses
import re
from typing import Any

import click
from rich.console import Console
from rich.table import Table

from lectern.commands.context import settings_of
from lectern.settings import ROOMS, is_secret, variable

PASSWORD_IN_URL = re.compile(r"(?<=://)([^:/@]*):[^@]*@")


@click.command("config")
@click.pass_context
def config(context: click.Context) -> None:
    """Show every setting: its value, its environment variable and where the value came from."""
    settings = settings_of(context)
    table = Table("variable", "value", "from", box=None, pad_edge=False)
    for room, made_of in ROOMS.items():
        values = getattr(settings, room)
        for field in dataclasses.fields(made_of):
            shown = mask(field.name, getattr(values, field.name))
            table.add_row(variable(room, field.name), shown, settings.sources[f"{room}.{field.name}"])
    Console(soft_wrap=True).print(table)


def mask(field: str, value: Any) -> str:
    """A value as it may be shown: secrets as ***, the password of an address likewise."""
    if value in (None, "", b""):
        return "(not set)"
    if is_secret(field):
        return "***"
    if isinstance(value, tuple):
        return ", ".join(str(part) for part in value)
    return PASSWORD_IN_URL.sub(r"\1:***@", str(value))
