"""What a live session's encoder is doing now, as its ingest node says each second; gone five seconds after it stops.

Only a picture for pages: nothing is decided by it. The truth about sessions and takes is in the catalogue.
"""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import msgspec
import redis.asyncio

LIFE_MS = 5_000
PREFIX = "lectern:live_state:"


class LiveState(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One picture; what is not known yet is None."""

    session_id: UUID
    node: str
    """The ingest node that owns the session."""
    state: str
    at: datetime
    """When this was so, aware UTC."""
    encoder_lost_at: datetime | None = None
    """Since when the session waits for an encoder to come back, aware UTC; None while one publishes."""
    take_id: UUID | None = None
    take_number: int | None = None
    protocol: str | None = None
    encoder: str | None = None
    """What the encoder calls itself."""
    width: int | None = None
    height: int | None = None
    frame_rate: float | None = None
    video_codec: str | None = None
    audio_codec: str | None = None
    video_kbps: int | None = None
    audio_kbps: int | None = None
    keyframe_interval_ms: int | None = None
    dropped_frames: int = 0
    viewers: int = 0
    problem_code: str | None = None
    """What is wrong, as a code the pages translate, with its facts."""
    problem_facts: dict[str, str | int] = {}


_decoder = msgspec.json.Decoder(LiveState)


def connect_live(valkey_url: str) -> redis.asyncio.Redis:
    """A connection for an event loop that fails soon: better a page without the encoder's state than one that waits."""
    return redis.asyncio.Redis.from_url(valkey_url, socket_connect_timeout=1.0, socket_timeout=1.0)


def _key(session_id: UUID) -> str:
    return f"{PREFIX}{session_id}"


async def publish(connection: redis.asyncio.Redis, state: LiveState) -> None:
    """Show `state` for the next five seconds. Raises redis.RedisError when Valkey is away."""
    await connection.set(_key(state.session_id), msgspec.json.encode(state), px=LIFE_MS)


async def read(connection: redis.asyncio.Redis, session_id: UUID) -> LiveState | None:
    """What the node last said, or None when it has said nothing for five seconds."""
    return (await read_many(connection, [session_id]))[0]


async def read_many(connection: redis.asyncio.Redis, session_ids: Sequence[UUID]) -> list[LiveState | None]:
    """The same for several sessions in one question, in their order."""
    if not session_ids:
        return []
    found = await connection.mget([_key(session_id) for session_id in session_ids])
    return [_read(value) for value in found]


async def clear(connection: redis.asyncio.Redis, session_id: UUID) -> None:
    """Say that there is no encoder any more, without waiting for the five seconds."""
    await connection.delete(_key(session_id))


def _read(value: bytes | str | None) -> LiveState | None:
    """A node of another version may say more or less; what does not fit is as good as nothing said."""
    if value is None:
        return None
    try:
        return _decoder.decode(value)
    except (msgspec.DecodeError, msgspec.ValidationError):
        return None
