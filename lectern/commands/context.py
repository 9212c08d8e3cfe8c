"""What the group's options mean for a command."""

import os

import click

from lectern import logs
from lectern.settings import Settings, load


def settings_of(context: click.Context) -> Settings:
    """The settings that `--config` and the environment give."""
    return load(os.environ, context.find_root().obj["config"])


def start_logs(context: click.Context, process: str) -> Settings:
    """Settings, with logging set up for a long-running process."""
    settings = settings_of(context)
    level = "debug" if context.find_root().obj["debug"] else settings.lectern.log_level
    logs.configure(process, level, settings.lectern.log_format)
    return settings
