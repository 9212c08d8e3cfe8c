"""The live picture of an encoder, through a real Valkey."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from uuid import uuid4

import pytest
import redis
import redis.asyncio

from storage import live_state
from storage.embedded import valkey as embedded_valkey
from storage.embedded.ports import free_ports
from storage.live_state import LIFE_MS, PREFIX, LiveState, connect_live

pytestmark = pytest.mark.anyio

NOW = datetime(2026, 3, 2, 1, 30, tzinfo=UTC)


@pytest.fixture
async def connection(
    valkey: embedded_valkey.Running, valkey_connection: redis.Redis
) -> AsyncIterator[redis.asyncio.Redis]:
    async with connect_live(valkey.url) as connection:
        yield connection


def _state(**known: object) -> LiveState:
    return LiveState(session_id=uuid4(), node="node-1", state="live", at=NOW, **known)  # type: ignore[arg-type]


async def test_all_that_is_said_is_read(connection: redis.asyncio.Redis) -> None:
    state = _state(
        take_id=uuid4(),
        take_number=2,
        protocol="rtmp",
        encoder="FMLE/3.0",
        width=1920,
        height=1080,
        frame_rate=29.97,
        video_codec="avc1.640028",
        audio_codec="mp4a.40.2",
        video_kbps=4_500,
        audio_kbps=128,
        keyframe_interval_ms=2_000,
        dropped_frames=3,
        viewers=41,
        problem_code="keyframes_too_far_apart",
        problem_facts={"interval_ms": 8_000, "encoder": "x264"},
    )
    await live_state.publish(connection, state)
    assert await live_state.read(connection, state.session_id) == state


async def test_little_is_said_in_few_bytes(connection: redis.asyncio.Redis, valkey_connection: redis.Redis) -> None:
    state = _state()
    await live_state.publish(connection, state)
    assert await live_state.read(connection, state.session_id) == state
    assert len(valkey_connection.get(f"{PREFIX}{state.session_id}") or b"") < 150


async def test_it_fades_by_itself_and_is_cleared_at_once(
    connection: redis.asyncio.Redis, valkey_connection: redis.Redis
) -> None:
    state = _state()
    await live_state.publish(connection, state)
    assert 0 < valkey_connection.pttl(f"{PREFIX}{state.session_id}") <= LIFE_MS
    await live_state.clear(connection, state.session_id)
    assert await live_state.read(connection, state.session_id) is None


async def test_several_are_read_in_their_order(connection: redis.asyncio.Redis) -> None:
    first, second = _state(viewers=1), _state(viewers=2)
    await live_state.publish(connection, first)
    await live_state.publish(connection, second)
    asked = [second.session_id, uuid4(), first.session_id]
    assert await live_state.read_many(connection, asked) == [second, None, first]
    assert await live_state.read_many(connection, []) == []


@pytest.mark.parametrize("said", [b"", b"{", b"[]", b'{"node": "x"}', b'{"session_id": "no"}'])
async def test_what_does_not_fit_is_nothing(
    connection: redis.asyncio.Redis, valkey_connection: redis.Redis, said: bytes
) -> None:
    session_id = uuid4()
    valkey_connection.set(f"{PREFIX}{session_id}", said)
    assert await live_state.read(connection, session_id) is None


async def test_a_newer_nodes_words_are_understood(
    connection: redis.asyncio.Redis, valkey_connection: redis.Redis
) -> None:
    state = _state()
    await live_state.publish(connection, state)
    key = f"{PREFIX}{state.session_id}"
    said = valkey_connection.get(key)
    assert isinstance(said, bytes)
    valkey_connection.set(key, said[:-1] + b', "loudness": -23}')
    assert await live_state.read(connection, state.session_id) == state


async def test_valkey_away_is_said_soon() -> None:
    async with connect_live(f"redis://127.0.0.1:{free_ports(1)[0]}/0") as connection:
        with pytest.raises(redis.RedisError):
            await live_state.publish(connection, _state())
