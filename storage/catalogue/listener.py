"""LISTEN on a connection of its own, as an async iterator.

Entering the context (or the first step of the iteration) returns once LISTEN stands, so that a reader who looks at the
tables after that misses nothing. A dead connection is found by a round trip every `heartbeat_seconds`; the iterator
then raises CatalogueUnavailable, and whoever listens begins again: notifications are not kept for who is away.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import TypeVar

import psycopg
from psycopg import AsyncConnection, sql
from psycopg.abc import PQGen

from storage.catalogue.address import LOST_SOON, for_libpq
from storage.catalogue.faults import CatalogueUnavailable

HEARTBEAT_SECONDS = 5.0
CONNECT_SECONDS = 5

LOOK_UP_SECONDS = 1.0
"""How soon an iteration ends whose connection was closed under it."""

T = TypeVar("T")


class _Patient(AsyncConnection):
    """By itself psycopg looks up ten times a second while it waits, for a Ctrl-C, of which an event loop hears anyway:
    in a process that is idle else, a third of its work.
    """

    async def wait(  # psycopg gives the signature
        self,
        gen: PQGen[T],
        interval: float = LOOK_UP_SECONDS,
        timeout: float | None = None,  # noqa: ASYNC109
    ) -> T:
        return await super().wait(gen, max(interval, LOOK_UP_SECONDS), timeout)


@dataclass(frozen=True, slots=True)
class Notification:
    """One NOTIFY."""

    channel: str
    payload: str


class Listener:
    """Made by `Catalogue.listen`. One reader at a time."""

    def __init__(self, url: str, channels: Sequence[str], heartbeat_seconds: float = HEARTBEAT_SECONDS) -> None:
        self._url = for_libpq(url)
        self._channels = tuple(channels)
        self._heartbeat_seconds = heartbeat_seconds
        self._connection: AsyncConnection | None = None
        self.heard_at = 0.0
        """Event loop's time of the last proof that the connection lives."""

    async def __aenter__(self) -> "Listener":
        await self._open()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Ends the connection, and an iteration under way with it."""
        if self._connection is not None:
            connection, self._connection = self._connection, None
            await connection.close()

    async def __aiter__(self) -> AsyncIterator[Notification]:
        alone = self._connection is None
        connection = self._connection or await self._open()
        try:
            while True:
                async for note in connection.notifies(timeout=self._heartbeat_seconds):
                    self._heard()
                    yield Notification(note.channel, note.payload)
                async with asyncio.timeout(self._heartbeat_seconds):
                    await connection.execute("SELECT 1")
                self._heard()
        except (psycopg.Error, TimeoutError) as error:
            raise CatalogueUnavailable(f"the listening connection was lost: {error}") from error
        finally:
            if alone:  # inside `async with`, what comes between two iterations is kept for the second
                await connection.close()
                self._connection = None

    async def _open(self) -> AsyncConnection:
        try:
            connection = await _Patient.connect(
                self._url,
                autocommit=True,
                connect_timeout=CONNECT_SECONDS,
                application_name="lectern-listen",
                **LOST_SOON,
            )
            self._connection = connection
            for channel in self._channels:
                await connection.execute(sql.SQL("LISTEN {}").format(sql.Identifier(channel)))
        except psycopg.Error as error:
            await self.close()
            raise CatalogueUnavailable(f"cannot listen: {error}") from error
        self._heard()
        return connection

    def _heard(self) -> None:
        self.heard_at = asyncio.get_running_loop().time()
