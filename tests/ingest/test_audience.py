"""How many watched at most: written soon, not often, and at the end; while nobody watches, not at all."""

from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any, cast
from uuid import UUID, uuid4

import pytest

from domain.playback_token import PlaybackClaim
from ingest.audience import WRITTEN_SECONDS, Audience
from ingest.hls.viewers import PRESENT_SECONDS, Viewers
from ingest.live_session import LiveSession
from ingest.settings import IngestSettings
from tests.ingest.live_house import House, lecture

pytestmark = pytest.mark.anyio


@dataclass
class OneLife:
    """The lives of a process with one session; what is put into its ledger is kept for looking at."""

    house: House
    written: list[int] = field(default_factory=list)

    @property
    def sessions(self) -> dict[UUID, LiveSession]:
        return {self.house.session.facts.session_id: self.house.session}

    @property
    def ledger(self) -> Any:
        return SimpleNamespace(put=lambda _name, write: self.written.append(write.keywords["viewers"]))

    def clock(self) -> float:
        return self.house.seconds


async def test_a_peak_is_written_when_it_rises_and_at_the_end(settings: IngestSettings) -> None:
    house = House(settings)
    viewers = Viewers(b"p" * 32, wall=house.wall, clock=lambda: house.seconds)
    lives = OneLife(house)
    audience = Audience(cast(Any, lives), viewers, cast(Any, SimpleNamespace(mget=nothing)), wall=house.wall)

    async def watch(people: int, seconds: float) -> None:
        for _ in range(people):
            viewers.saw(PlaybackClaim("live", house.session.facts.session_id, uuid4(), uuid4(), house.wall()))
        for _ in range(round(seconds)):
            house.seconds += 1
            await audience.second()

    await watch(0, 30)
    assert lives.written == []
    await watch(3, 1)
    assert lives.written == [3]
    await watch(2, 1)
    await watch(2, WRITTEN_SECONDS - 3)
    assert lives.written == [3], "not more often than it must"
    await watch(0, 2)
    assert lives.written == [3, 7]
    await watch(0, PRESENT_SECONDS + 30)
    assert lives.written == [3, 7], "who left does not lower it"
    await watch(9, 1)
    take = house.take()
    house.feed(take, lecture(3))
    await watch(10, 1)
    house.session.end("ended", "", "")
    await audience.second()
    assert lives.written == [3, 7, 9, 19]
    await watch(1, 1)
    audience.keep_peaks()
    assert lives.written == [3, 7, 9, 19, 20]


async def nothing(_keys: list[str]) -> list[None]:
    return [None] * len(_keys)
