"""How often something may be tried: a counter per minute in Valkey, shared by all API processes."""

from datetime import datetime

from redis.asyncio import Redis

from domain.refusals import Refusal, RefusalCode

WINDOW_SECONDS = 60


async def allow(valkey: Redis, name: str, most: int, now: datetime) -> None:
    """Count one try of `name`; Refusal("rate_limited") from the `most + 1`th within a minute on."""
    second = int(now.timestamp())
    key = f"rate:{name}:{second // WINDOW_SECONDS}"
    async with valkey.pipeline(transaction=True) as pipe:
        pipe.incr(key)
        pipe.expire(key, 2 * WINDOW_SECONDS)
        count, _ = await pipe.execute()
    if count > most:
        left = WINDOW_SECONDS - second % WINDOW_SECONDS
        raise Refusal(RefusalCode.rate_limited, retry_after_seconds=left)
