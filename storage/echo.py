"""The second way of what takes playback away from somebody: through Valkey, beside the catalogue's own notifications.

A node that has lost the catalogue for a moment hears it here, and within two seconds all the same. It is said once, to
who listens: what was missed on both ways is read from the rows when the catalogue is back.
"""

import asyncio
import socket
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import redis.asyncio
import structlog
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from storage.catalogue.sign_ins import ENDED_CHANNEL
from storage.catalogue.transaction import Catalogue
from storage.catalogue.withdrawals import CHANNEL as WITHDRAWN_CHANNEL

log = structlog.get_logger()

PREFIX = "lectern:"
CHANNELS = frozenset((ENDED_CHANNEL, WITHDRAWN_CHANNEL))
WAIT_SECONDS = 1.0
LOST_SOON = {socket.TCP_KEEPIDLE: 1, socket.TCP_KEEPINTVL: 1, socket.TCP_KEEPCNT: 2}
"""A listener sends nothing by which it would find that its line is dead."""


class Echo:
    """Says again what the catalogue notified; for `Catalogue.echo`. Whoever notifies does not wait for it."""

    def __init__(self, valkey: redis.asyncio.Redis) -> None:
        self._valkey = valkey
        self._sending: set[asyncio.Task[None]] = set()

    def __call__(self, told: Sequence[tuple[str, str]]) -> None:
        again = [(channel, payload) for channel, payload in told if channel in CHANNELS]
        if again:
            task = asyncio.create_task(self._send(again), name="echo")
            self._sending.add(task)
            task.add_done_callback(self._sending.discard)

    async def finish(self) -> None:
        """All of it is said, or could not be."""
        while self._sending:
            await asyncio.wait(self._sending)

    async def _send(self, told: Sequence[tuple[str, str]]) -> None:
        try:
            async with self._valkey.pipeline(transaction=False) as pipe:
                for channel, payload in told:
                    pipe.publish(PREFIX + channel, payload)
                await pipe.execute()
        except (RedisError, OSError) as error:
            log.warning("not_echoed", error=str(error))


@asynccontextmanager
async def echoing(catalogue: Catalogue, valkey_url: str) -> AsyncIterator[None]:
    """For a job or a command: what is notified in the block is said again before it ends, where Valkey has an address
    and answers in WAIT_SECONDS.
    """
    if not valkey_url:
        yield
        return
    once = Retry(NoBackoff(), 0)
    async with redis.asyncio.Redis.from_url(
        valkey_url, socket_connect_timeout=WAIT_SECONDS, socket_timeout=WAIT_SECONDS, retry=once
    ) as connection:
        catalogue.echo = echo = Echo(connection)
        try:
            yield
        finally:
            await echo.finish()


async def heard(valkey_url: str) -> AsyncIterator[tuple[str, str]]:
    """Channel and payload of what is said from now on. Raises redis.RedisError, OSError when Valkey is away."""
    async with (
        redis.asyncio.Redis.from_url(
            valkey_url, socket_connect_timeout=WAIT_SECONDS, socket_keepalive=True, socket_keepalive_options=LOST_SOON
        ) as connection,
        connection.pubsub() as line,
    ):
        await line.subscribe(*(PREFIX + channel for channel in CHANNELS))
        while True:
            said = await line.get_message(ignore_subscribe_messages=True, timeout=WAIT_SECONDS)
            if said is not None:
                yield _text(said["channel"]).removeprefix(PREFIX), _text(said["data"])


def _text(value: bytes | str) -> str:
    return value.decode() if isinstance(value, bytes) else value
