"""The unit of work: everything an act changes, its facts and its audit entry stand or fall together.

A `Transaction` is handed to the functions of this folder's other files; none of them commits. `Catalogue.run` does the
whole work again when PostgreSQL ends it for a conflict, so the work must not touch anything outside its transaction.
"""

import asyncio
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from typing import Any, TypeVar
from uuid import UUID

from sqlalchemy import func, insert, select, text
from sqlalchemy.exc import DataError, DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import configure_mappers
from sqlalchemy.orm.exc import StaleDataError

from domain.facts import Fact, to_json
from domain.refusals import Refusal, RefusalCode
from storage.catalogue.address import LOST_SOON, for_engine
from storage.catalogue.faults import CatalogueUnavailable, UnkeepableValue, is_conflict, is_loss
from storage.catalogue.listener import HEARTBEAT_SECONDS, Listener
from storage.catalogue.tables import every as _every_table  # noqa: F401 - foreign keys name tables nobody imported
from storage.catalogue.tables.audit_entry import ActorKind, AuditEntry
from storage.catalogue.tables.fact import FactRow
from storage.settings import StorageSettings

T = TypeVar("T")

FACT_CHANNEL = "fact"
"""NOTIFY channel of the outbox; its payload is empty, since the row says everything."""
CONNECT_SECONDS = 5
"""Beyond this an unanswered connection attempt counts as a catalogue that is away."""
FIRST_WAIT_SECONDS = 0.01
"""Before the second attempt after a conflict; doubled each time, and jittered so that two do not meet again."""


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts: a person's account, the system itself, or an encoder; `name` is kept beside the id in the audit."""

    account_id: UUID | None
    kind: ActorKind
    address: str | None
    name: str

    @classmethod
    def system(cls, name: str) -> "Actor":
        """A process of ours that acts by a rule, such as the retention sweep."""
        return cls(account_id=None, kind=ActorKind.system, address=None, name=name)


class Transaction:
    """One open transaction of the catalogue. `session` is SQLAlchemy's; rows stay readable after the commit."""

    def __init__(self, session: AsyncSession) -> None:
        self.session = session
        self.told: list[tuple[str, str]] = []
        """Channel and payload of what is notified at the commit."""

    async def lock(self, name: str) -> None:
        """Waits for the lock called `name` and holds it to the transaction's end."""
        await self.session.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(name, 0))))

    async def try_lock(self, name: str) -> bool:
        """Takes the lock called `name` to the transaction's end, or says that another has it."""
        statement = select(func.pg_try_advisory_xact_lock(func.hashtextextended(name, 0)))
        return bool(await self.session.scalar(statement))

    async def fact(self, fact: Fact) -> None:
        """Appends `fact` to the outbox and wakes the pump when, and only when, this transaction commits."""
        await self.facts([fact])

    async def facts(self, facts: Sequence[Fact]) -> None:
        """The same for many, in a few statements."""
        if not facts:
            return
        rows = [{"name": fact.NAME, "payload": to_json(fact)} for fact in facts]
        # Of equal notifications PostgreSQL delivers one.
        await self.session.execute(insert(FactRow).returning(func.pg_notify(FACT_CHANNEL, "")), rows)

    async def audit(self, actor: Actor, action: str, item_kind: str, item_id: UUID | str, **details: Any) -> None:
        """Appends an entry to the audit trail. Id and time are given by the database, not by who acts."""
        entry = insert(AuditEntry).values(
            actor_kind=actor.kind,
            actor_id=actor.account_id,
            actor_name=actor.name,
            address=actor.address,
            action=str(action),
            item_kind=item_kind,
            item_id=str(item_id),
            details=details,
        )
        await self.session.execute(entry.returning(AuditEntry.id))

    async def undo(self) -> None:
        """Takes everything back that was done here, for what was only tried. Nothing may follow in this transaction."""
        await self.session.rollback()

    async def notify(self, channel: str, payload: str) -> None:
        """Tells `Catalogue.listen` on `channel`, at the commit. PostgreSQL takes payloads under 8,000 bytes."""
        await self.session.execute(select(func.pg_notify(channel, payload)))
        self.told.append((channel, payload))


class Catalogue:
    """The catalogue as one process sees it: a pool of connections, transactions on them, and notifications."""

    def __init__(
        self,
        url: str,
        *,
        pool_size: int = 10,
        pool_wait_seconds: float = 5.0,
        statement_timeout_seconds: float = 30.0,
        application_name: str = "lectern",
    ) -> None:
        self.url = url
        # Done here, at the start: the first query would do it, and hold an event loop up for as long as it takes.
        configure_mappers()
        self.engine: AsyncEngine = create_async_engine(
            for_engine(url),
            pool_size=pool_size,
            max_overflow=0,
            pool_timeout=pool_wait_seconds,
            # A connection that died in the pool is found before its use: a restarted server costs no request.
            pool_pre_ping=True,
            connect_args={
                "connect_timeout": CONNECT_SECONDS,
                "application_name": application_name,
                **LOST_SOON,
                "options": f"-c statement_timeout={int(statement_timeout_seconds * 1000)} -c timezone=UTC",
            },
        )
        self.echo: Callable[[Sequence[tuple[str, str]]], None] | None = None
        """Given what a transaction notified, once that stands: for a second way."""
        self._sessions = async_sessionmaker(self.engine, expire_on_commit=False)
        reading = self.engine.execution_options(isolation_level="AUTOCOMMIT")
        self._glances = async_sessionmaker(reading, expire_on_commit=False)

    @classmethod
    def from_settings(cls, settings: StorageSettings, application_name: str = "lectern") -> "Catalogue":
        """The catalogue as the application's role."""
        return cls(
            settings.database_url,
            pool_size=settings.database_pool_size,
            pool_wait_seconds=settings.database_pool_wait_seconds,
            statement_timeout_seconds=settings.database_statement_timeout_seconds,
            application_name=application_name,
        )

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Transaction]:
        """Commits when the block ends, rolls back when it raises. CatalogueUnavailable when the connection is lost,
        UnkeepableValue for what a column cannot hold.

        A versioned row that somebody changed since it was read, without a lock, is Refusal("stale_version").
        """
        with _translated():
            async with self._sessions() as session, session.begin():
                tx = Transaction(session)
                yield tx
        if self.echo and tx.told:
            self.echo(tx.told)

    @asynccontextmanager
    async def glance(self) -> AsyncIterator[Transaction]:
        """For one statement that only reads and is asked again and again: nothing begins and nothing is committed,
        which are two round trips of four. Raises CatalogueUnavailable.
        """
        with _translated():
            async with self._glances() as session:
                yield Transaction(session)

    async def run(self, fn: Callable[[Transaction], Awaitable[T]], attempts: int = 3) -> T:
        """Runs `fn` in a transaction, and again from its start after a serialization failure or a deadlock.

        The last attempt's conflict is raised. A lost connection is never tried again here: the commit may stand.
        """
        for attempt in range(1, attempts + 1):
            try:
                async with self.transaction() as tx:
                    return await fn(tx)
            except DBAPIError as error:
                if attempt == attempts or not is_conflict(error):
                    raise
            await asyncio.sleep(FIRST_WAIT_SECONDS * 2**attempt * (0.5 + secrets.randbelow(1000) / 1000))
        raise ValueError("attempts must be at least 1")

    def listen(self, channels: Sequence[str], heartbeat_seconds: float = HEARTBEAT_SECONDS) -> Listener:
        """Notifications on `channels`, over a connection of its own: `async with … as notes`, or `async for` alone."""
        return Listener(self.url, channels, heartbeat_seconds)

    async def ping(self) -> None:
        """One round trip; CatalogueUnavailable when there is none."""
        async with self.transaction() as tx:
            await tx.session.execute(text("SELECT 1"))

    async def close(self) -> None:
        """Closes every pooled connection."""
        await self.engine.dispose()


@contextmanager
def _translated() -> Iterator[None]:
    """What the database raises, as a fault of ours where there is one for it."""
    try:
        yield
    except (DBAPIError, PoolTimeout) as error:
        if is_loss(error):
            raise CatalogueUnavailable(str(error).splitlines()[0]) from error
        if isinstance(error, DataError):
            raise UnkeepableValue(str(error.orig).splitlines()[0]) from error
        raise
    except StaleDataError as error:
        raise Refusal(RefusalCode.stale_version) from error
