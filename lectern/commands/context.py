"""What the group's options mean for a command."""

import dataclasses
import os

import click

from lectern import logs, running_house
from lectern.complaint import Complaint
from lectern.settings import Settings, load
from lectern.wiring.stores import require_stores


def settings_of(context: click.Context) -> Settings:
    """The settings that `--config` and the environment give."""
    return load(os.environ, context.find_root().obj["config"])


def start_logs(context: click.Context, process: str) -> Settings:
    """Settings, with logging set up for a long-running process."""
    return _logging(context, process, settings_of(context))


def settings_beside_house(context: click.Context) -> Settings:
    """The same for a command that works on the stores: those without an address are the running house's, if one runs
    on the data folder and they are its own. What the environment says wins over what the house was told.
    """
    settings = settings_of(context)
    house = running_house.find(settings.lectern.data_folder)
    if house is None or not house.completes(settings.storage):
        return settings
    set_here = {name: value for name, value in os.environ.items() if value or name not in house.variables}
    joined = load({**house.variables, **set_here}, context.find_root().obj["config"])
    told = house.variables.keys() - set_here.keys()
    sources = {one: f"the house on {house.folder}" if by in told else by for one, by in joined.sources.items()}
    return dataclasses.replace(joined, sources=sources)


def start_beside_house(context: click.Context, process: str) -> Settings:
    """Settings of a command that works on all three stores, with logging set up. Complaint where it cannot reach them,
    saying how it could.
    """
    settings = settings_beside_house(context)
    require_stores_or_house(settings)
    require_stores(settings.storage)
    return _logging(context, process, settings)


def require_stores_or_house(settings: Settings) -> None:
    """Complaint where no store has an address and no house runs either."""
    if not any(getattr(settings.storage, one) for one in running_house.ADDRESSES):
        folder = settings.lectern.data_folder.resolve()
        raise Complaint(
            f"LECTERN_STORAGE_DATABASE_URL is not set, and no Lectern runs on {folder}: "
            "start `lectern up`, name a running one's folder with LECTERN_DATA_FOLDER, or set the stores' addresses"
        )


def _logging(context: click.Context, process: str, settings: Settings) -> Settings:
    level = "debug" if context.find_root().obj["debug"] else settings.lectern.log_level
    logs.configure(process, level, settings.lectern.log_format)
    return settings
