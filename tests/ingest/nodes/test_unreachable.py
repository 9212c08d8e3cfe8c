"""An owner that cannot be asked: whether its encoder may be taken over."""

import asyncio
import socket
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from uuid import UUID, uuid4

import pytest
from redis.asyncio import Redis

from ingest.lives import Lives
from ingest.nodes.moves import Moves
from ingest.nodes.upstream import Upstream
from ingest.settings import IngestSettings
from storage import live_state
from storage.catalogue.transaction import Catalogue
from storage.embedded import valkey as embedded_valkey
from storage.live_hints import LiveHint
from storage.live_state import LiveState
from storage.objects.store import ObjectStore

pytestmark = pytest.mark.anyio


def now() -> datetime:
    return datetime.now(UTC)


@pytest.fixture
async def moves(
    settings: IngestSettings, catalogue: Catalogue, store: ObjectStore, valkey: embedded_valkey.Running
) -> AsyncIterator[tuple[Moves, Redis]]:
    connection = Redis.from_url(valkey.url)
    lives = Lives(settings, catalogue, store, clock=asyncio.get_running_loop().time, wall=now)
    upstream = Upstream()
    yield Moves(lives, catalogue, upstream, connection, b"c" * 32, url="http://127.0.0.1:1", wall=now), connection
    upstream.close()
    lives.close()
    await connection.aclose()


def told(session_id: UUID, node: str, take_id: UUID | None) -> LiveState:
    return LiveState(session_id=session_id, node=node, state="live", at=now(), take_id=take_id)


async def test_one_that_hangs_keeps_its_encoder_as_long_as_it_says_so_and_one_that_stopped_does_not(
    moves: tuple[Moves, Redis],
) -> None:
    deciding, connection = moves
    with socket.create_server(("127.0.0.1", 0)) as hangs:
        owner = LiveHint(1, "other", f"http://127.0.0.1:{hangs.getsockname()[1]}")
        sends, waits, elsewhere, silent = [uuid4() for _ in range(4)]
        states = [told(sends, "other", uuid4()), told(waits, "other", None), told(elsewhere, "third", uuid4())]
        await live_state.publish_many(connection, states, [])
        sessions = (sends, waits, elsewhere, silent)
        found = await asyncio.gather(*(deciding.silent_seconds(one, owner) for one in sessions))
        assert found == [0.0, None, None, None]
    assert await deciding.silent_seconds(sends, owner) is None, "nobody listens there: that process is over"
