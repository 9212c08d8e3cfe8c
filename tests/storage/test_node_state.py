"""What nodes say of themselves, through a real Valkey: who fell silent stays, who stopped is gone."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime

import pytest
import redis
import redis.asyncio

from storage import node_state
from storage.embedded import valkey as embedded_valkey
from storage.node_state import LIFE_MS, NAMES, PREFIX, NodeState

pytestmark = pytest.mark.anyio
NOW = datetime(2026, 9, 14, 1, 0, tzinfo=UTC)


@pytest.fixture
async def connection(
    valkey: embedded_valkey.Running, valkey_connection: "redis.Redis"
) -> AsyncIterator[redis.asyncio.Redis]:
    made = redis.asyncio.Redis.from_url(valkey.url)
    yield made
    await made.aclose()


def said(node: str, publishers: int = 0) -> NodeState:
    return NodeState(node=node, at=NOW, publishers=publishers)


async def test_the_newest_word_of_each_by_their_names(connection: redis.asyncio.Redis) -> None:
    assert await node_state.heard(connection) == []
    for state in (said("b"), said("a", 1), said("a", 2)):
        await node_state.tell(connection, state)
    assert [one.state for one in await node_state.heard(connection)] == [said("a", 2), said("b")]
    assert all(one.seconds_ago < 5 for one in await node_state.heard(connection))


async def test_a_silent_node_is_known_for_a_day_and_for_how_long(connection: redis.asyncio.Redis) -> None:
    await node_state.tell(connection, said("a"))
    await connection.pexpire(f"{PREFIX}a", LIFE_MS - 90_000)  # as if it had spoken 90 s ago
    (one,) = await node_state.heard(connection)
    assert one.seconds_ago == pytest.approx(90, abs=1)
    await connection.delete(f"{PREFIX}a")
    assert await node_state.heard(connection) == []


async def test_a_node_that_stops_is_none_of_them(connection: redis.asyncio.Redis) -> None:
    for name in ("a", "b"):
        await node_state.tell(connection, said(name))
    await node_state.leave(connection, "a")
    assert [one.state.node for one in await node_state.heard(connection)] == ["b"]
    assert await connection.scard(NAMES) == 1


async def test_a_word_that_cannot_be_read_is_left_out(connection: redis.asyncio.Redis) -> None:
    await node_state.tell(connection, said("a"))
    await connection.set(f"{PREFIX}a", b"{")
    assert await node_state.heard(connection) == []
    await connection.set(f"{PREFIX}a", b'{"node": "a", "at": "2026-09-14T01:00:00Z", "of_a_newer_node": 1}')
    assert [one.state for one in await node_state.heard(connection)] == [said("a")]
