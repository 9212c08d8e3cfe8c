"""What each ingest node says of itself: how full it is, how many watch there, how its disk and its uploads do.

Only a picture for pages: nothing is decided by it. A node that falls silent stays in it for a day, with how long ago it
was heard, by Valkey's clock alone; one that stops as it should takes itself out.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import msgspec
import redis.asyncio

NAMES = "lectern:nodes"
PREFIX = "lectern:node_state:"
LIFE_MS = 24 * 3600 * 1000
TELL_SECONDS = 5.0
"""How often a node tells."""


class NodeState(msgspec.Struct, frozen=True, kw_only=True):
    """One node, a moment ago. Of a node of another version some of it may be missing."""

    node: str
    at: datetime
    """By the node's own clock, aware UTC."""
    edge: bool = False
    """Whether it only shows what other nodes have."""
    publishers: int = 0
    max_publishers: int = 0
    """How many encoders it takes at one time."""
    max_department_publishers: int | None = None
    """What its setting gives each department that has no limit of its own; None: no limit."""
    sessions: int = 0
    viewers: int = 0
    """Who watches here, sessions of other nodes included."""
    stand_ins: int = 0
    """Sessions shown from the store, since their nodes are silent."""
    reels_pending: int = 0
    uploads_failing_since: datetime | None = None
    disk: str = "good"
    """A `domain.disk_state.DiskState`; a newer node may know another."""
    disk_free_bytes: int = 0
    disk_bytes: int = 0


@dataclass(frozen=True, slots=True)
class Heard:
    """What a node said last, and how long ago that was."""

    state: NodeState
    seconds_ago: float


_decoder = msgspec.json.Decoder(NodeState)
_encoder = msgspec.json.Encoder()


async def tell(connection: redis.asyncio.Redis, state: NodeState) -> None:
    """Shows `state`. Raises redis.RedisError."""
    async with connection.pipeline(transaction=False) as pipe:
        pipe.sadd(NAMES, state.node)
        pipe.set(f"{PREFIX}{state.node}", _encoder.encode(state), px=LIFE_MS)
        await pipe.execute()


async def leave(connection: redis.asyncio.Redis, node: str) -> None:
    """The node stops and is no longer one of them. Raises redis.RedisError."""
    async with connection.pipeline(transaction=False) as pipe:
        pipe.srem(NAMES, node)
        pipe.delete(f"{PREFIX}{node}")
        await pipe.execute()


async def heard(connection: redis.asyncio.Redis) -> Sequence[Heard]:
    """The nodes of the last day by their names. Raises redis.RedisError."""
    found = await connection.smembers(NAMES)
    names = sorted(name.decode() if isinstance(name, bytes) else name for name in found)
    async with connection.pipeline(transaction=False) as pipe:
        for name in names:
            pipe.get(f"{PREFIX}{name}")
            pipe.pttl(f"{PREFIX}{name}")
        answers = await pipe.execute()
    nodes = []
    for value, left in zip(answers[::2], answers[1::2], strict=True):
        if (state := _read(value)) is not None:
            nodes.append(Heard(state, max(0, LIFE_MS - left) / 1000))
    return nodes


def _read(value: bytes | None) -> NodeState | None:
    """What does not fit is as good as nothing said."""
    if value is None:
        return None
    try:
        return _decoder.decode(value)
    except (msgspec.DecodeError, msgspec.ValidationError):
        return None
