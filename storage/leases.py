"""Leases in Valkey: who does a piece of work now, with a fencing token that only grows.

A lease is a hint, not a lock: its holder may be paused past its end while another works. So every result that matters
is saved with the token, and the catalogue refuses one that is smaller than what it has seen; the owner of a live
session is decided by the epoch in PostgreSQL, and its lease here only says where to look first.

Tokens grow even when Valkey has lost its data: each is above the last one known and not below the clock's
microseconds, of which every call takes several. A Lua number holds them exactly until the year 2255.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import redis
import redis.asyncio

PREFIX = "lectern:lease:"
TOKEN_LIFE_MS = 7 * 24 * 3600 * 1000
"""How long the last token of a name is remembered; after that the clock alone keeps tokens growing."""

# KEYS lease, last token; ARGV holder, life in ms, token's life in ms → {granted, token, holder}
_ACQUIRE = """
local held = redis.call('HMGET', KEYS[1], 'token', 'holder')
if held[1] then return {0, held[1], held[2]} end
local clock = redis.call('TIME')
local token = math.max(tonumber(redis.call('GET', KEYS[2]) or '0') + 1, clock[1] * 1000000 + clock[2])
local text = string.format('%.0f', token)
redis.call('HSET', KEYS[1], 'token', text, 'holder', ARGV[1])
redis.call('PEXPIRE', KEYS[1], ARGV[2])
redis.call('SET', KEYS[2], text, 'PX', ARGV[3])
return {1, text, ARGV[1]}
"""
# KEYS lease; ARGV token, life in ms → whether it was still ours
_RENEW = """
if redis.call('HGET', KEYS[1], 'token') ~= ARGV[1] then return 0 end
return redis.call('PEXPIRE', KEYS[1], ARGV[2])
"""
_RELEASE = """
if redis.call('HGET', KEYS[1], 'token') ~= ARGV[1] then return 0 end
return redis.call('DEL', KEYS[1])
"""


@dataclass(frozen=True, slots=True)
class Lease:
    """One holding of one name."""

    name: str
    holder: str
    token: int
    """Greater than every token given out for this name before."""


class LeaseTaken(Exception):  # noqa: N818 - named for what happened
    """Somebody else holds it; `by` says who."""

    def __init__(self, by: Lease) -> None:
        super().__init__(f"{by.name} is held by {by.holder}")
        self.by = by


def _keys(name: str) -> tuple[str, str]:
    # The braces keep both on one node of a cluster.
    return f"{PREFIX}{{{name}}}", f"{PREFIX}{{{name}}}:token"


def _text(value: bytes | str) -> str:
    return value.decode() if isinstance(value, bytes) else value


def _granted(name: str, answer: list[Any]) -> Lease:
    lease = Lease(name, _text(answer[2]), int(answer[1]))
    if not answer[0]:
        raise LeaseTaken(lease)
    return lease


def _found(name: str, fields: list[bytes | str | None]) -> Lease | None:
    token, holder = fields
    return None if token is None or holder is None else Lease(name, _text(holder), int(token))


class Leases:
    """For jobs, which run synchronously."""

    def __init__(self, connection: redis.Redis) -> None:
        self._connection = connection

    def acquire(self, name: str, holder: str, *, life_ms: int) -> Lease:
        """Take the lease for `life_ms`. Raises LeaseTaken."""
        lease, token = _keys(name)
        answer = self._connection.eval(_ACQUIRE, 2, lease, token, holder, str(life_ms), str(TOKEN_LIFE_MS))
        return _granted(name, answer)

    def renew(self, lease: Lease, *, life_ms: int) -> bool:
        """Have it for another `life_ms`; False when it is no longer ours: stop, and save nothing."""
        return bool(self._connection.eval(_RENEW, 1, _keys(lease.name)[0], str(lease.token), str(life_ms)))

    def release(self, lease: Lease) -> bool:
        """Let it go before its end; False when it was no longer ours."""
        return bool(self._connection.eval(_RELEASE, 1, _keys(lease.name)[0], str(lease.token)))

    def current(self, name: str) -> Lease | None:
        """Who holds it."""
        return _found(name, self._connection.hmget(_keys(name)[0], "token", "holder"))

    @contextmanager
    def held(self, name: str, holder: str, *, life_ms: int = 6_000) -> Iterator["HeldLease"]:
        """Hold it while the block runs, renewed by a thread every third of its life. Raises LeaseTaken."""
        held = HeldLease(self, self.acquire(name, holder, life_ms=life_ms), life_ms)
        try:
            yield held
        finally:
            held.end()


class HeldLease:
    """A lease that is kept; ask `lost` before saving a result."""

    def __init__(self, leases: Leases, lease: Lease, life_ms: int) -> None:
        self.lease = lease
        self._leases = leases
        self._life_ms = life_ms
        self._lost = threading.Event()
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._keep, name=f"lease {lease.name}", daemon=True)
        self._thread.start()

    @property
    def token(self) -> int:
        return self.lease.token

    @property
    def lost(self) -> bool:
        """Whether somebody else may hold it by now."""
        return self._lost.is_set()

    def _keep(self) -> None:
        while not self._ending.wait(self._life_ms / 3_000):
            try:
                if self._leases.renew(self.lease, life_ms=self._life_ms):
                    continue
            except redis.RedisError:
                # Unknown is lost: the token still guards what is saved, but no more work is worth starting.
                pass
            self._lost.set()
            return

    def end(self) -> None:
        """Stop renewing and let it go."""
        self._ending.set()
        self._thread.join()
        if not self.lost:
            self._leases.release(self.lease)


class LiveLeases:
    """The same for the event loops of ingest and api: which node says it owns a live session."""

    def __init__(self, connection: redis.asyncio.Redis) -> None:
        self._connection = connection

    async def acquire(self, name: str, holder: str, *, life_ms: int) -> Lease:
        """Take the lease for `life_ms`. Raises LeaseTaken."""
        lease, token = _keys(name)
        answer = await self._connection.eval(_ACQUIRE, 2, lease, token, holder, str(life_ms), str(TOKEN_LIFE_MS))
        return _granted(name, answer)

    async def renew(self, lease: Lease, *, life_ms: int) -> bool:
        """Have it for another `life_ms`; False when it is no longer ours."""
        return bool(await self._connection.eval(_RENEW, 1, _keys(lease.name)[0], str(lease.token), str(life_ms)))

    async def release(self, lease: Lease) -> bool:
        """Let it go before its end; False when it was no longer ours."""
        return bool(await self._connection.eval(_RELEASE, 1, _keys(lease.name)[0], str(lease.token)))

    async def current(self, name: str) -> Lease | None:
        """Who holds it: where to ask first."""
        return _found(name, await self._connection.hmget(_keys(name)[0], "token", "holder"))
