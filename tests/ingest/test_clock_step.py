"""The clock on the wall is set in the middle of a lecture, forward or back: nothing of what is captured, dated or
judged by a duration may follow it.
"""

import asyncio
import re
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import pairwise

import httpx
import pytest

from ingest.events import CLOCK
from ingest.service import IngestService
from ingest.settings import IngestSettings
from storage.catalogue import recordings, takes
from tests.ingest.classroom import Lesson, encoder, lesson, now, order
from tests.ingest.live_house import House, lecture
from tests.ingest.test_reported import reported, whole
from tests.ingest.wired import Wires, segments, until

HOUR = 3600.0
STEPS = [HOUR, -HOUR]
SLEW = 0.0005
"""The fastest that a clock is slewed by adjtime(3): half a millisecond a second."""


def dates(house: House) -> list[datetime]:
    found = re.findall(r"#EXT-X-PROGRAM-DATE-TIME:(\S+)", house.playlist())
    return [datetime.fromisoformat(one) for one in found]


@pytest.mark.parametrize("step", STEPS)
def test_the_line_does_not_follow_a_clock_that_is_set(settings: IngestSettings, step: float) -> None:
    """In a take its encoder's stamps count; between takes the time that really went by."""
    house = House(settings)
    first = house.take()
    packets = lecture(20)
    house.feed(first, packets[: len(packets) // 2])
    house.stepped = step
    house.feed(first, packets[len(packets) // 2 :])
    first.ended("disconnected")
    within = dates(house)
    assert all(0 < (later - one).total_seconds() < 6 for one, later in pairwise(within)), within
    away_at = house.seconds
    house.seconds += 7
    second = house.take()
    house.feed(second, lecture(10))
    second.ended("disconnected")
    ended, began = [
        (one.start, one.duration) for one in house.session.window.segments if one.discontinuity or one.msn == 0
    ]
    assert ended[0] < began[0]
    assert abs(began[0] / CLOCK - (away_at + 7)) < 1.0, "as long after as it was"
    shown = dates(house)
    assert shown == sorted(shown)
    assert (shown[-1] - shown[0]).total_seconds() < 60


def test_the_line_does_not_follow_a_clock_that_is_slewed(settings: IngestSettings) -> None:
    house = House(settings)
    for _ in range(3):
        take = house.take()
        house.feed(take, lecture(10))
        take.ended("disconnected")
        house.stepped += 10 * SLEW
        house.seconds += 5
    starts = [one.start for one in house.session.window.segments]
    assert starts == sorted(starts)
    last = house.session.window.segments[-1]
    assert abs((last.start + last.duration) / CLOCK - 40) < 1.0


@dataclass
class Wall:
    """A clock on the wall that can be set."""

    stepped: float = 0.0

    def __call__(self) -> datetime:
        return now() + timedelta(seconds=self.stepped)


async def shown(service: IngestService, told: Lesson, token: str) -> httpx.Response:
    assert service.http is not None
    async with httpx.AsyncClient() as client:
        return await client.get(f"http://127.0.0.1:{service.http.port}/live/{told.session_id}/{token}/main.m3u8")


@pytest.mark.anyio
@pytest.mark.long
@pytest.mark.parametrize("step", STEPS)
async def test_a_clock_that_is_set_in_the_middle_of_a_take_costs_nothing(wired: Wires, step: float) -> None:
    """Rows, report and playlists are those of a lecture; who may watch and publish is judged by the clock as it is now,
    who is silent by how long it was.
    """
    stores, wall = wired.stores, Wall()
    told = await lesson(stores.catalogue)
    settings = replace(wired.settings, early_seconds=7200)
    async with wired.ingest(settings, wall) as service:
        async with encoder(service, told.key):
            await segments(service, told, 2)
            session = service.lives.sessions[told.session_id]
            wall.stepped = step
            assert session.take is not None
            assert session.take.silent_seconds() < 2, "nobody is thought dead"
            async with encoder(service, told.key) as second:
                await asyncio.wait_for(second.wait(), 15)
                assert second.returncode != 0, "and the key is in use"
            count = session.window.closed_count
            await segments(service, told, count + 3)
            assert (await shown(service, told, told.token(seconds=600))).status_code == (410 if step > 0 else 200)
            assert (await shown(service, told, told.token(seconds=7200))).status_code == 200

        async def lost() -> bool:
            return session.take is None

        await until(lost)
        assert session.lost_since is not None
        assert 0 <= (wall() - session.lost_since).total_seconds() < 5
        async with encoder(service, told.key):
            await segments(service, told, session.window.closed_count + 3)
            await order(stores.catalogue, told.session_id, "cut")  # the orders' own way does not date by this clock
            await until(lambda: is_cut(service, told), 5)
            await order(stores.catalogue, told.session_id, "resume")
            await order(stores.catalogue, told.session_id, "end")
            recording_id = await whole(stores.catalogue, told.session_id)
        text = (await shown(service, told, told.token(seconds=7200))).text
    dated = [datetime.fromisoformat(one) for one in re.findall(r"PROGRAM-DATE-TIME:(\S+)", text)]
    assert dated == sorted(dated)
    assert (dated[-1] - dated[0]).total_seconds() < 300
    await stores.check_whole(told)
    async with stores.catalogue.transaction() as tx:
        for take in await takes.of_session(tx, told.session_id):
            assert take.ended_at is not None
            assert take.ended_at >= take.started_at
        recording = await recordings.get(tx, recording_id)
    assert recording.ended_at is not None
    assert recording.ended_at >= recording.started_at
    said = await reported(stores.catalogue, stores.store, recording_id)
    assert all(gap["duration_ms"] < 60_000 for gap in said["gaps"])


async def is_cut(service: IngestService, told: Lesson) -> bool:
    return service.lives.sessions[told.session_id].gate.is_cut
