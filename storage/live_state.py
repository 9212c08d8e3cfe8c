"""What a live session's encoder is doing now, as its ingest node says each second; gone five seconds after it stops.

Only a picture for pages. The truth about sessions and takes is in the catalogue; by this it is decided alone whether a
node that another does not reach has an encoder yet.
"""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import msgspec
import redis.asyncio

LIFE_MS = 5_000
PREFIX = "lectern:live_state:"
REFUSAL_LIFE_MS = 20_000
"""Encoders try again every few seconds: a refusal is shown until the next one, and soon forgotten when they give up."""
REFUSAL_PREFIX = "lectern:live_refusal:"


class EncoderVerdict(msgspec.Struct, frozen=True):
    """One verdict of `domain.encoder_health`; its strings are not narrowed, since a newer node may know more."""

    code: str
    light: str
    facts: dict[str, str | int]


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
    jitter_ms: int | None = None
    """How unevenly frames came lately."""
    queue_ms: int | None = None
    """How much later media comes now than it did at best: what waits in the encoder."""
    audio_offset_ms: int | None = None
    """How much sound comes before the picture of its time; negative: after it."""
    repairs: int = 0
    """Of the encoder's times, in the last minute."""
    light: str | None = None
    """The worst of `health`."""
    health: list[EncoderVerdict] = []
    """What is wrong with the encoder, the worst first; `good` alone where nothing is."""
    viewers: int = 0
    frozen: bool = False
    """Whether its gate lets nothing out, because no cut could be heard."""
    problem_code: str | None = None
    """What is wrong, as a code the pages translate, with its facts."""
    problem_facts: dict[str, str | int] = {}


_decoder = msgspec.json.Decoder(LiveState)
_encoder = msgspec.json.Encoder()


def connect_live(valkey_url: str) -> redis.asyncio.Redis:
    """A connection for an event loop that fails soon: better a page without the encoder's state than one that waits."""
    return redis.asyncio.Redis.from_url(valkey_url, socket_connect_timeout=1.0, socket_timeout=1.0)


def _key(session_id: UUID) -> str:
    return f"{PREFIX}{session_id}"


async def publish(connection: redis.asyncio.Redis, state: LiveState) -> None:
    """Show `state` for the next five seconds. Raises redis.RedisError when Valkey is away."""
    await publish_many(connection, [state])


async def publish_many(
    connection: redis.asyncio.Redis, states: Sequence[LiveState], refusals: Sequence[LiveState] = ()
) -> None:
    """The same of several in one round trip, and of encoders that were refused: they are shown apart, since the session
    may be live on another node.
    """
    if not states and not refusals:
        return
    async with connection.pipeline(transaction=False) as pipe:
        for state in states:
            pipe.set(_key(state.session_id), _encoder.encode(state), px=LIFE_MS)
        for state in refusals:
            pipe.set(f"{REFUSAL_PREFIX}{state.session_id}", _encoder.encode(state), px=REFUSAL_LIFE_MS)
        await pipe.execute()


async def read(connection: redis.asyncio.Redis, session_id: UUID) -> LiveState | None:
    """What the node last said, or None when it has said nothing for five seconds."""
    return (await read_many(connection, [session_id]))[0]


async def read_many(connection: redis.asyncio.Redis, session_ids: Sequence[UUID]) -> list[LiveState | None]:
    """The same for several sessions in one question, in their order."""
    if not session_ids:
        return []
    found = await connection.mget([_key(session_id) for session_id in session_ids])
    return [_read(value) for value in found]


async def read_refusal(connection: redis.asyncio.Redis, session_id: UUID) -> LiveState | None:
    """Why the session's encoder was not let in a moment ago, as problem; None where none was refused."""
    return _read(await connection.get(f"{REFUSAL_PREFIX}{session_id}"))


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
