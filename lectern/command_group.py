"""A click group whose commands are imported when they are asked for, so that each process loads only its own rooms."""

import importlib
from collections.abc import Mapping
from typing import Any

import click


class CommandGroup(click.Group):
    """`commands_help` names the commands in their order; each is `command` of `lectern.commands.NAME`."""

    def __init__(self, *arguments: Any, commands_help: Mapping[str, str], **more: Any) -> None:
        super().__init__(*arguments, **more)
        self._help = commands_help

    def list_commands(self, _context: click.Context) -> list[str]:
        return list(self._help)

    def get_command(self, _context: click.Context, name: str) -> click.Command | None:
        if name not in self._help:
            return None
        command: click.Command = importlib.import_module(f"lectern.commands.{name}").command
        return command

    def format_commands(self, _context: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(self._help.items()))
