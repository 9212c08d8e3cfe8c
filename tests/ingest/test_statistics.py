"""What pages are told of an encoder: since when it is gone, how well it does, and why it was not let in; through a real
Valkey.
"""

import asyncio
import re
import shutil
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from datetime import timedelta
from types import SimpleNamespace
from typing import Any, cast
from uuid import UUID, uuid4

import pytest
from redis.asyncio import Redis

from domain.disk_state import DiskState
from domain.refusals import Refusal
from ingest.hls.viewers import Viewers
from ingest.live_session import LiveSession
from ingest.lives import Lives
from ingest.metrics import Metrics
from ingest.settings import IngestSettings
from ingest.statistics import Statistics
from ingest.take import Take
from media.packet import Packet
from storage.embedded import valkey as embedded_valkey
from storage.live_state import (
    REFUSAL_LIFE_MS,
    REFUSAL_PREFIX,
    LiveState,
    publish_many,
    read,
    read_many,
    read_refusal,
)
from tests.ingest.builders import audio, interleaved, video
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
    disk: Any = field(
        default_factory=lambda: SimpleNamespace(full=False, verified_bytes=0, state=DiskState.good, free_bytes=9 << 30)
    )

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
    metrics: Metrics
    lives: OneLife

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
    lives, metrics = OneLife(house, house.settings), Metrics()
    statistics = Statistics(cast(Lives, lives), viewers, metrics, connection, wall=house.wall)
    yield Pages(house, statistics, connection, metrics, lives)
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


async def each_second(pages: Pages, take: Take, packets: list[Packet]) -> LiveState:
    """As the process does it: told every second of what came meanwhile. The last picture."""
    began = pages.house.seconds
    for packet in packets:
        due = began + packet.dts / packet.track.timescale
        while pages.house.seconds + 1 <= due:
            pages.house.seconds += 1
            await pages.statistics.tell()
        take.packet(packet)
    pages.house.seconds += 1
    return await pages.shown()


def codes(state: LiveState) -> dict[str, str]:
    return {one.code: one.light for one in state.health}


async def test_verdicts_are_told_with_their_numbers_and_stop_with_the_take(pages: Pages) -> None:
    take = pages.house.take()
    shown = await each_second(pages, take, interleaved(video(14, key_every=10), audio(14)))
    assert shown.light == "poor"
    verdict = next(one for one in shown.health if one.code == "keyframe_interval_long")
    assert (verdict.light, verdict.facts) == ("poor", {"seconds": "10", "advised_seconds": 2})
    take.ended("disconnected")
    after = await pages.shown()
    assert (after.light, after.health) == (None, [])


async def test_an_encoder_is_not_judged_before_it_has_settled(pages: Pages) -> None:
    shown = await each_second(pages, pages.house.take(), interleaved(video(3), audio(3)))
    assert (shown.take_number, shown.light, shown.health) == (1, None, [])


async def test_sound_that_stops_is_missed_and_found_again(pages: Pages) -> None:
    take = pages.house.take()
    assert "audio_missing" not in codes(await each_second(pages, take, interleaved(video(6), audio(6))))
    pictures = [replace(one, dts=one.dts + 540_000, pts=one.pts + 540_000) for one in video(10)]
    pages.house.seconds -= 6
    assert codes(await each_second(pages, take, pictures[:150]))["audio_missing"] == "poor"


async def test_times_repaired_often_are_told_and_are_metrics_too(pages: Pages) -> None:
    take = pages.house.take()
    packets = interleaved(video(8), audio(8))
    broken = [
        replace(one, dts=one.dts - 6_100) if one.track.kind == "video" and 30 < n < 300 and n % 12 == 0 else one
        for n, one in enumerate(packets)
    ]
    shown = await each_second(pages, take, broken)
    assert take.timeline is not None
    assert shown.repairs == take.timeline.repairs.total >= 5
    text = pages.metrics.text().decode()
    session = pages.house.session.facts.session_id
    assert f'lectern_ingest_take_repairs{{session="{session}"}} {shown.repairs}.0' in text
    rate = re.search(rf'^lectern_ingest_take_frames_per_second{{session="{session}"}} (\S+)$', text, re.MULTILINE)
    assert rate is not None
    assert 28 <= float(rate[1]) <= 32
    take.ended("disconnected")
    await pages.shown()
    assert str(session) not in pages.metrics.text().decode()


async def test_a_recording_that_pauses_is_an_alarm_whatever_room_the_disk_says_it_has(pages: Pages) -> None:
    house, alarm = pages.house, "lectern_ingest_disk_full"
    take = house.take()
    house.feed(take, lecture(3))
    await pages.statistics.tell()
    assert f"{alarm} 0.0" in pages.metrics.text().decode()
    take.spool.close()
    shutil.rmtree(take.spool.folder)
    house.feed(take, lecture(8)[len(lecture(3)) :])
    await pages.statistics.tell()
    assert f"{alarm} 1.0" in pages.metrics.text().decode()
    assert (await pages.shown()).problem_code == "disk_failing", "not for want of room"


async def test_a_disk_that_is_nearly_full_or_fails_is_told_while_the_class_goes_on_and_while_it_waits(
    pages: Pages,
) -> None:
    house = pages.house
    take = house.take()
    disk = pages.lives.disk
    disk.state, disk.free_bytes = DiskState.low, 1 << 30
    shown = await each_second(pages, take, interleaved(video(6), audio(6)))
    assert codes(shown)["disk_low"] == "fair"
    assert next(one.facts for one in shown.health if one.code == "disk_low") == {"free_bytes": 1 << 30}
    house.session.recording.failing = True
    assert codes(await pages.shown())["disk_failing"] == "poor"
    take.ended("disconnected")
    house.threads.submit(lambda: None).result()  # its last segment is flushed, which went well
    house.session.recording.failing = True
    waiting = await pages.shown()
    assert (waiting.light, codes(waiting)) == ("poor", {"disk_failing": "poor"})
    house.session.recording.failing, disk.state = False, DiskState.good
    assert (await pages.shown()).health == []


async def test_a_recording_that_is_paused_is_a_problem_and_no_verdict_beside_it(pages: Pages) -> None:
    house = pages.house
    take = house.take()
    house.full, pages.lives.disk.state = True, DiskState.full
    shown = await each_second(pages, take, interleaved(video(8), audio(8)))
    assert shown.problem_code == "disk_full"
    assert not {"disk_failing", "disk_low"} & codes(shown).keys()


async def test_a_warning_of_the_bit_rate_is_left_to_the_verdict(pages: Pages) -> None:
    take = pages.house.take()
    pages.house.feed(take, lecture(2))
    take.warned("bit_rate_high", {"limit_kbps": 25_000})
    assert (await pages.shown()).problem_code is None


async def test_a_refusal_is_shown_until_the_encoder_gives_up_and_is_counted(pages: Pages) -> None:
    session_id = uuid4()
    pages.statistics.refused(session_id, Refusal("department_full", max_publishers=4, publishers=4))
    pages.statistics.refused(None, Refusal("unknown_key"))
    pages.statistics.refused(in_use := uuid4(), Refusal("key_in_use"))
    await pages.statistics.tell()
    shown = await read_refusal(pages.connection, session_id)
    assert shown is not None
    assert (shown.problem_code, shown.problem_facts) == ("department_full", {"max_publishers": 4, "publishers": 4})
    assert await read_refusal(pages.connection, in_use) is None, "somebody publishes"
    left = await pages.connection.pttl(f"{REFUSAL_PREFIX}{session_id}")
    assert 0 < left <= REFUSAL_LIFE_MS
    await pages.statistics.tell()
    assert await pages.connection.pttl(f"{REFUSAL_PREFIX}{session_id}") <= left, "said once, not again each second"
    assert await read(pages.connection, session_id) is None
    text = pages.metrics.text().decode()
    assert 'lectern_ingest_refusals_total{code="department_full"} 1.0' in text
    assert 'lectern_ingest_refusals_total{code="unknown_key"} 1.0' in text


async def test_a_refusal_that_comes_while_others_are_told_is_told_next(pages: Pages) -> None:
    first, second = uuid4(), uuid4()
    pages.statistics.refused(first, Refusal("department_full", max_publishers=4, publishers=4))
    telling = asyncio.create_task(pages.statistics.tell())
    await asyncio.sleep(0)  # it waits for Valkey
    pages.statistics.refused(second, Refusal("disk_full"))
    await telling
    await pages.statistics.tell()
    assert await read_refusal(pages.connection, first) is not None
    assert await read_refusal(pages.connection, second) is not None


async def test_a_second_is_one_round_trip_however_many_there_are(valkey: embedded_valkey.Running) -> None:
    connection = Redis.from_url(valkey.url)
    states = [LiveState(session_id=uuid4(), node="a", state="live", at=ORIGIN) for _ in range(40)]
    sent: list[int] = []
    one = await connection.connection_pool.get_connection()  # type: ignore[no-untyped-call]
    packed = one.send_packed_command

    async def counted(command: Any, check_health: bool = True) -> None:
        sent.append(1)
        await packed(command, check_health)

    one.send_packed_command = counted
    await connection.connection_pool.release(one)
    await publish_many(connection, states, states[:3])
    assert len(sent) == 1
    assert await read_many(connection, [state.session_id for state in states]) == list(states)
    await connection.aclose()
