"""Brings a database to the newest revision and gives the application's role its privileges; both in one transaction.

Only the owner's address can do this. Two processes that migrate at once queue on an advisory lock, and the second finds
nothing to do. The application's role is cluster-wide: it is made here where it is missing and the owner may, without a
password (so it can sign in only where the server trusts, or once it is given one).
"""

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text
from sqlalchemy.exc import OperationalError
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from storage.catalogue.address import for_engine
from storage.catalogue.faults import CatalogueUnavailable, is_loss
from storage.migrations.privileges import APP_ROLE, give_privileges

T = TypeVar("T")

HERE = Path(__file__).parent
LOCK = 0x1EC7E12
"""Advisory lock of migrators: any fixed number that nothing else uses."""


def configuration() -> Config:
    """Alembic's configuration, without an ini file."""
    config = Config()
    config.set_main_option("script_location", str(HERE).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    return config


def newest() -> str:
    """The newest revision that this code knows."""
    head = ScriptDirectory.from_config(configuration()).get_current_head()
    if head is None:
        raise ValueError("there are no revisions")
    return head


async def migrate(owner_url: str, app_role: str = APP_ROLE) -> str:
    """Upgrades to the newest revision, gives `app_role` its privileges, returns the revision.

    Idempotent. Nothing is changed when a step fails: PostgreSQL rolls back table changes too.
    """

    def upgrade(connection: Connection) -> None:
        connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": LOCK})
        config = configuration()
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
        give_privileges(connection, app_role)

    await _with_connection(owner_url, upgrade)
    return newest()


async def current(owner_url: str) -> str | None:
    """The revision that the database is at; None for an empty one."""

    def read(connection: Connection) -> str | None:
        return MigrationContext.configure(connection).get_current_revision()

    return await _with_connection(owner_url, read)


async def _with_connection(url: str, fn: Callable[[Connection], T]) -> T:
    engine = create_async_engine(for_engine(url), poolclass=NullPool, connect_args={"connect_timeout": 5})
    try:
        async with engine.begin() as connection:
            return await connection.run_sync(fn)
    except OperationalError as error:
        if is_loss(error):
            raise CatalogueUnavailable(str(error).splitlines()[0]) from error
        raise
    finally:
        await engine.dispose()
