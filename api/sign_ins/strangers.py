"""Failures of logins that nobody has, counted as an account's are (`domain.passwords`).

Else a lock would tell that the login exists. They are kept in Valkey, under the login's hash and for a week, since
anybody can make up as many as he likes.
"""

import hashlib
from datetime import datetime, timedelta

from redis.asyncio import Redis

from domain.passwords import LOCK_SECONDS, after_failure

KEPT = timedelta(days=7)


async def locked_until(valkey: Redis, login: str) -> datetime | None:
    """Until when this login is locked by its failures."""
    kept = await valkey.get(f"{_name(login)}:locked")
    return datetime.fromisoformat(str(kept, "ascii") if isinstance(kept, bytes) else kept) if kept else None


async def count_failure(valkey: Redis, login: str, now: datetime) -> None:
    """Count a wrong password for a login that nobody has."""
    async with valkey.pipeline(transaction=True) as pipe:
        pipe.incr(f"{_name(login)}:failed")
        pipe.expire(f"{_name(login)}:failed", KEPT)
        failed, _ = await pipe.execute()
    if (until := after_failure(failed - 1, now).locked_until) is not None:
        await valkey.set(f"{_name(login)}:locked", until.isoformat(), ex=LOCK_SECONDS)


def _name(login: str) -> str:
    return f"sign-in:stranger:{hashlib.sha256(login.encode()).hexdigest()}"
