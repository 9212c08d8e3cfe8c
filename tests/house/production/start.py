"""Would a process of Lectern start with what production gives it? Asks the very code that reads settings."""

import dataclasses
import re
from collections.abc import Mapping
from pathlib import Path

import click

from lectern.__main__ import lectern
from lectern.settings import Settings, load

FOLDER_OF_SECRETS = re.compile(r"^(?:/run/secrets|%d)/")


def settings_of(environ: Mapping[str, str], secrets: Path) -> Settings:
    """What the process reads; its secret files are those in `secrets`. Raises SettingsError as the process would."""
    return load({name: FOLDER_OF_SECRETS.sub(f"{secrets}/", value) for name, value in environ.items()})


def command_named(words: list[str]) -> click.Command:
    """The command that `lectern WORDS…` runs; raises AssertionError where there is none."""
    assert words[0].endswith("lectern"), words
    command: click.Command = lectern
    for word in words[1:]:
        assert isinstance(command, click.Group), f"{command.name} has no commands, so no {word}"
        context = click.Context(command)
        found = command.get_command(context, word)
        assert found is not None, f"lectern has no {word}: {command.list_commands(context)}"
        command = found
    return command


def unset_secrets(settings: Settings) -> list[str]:
    """Addresses and secrets of the stores that stayed empty, but for the owner's, which only migrate has."""
    storage = settings.storage
    stores = ("database_url", "valkey_url", "s3_endpoint", "s3_access_key", "s3_secret_key")
    assert {field.name for field in dataclasses.fields(storage)} >= set(stores)
    empty = [name for name in stores if not getattr(storage, name)]
    return empty if settings.lectern.master_secret else [*empty, "master_secret"]
