"""Where a live session is served from, and where it has got to: what its owner notes in Valkey, for other nodes.

Only a hint: ownership is the catalogue's to decide, by its epoch. A note of an older epoch never replaces a newer one,
whoever writes last; a note that is lost costs a question to the catalogue.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

import redis.asyncio

PREFIX = "lectern:live_hint:"
LIFE_MS = 24 * 3600 * 1000
"""Longer than any lecture, so that whoever takes it up late finds where it was."""

# KEYS hint; ARGV epoch, node, url, tail, life in ms → whether it was noted
_PUT = """
local known = redis.call('HGET', KEYS[1], 'epoch')
if known and tonumber(known) > tonumber(ARGV[1]) then return 0 end
redis.call('HSET', KEYS[1], 'epoch', ARGV[1], 'node', ARGV[2], 'url', ARGV[3], 'tail', ARGV[4])
return redis.call('PEXPIRE', KEYS[1], ARGV[5])
"""


@dataclass(frozen=True, slots=True)
class LiveHint:
    """Who says that it owns a session, by which epoch, and where it answers."""

    epoch: int
    node: str
    url: str


@dataclass(frozen=True, slots=True)
class Note:
    """What the owner of a session notes of it."""

    session_id: UUID
    hint: LiveHint
    tail: bytes


async def put(connection: redis.asyncio.Redis, notes: Sequence[Note]) -> list[bool]:
    """Notes them in one round trip; False of those of which a newer owner has. Raises redis.RedisError when Valkey is
    away.
    """
    async with connection.pipeline(transaction=False) as pipe:
        for note in notes:
            hint = note.hint
            arguments = (str(hint.epoch), hint.node, hint.url, note.tail, str(LIFE_MS))
            pipe.eval(_PUT, 1, f"{PREFIX}{note.session_id}", *arguments)
        return [bool(done) for done in await pipe.execute()]


async def find(connection: redis.asyncio.Redis, session_id: UUID) -> LiveHint | None:
    """The newest hint; None where there is none that can be read. Raises redis.RedisError."""
    fields = await connection.hmget(f"{PREFIX}{session_id}", ["epoch", "node", "url"])
    found = [field.decode() if isinstance(field, bytes) else field for field in fields]
    if None in found or not str(found[0]).isdigit():
        return None
    epoch, node, url = map(str, found)
    return LiveHint(int(epoch), node, url)


async def tail(connection: redis.asyncio.Redis, session_id: UUID) -> bytes | None:
    """Where the session has got to, as its owner noted it. Raises redis.RedisError."""
    found = await connection.hget(f"{PREFIX}{session_id}", "tail")
    return found.encode() if isinstance(found, str) else found
