"""What pages are told of an encoder that went away: since when, and for how long it counts as coming back."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from datetime import timedelta
from types import SimpleNamespace
from typing import Any, cast
from uuid import UUID

import pytest
from redis.asyncio import Redis

from ingest.hls.viewers import Viewers
from ingest.live_session import LiveSession
from ingest.lives import Lives
from ingest.settings import IngestSettings
from ingest.statistics import Metrics, Statistics
from storage.embedded import valkey as embedded_valkey
from storage.live_state import LiveState, read
from tests.ingest.live_house import ORIGIN, House, lecture

pytestmark = pytest.mark.anyio

GRACE = 20


@dataclass
class OneLife:
    """The lives of a process that has one session and nothing to upload."""

    house: House
    settings: IngestSettings
    publishers: int = 0
    uploader: Any = field(default_factory=lambda: SimpleNamespace(pending=0, failing_since=None))
    disk: Any = field(default_factory=lambda: SimpleNamespace(full=False, verified_bytes=0))

    @property
    def sessions(self) -> dict[UUID, LiveSession]:
        return {self.house.session.facts.session_id: self.house.session}

    def clock(self) -> float:
        return self.house.seconds


@dataclass
class Pages:
    """A session by hand, and what a page finds of it."""

    house: House
    statistics: Statistics
    connection: Redis

    async def shown(self) -> LiveState:
        await self.statistics.tell()
        state = await read(self.connection, self.house.session.facts.session_id)
        assert state is not None
        return state


@pytest.fixture
async def pages(settings: IngestSettings, valkey: embedded_valkey.Running) -> AsyncIterator[Pages]:
    house = House(replace(settings, grace_seconds=GRACE))
    connection = Redis.from_url(valkey.url)
    viewers = Viewers(b"p" * 32, wall=house.wall, clock=lambda: house.seconds)
    lives = cast(Lives, OneLife(house, house.settings))
    yield Pages(house, Statistics(lives, viewers, Metrics(), connection, wall=house.wall), connection)
    await connection.aclose()


async def test_a_lost_encoder_is_told_with_its_time_until_it_is_back(pages: Pages) -> None:
    house = pages.house
    take = house.take()
    house.feed(take, lecture(5))
    publishing = await pages.shown()
    assert (publishing.state, publishing.encoder_lost_at) == ("live", None)
    take.ended("disconnected")
    lost_at = house.wall()
    for later, state in ((1.0, "reconnecting"), (GRACE, "waiting"), (600.0, "waiting")):
        house.seconds += later
        shown = await pages.shown()
        assert (shown.state, shown.encoder_lost_at, shown.take_id) == (state, lost_at, None)
    house.feed(house.take(), lecture(2))
    assert (await pages.shown()).encoder_lost_at is None


async def test_after_a_restart_the_encoder_is_waited_for_as_after_any_loss(pages: Pages) -> None:
    """A session made again has had no take in this process: it must not be `reconnecting` for ever."""
    house = pages.house
    house.seconds = 100.0
    house.session = house.open()
    house.seconds += 3
    shown = await pages.shown()
    assert (shown.state, shown.encoder_lost_at) == ("reconnecting", ORIGIN + timedelta(seconds=100))
    house.seconds += GRACE
    assert (await pages.shown()).state == "waiting"


async def test_what_has_ended_waits_for_nobody(pages: Pages) -> None:
    house = pages.house
    house.feed(house.take(), lecture(2))
    house.session.end("button", "NetStream.Unpublish.Success", "over")
    shown = await pages.shown()
    assert (shown.state, shown.encoder_lost_at) == ("ended", None)


async def test_what_its_encoder_was_warned_of_is_on_the_page_while_it_publishes(pages: Pages) -> None:
    house = pages.house
    take = house.take()
    house.feed(take, lecture(2))
    take.warned("tracks_left_out", {"kind": "audio", "tracks": 1})
    shown = await pages.shown()
    assert (shown.problem_code, shown.problem_facts) == ("tracks_left_out", {"kind": "audio", "tracks": 1})
    take.ended("disconnected")
    assert (await pages.shown()).problem_code is None
