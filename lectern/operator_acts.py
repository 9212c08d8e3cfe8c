"""What commands do to the catalogue in the name of whoever runs the machine: in one transaction, as an actor whom the
audit trail can name.
"""

import os
import pwd
from collections.abc import Awaitable, Callable
from typing import TypeVar

import anyio
import click

from lectern.commands.context import require_stores_or_house, settings_beside_house
from lectern.complaint import Complaint
from storage.catalogue.tables.audit_entry import ActorKind
from storage.catalogue.transaction import Actor, Catalogue, Transaction
from storage.echo import echoing

T = TypeVar("T")


def in_transaction(context: click.Context, work: Callable[[Transaction], Awaitable[T]]) -> T:
    """Do `work` in one transaction of the catalogue that the settings name. Raises Complaint."""
    settings = settings_beside_house(context)
    require_stores_or_house(settings)
    storage = settings.storage
    if not storage.database_url:
        raise Complaint("LECTERN_STORAGE_DATABASE_URL is not set: which catalogue is meant?")

    async def once() -> T:
        catalogue = Catalogue.from_settings(storage, "lectern-command")
        try:
            async with echoing(catalogue, storage.valkey_url):
                return await catalogue.run(work)
        finally:
            await catalogue.close()

    return anyio.run(once)


def actor() -> Actor:
    """Who acts, as the trail says it."""
    return Actor(None, ActorKind.system, None, f"command line ({operator()})")


def operator() -> str:
    """The operating system's user; for root also who became it by sudo, whose word root alone could change."""
    user = os.getuid()
    caller = os.environ.get("SUDO_UID", "")
    return f"{_name(user)} for {_name(int(caller))}" if user == 0 and caller.isdecimal() else _name(user)


def _name(user_id: int) -> str:
    """The name of a user of the operating system; a container's may have none."""
    try:
        return pwd.getpwuid(user_id).pw_name
    except (KeyError, OverflowError):
        return f"uid {user_id}"
