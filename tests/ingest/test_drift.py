"""Clocks of picture and sound that part: lips stay with the voice, no frame is lost, and what only looks so is left."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from heapq import merge
from itertools import pairwise
from random import Random
from uuid import uuid4

import pytest

from domain.disk_state import DiskState
from domain.encoder_health import HealthCode, encoder_health
from domain.kinds import Protocol
from ingest.drift import Drift
from ingest.encoder_facts import facts_of
from ingest.events import CLOCK
from ingest.findings import findings
from ingest.repairs import RepairKind
from ingest.settings import IngestSettings
from ingest.spool import TakeSpool
from ingest.take import Publish
from ingest.timeline import LEAD, Timeline
from ingest.unrecorded import Unrecorded
from media.packet import Packet
from tests.ingest.builders import AUDIO, VIDEO
from tests.ingest.live_house import House

HOUR = 3600.0
MOST_APART = 0.150
"""Seconds. ITU-R BT.1359-1: viewers bear sound that is 90 ms early or 185 ms late."""
RATE = 30


@dataclass
class Encoder:
    """Takes pictures and sound at true times, stamps them by clocks that are slow by so many millionths, in whole
    milliseconds as RTMP does, and hands each on when its work on it is done.
    """

    picture_ppm: float = 0
    sound_ppm: float = 0
    """Of the samples: their number in a second is short by it."""
    stamps_ppm: float = 0
    """Of the sound's stamps, against its own samples."""
    jitter: float = 0.02
    work: Callable[[str, float], float] = lambda kind, at: 0.04
    dice: Random = field(default_factory=lambda: Random(4))

    def sent(self, seconds: float) -> Iterator[tuple[float, float, Packet]]:
        """(when it comes, when it was taken, packet), as it comes."""
        return merge(self._pictures(seconds), self._sounds(seconds), key=lambda one: one[0])

    def _pictures(self, seconds: float) -> Iterator[tuple[float, float, Packet]]:
        comes = 0.0
        for n in range(int(seconds * RATE)):
            at = n / RATE
            comes = max(comes, at + self.work("video", at) + self.dice.random() * self.jitter)
            dts = round(at * (1 - self.picture_ppm / 1e6) * 1000) * 90
            yield comes, at, Packet(VIDEO, dts, dts, n % 60 == 0, b"")

    def _sounds(self, seconds: float) -> Iterator[tuple[float, float, Packet]]:
        comes, n, at = 0.0, 0, 0.0
        while at < seconds:
            comes = max(comes, at + self.work("audio", at) + self.dice.random() * self.jitter)
            dts = round(n * 1024 / 48 * (1 - self.stamps_ppm / 1e6)) * 48
            yield comes, at, Packet(AUDIO, dts, dts, True, b"")
            n += 1
            at = n * 1024 / 48_000 * (1 + self.sound_ppm / 1e6)


@dataclass
class Seen:
    """What the line made of it: by how much lips are from the voice, after each picture."""

    line: Timeline
    apart: list[float]
    steps: dict[str, set[int]]


def watch(encoder: Encoder, seconds: float, *, told: bool = True) -> Seen:
    """With `told`, the line knows when packets come."""
    line, off = Timeline(LEAD), {"audio": 0.0, "video": 0.0}
    placed: dict[str, list[int]] = {"audio": [], "video": []}
    apart = []
    count = 0
    for comes, at, packet in encoder.sent(seconds):
        count += 1
        kind = packet.track.kind
        dts = line.place(packet, comes if told else None).dts
        placed[kind].append(dts)
        off[kind] = dts / packet.track.timescale - at
        if kind == "video":
            apart.append(off["video"] - off["audio"])
    assert line.frames.total() == count
    return Seen(line, apart, {kind: {b - a for a, b in pairwise(times)} for kind, times in placed.items()})


def worst(seen: Seen) -> float:
    return max(map(abs, seen.apart))


@pytest.mark.parametrize(
    ("encoder", "minutes"),
    [
        (Encoder(picture_ppm=10_000), 5),
        (Encoder(picture_ppm=-10_000), 5),
        (Encoder(sound_ppm=10_000), 5),
        (Encoder(sound_ppm=-5_000, jitter=0.08), 5),
        (Encoder(picture_ppm=400), 15),
    ],
)
def test_lips_stay_with_the_voice(encoder: Encoder, minutes: int) -> None:
    seen = watch(encoder, minutes * 60)
    assert worst(seen) < MOST_APART
    assert seen.steps["audio"] == {1024}, "the sound has neither holes nor overlaps"
    assert seen.line.repairs.counts.keys() == {RepairKind.drift}
    ppm = encoder.picture_ppm - encoder.sound_ppm
    assert seen.line.drift.rate_ppm == pytest.approx(ppm, abs=200)
    told = sum(one.ticks for one in seen.line.repairs.listed)
    assert told == pytest.approx(minutes * 60 * ppm * CLOCK / 1e6, abs=0.2 * CLOCK)
    # A picture is held 2 % longer or shorter at most; beside that milliseconds are rounded, and a first one is early.
    assert all(abs(step - CLOCK // RATE) <= 90 + 90 + 40 for step in seen.steps["video"])


def test_without_knowing_when_they_come_nothing_is_done_below_three_seconds() -> None:
    seen = watch(Encoder(picture_ppm=10_000), 200, told=False)
    assert max(map(abs, seen.apart)) > 1.9
    assert not seen.line.repairs.total


def test_stamps_that_leave_the_sound_s_own_samples_are_read_anew() -> None:
    """1.5 %: frames of 21⅓ ms stamped 21 ms after each other."""
    seen = watch(Encoder(stamps_ppm=15_000), 120)
    assert seen.steps["audio"] == {1024}
    assert worst(seen) < 0.03
    assert seen.line.repairs.counts.keys() == {RepairKind.drift}
    assert {one.track for one in seen.line.repairs.listed} == {"audio"}


def test_a_sound_s_clock_that_was_read_anew_still_shares_a_jump() -> None:
    """The encoder's clock is set in the middle, for both tracks."""
    line, off, apart = Timeline(LEAD), dict[str, float](), []
    for comes, at, packet in Encoder(stamps_ppm=10_000, picture_ppm=2_000).sent(120):
        set_to = 3600 * packet.track.timescale if at > 60 else 0
        moved = Packet(packet.track, packet.dts + set_to, packet.pts + set_to, packet.keyframe, b"")
        off[packet.track.kind] = line.place(moved, comes).dts / packet.track.timescale - at
        apart.append(off["video"] - off["audio"] if len(off) == 2 else 0)
    assert max(map(abs, apart)) < MOST_APART
    assert line.repairs.counts[RepairKind.jump] == 1


def late(kind: str, begins: float, ends: float, seconds: float) -> Callable[[str, float], float]:
    return lambda who, at: 0.04 + (seconds if who == kind and begins <= at < ends else 0)


@pytest.mark.parametrize(
    "encoder",
    [
        Encoder(),
        Encoder(jitter=0.15),
        Encoder(work=late("video", 60, 80, 0.3)),
        Encoder(work=late("video", 60, HOUR, 0.3)),
        Encoder(work=late("audio", 60, HOUR, 0.2)),
        Encoder(work=lambda who, at: 1.0 if who == "video" and at < 3 else 0.04),
    ],
)
def test_delays_of_an_encoder_s_work_are_none(encoder: Encoder) -> None:
    seen = watch(encoder, 240)
    assert worst(seen) < 0.001 + 0.001
    assert not seen.line.repairs.total
    assert seen.line.drift.rate_ppm == 0


def test_a_queue_that_crept_up_and_drained_is_undone() -> None:
    crept = Encoder(work=lambda who, at: 0.04 + (min(0.4, (at - 60) * 0.01) if who == "video" and 60 < at < 130 else 0))
    seen = watch(crept, 240)
    assert worst(seen) < 0.4, "it looks like a drift while it grows"
    assert max(map(abs, seen.apart[-RATE * 60 :])) < 0.02, "and is none when it is gone"


def test_slow_pictures_and_pauses_of_one_track() -> None:
    """Slides: a picture in two seconds; a minute without sound."""
    line = Timeline(LEAD)
    for comes, at, packet in Encoder().sent(300):
        if packet.track.kind == "video" and round(at * RATE) % 60:
            continue
        if packet.track.kind == "audio" and 100 < at < 125:
            continue
        line.place(packet, comes)
    assert RepairKind.drift not in line.repairs.counts


def test_media_that_comes_all_at_once_tells_nothing() -> None:
    drift = Drift()
    for n in range(10_000):
        drift.sound(5.0 - n / 90)
        assert not drift.picture(5.0 - n / 30, 5.0)
    assert drift.moved == 0


def test_the_take_s_report_and_the_encoder_s_health_say_it(settings: IngestSettings) -> None:
    house = House(settings)
    take = house.take()
    for comes, _, packet in Encoder(picture_ppm=5_000).sent(90):
        house.seconds = comes
        take.packet(packet)
    told = findings(take, 0, Unrecorded())
    assert told["repairs"].keys() == {"drift"}
    assert 3 <= told["repairs"]["drift"] <= 4
    assert {(one["kind"], one["track"]) for one in told["repaired"]} == {("drift", "video")}
    assert take.timeline is not None
    reading = take.statistics.read(house.seconds, take.timeline.repairs.total)
    facts = facts_of(take, reading, 0, DiskState.good, 0)
    (verdict,) = [one for one in encoder_health(facts) if one.code == HealthCode.clocks_apart]
    assert float(verdict.facts["seconds"]) == pytest.approx(18, abs=0.5)
    take.ended("unpublished")


def test_a_browser_s_clocks_are_not_watched(settings: IngestSettings) -> None:
    """Its pictures queue behind its sound when the line is slow, and their stamps are right."""
    house = House(settings)
    publish = Publish(Protocol.whip, "Chromium", "127.0.0.1", lambda code, text: None)
    about = house.session.about_take(uuid4(), 1)
    take = house.session.begin_take(publish, TakeSpool.create(settings.spool_folder, about))
    for comes, _, packet in Encoder(picture_ppm=5_000).sent(60):
        house.seconds = comes
        take.packet(packet)
    assert findings(take, 0, Unrecorded())["repairs"] == {}
    take.ended("unpublished")


@pytest.mark.long
@pytest.mark.timeout(300)
@pytest.mark.parametrize("ppm", [100, -100, 1_000, -10_000])
def test_over_three_hours(ppm: int) -> None:
    seen = watch(Encoder(picture_ppm=ppm), 3 * HOUR)
    assert worst(seen) < MOST_APART
    assert seen.steps["audio"] == {1024}
