"""Who watches a session now, as ingest nodes say while somebody asks; gone half a minute after they stop.

Ten thousand names are not written down each second for nobody: a page that asks leaves a mark, and for as long as the
mark stands each node that shows the session adds whom it sees there. Only a picture: nothing is decided by it.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from uuid import UUID

import redis.asyncio

WANTED = "lectern:viewers_wanted:"
PEOPLE = "lectern:viewers:"
WANTED_MS = 15_000
LIFE_MS = 30_000
PRESENT = timedelta(seconds=10)
"""For how long who was said to watch does so."""


async def want(connection: redis.asyncio.Redis, session_id: UUID, now: datetime) -> list[UUID]:
    """Asks the nodes for the session's viewers, and gives those they have told of. Raises redis.RedisError."""
    async with connection.pipeline(transaction=False) as pipe:
        pipe.set(f"{WANTED}{session_id}", b"1", px=WANTED_MS)
        pipe.zrangebyscore(f"{PEOPLE}{session_id}", (now - PRESENT).timestamp(), "+inf")
        _, found = await pipe.execute()
    return [UUID(one.decode()) for one in found]


async def wanted(connection: redis.asyncio.Redis, session_ids: Sequence[UUID]) -> list[UUID]:
    """Of which of these sessions somebody wants to know. Raises redis.RedisError."""
    if not session_ids:
        return []
    found = await connection.mget([f"{WANTED}{one}" for one in session_ids])
    return [one for one, mark in zip(session_ids, found, strict=True) if mark is not None]


async def tell(connection: redis.asyncio.Redis, session_id: UUID, people: Iterable[UUID], now: datetime) -> None:
    """These watch the session at a node now. Raises redis.RedisError."""
    at, key = now.timestamp(), f"{PEOPLE}{session_id}"
    seen = {str(one): at for one in people}
    async with connection.pipeline(transaction=False) as pipe:
        if seen:
            pipe.zadd(key, seen)
        pipe.zremrangebyscore(key, "-inf", at - LIFE_MS / 1000)
        pipe.pexpire(key, LIFE_MS)
        await pipe.execute()
