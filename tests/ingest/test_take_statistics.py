"""What an encoder is said to be doing, from its packets alone."""

import random
from collections.abc import Iterable
from dataclasses import replace

import pytest

from ingest.take_statistics import Reading, TakeStatistics
from media.packet import Packet
from tests.ingest.builders import VIDEO, audio, interleaved, video


def due(packet: Packet) -> float:
    return packet.dts / packet.track.timescale


def read_each_second(
    statistics: TakeStatistics, arrivals: Iterable[tuple[float, Packet]], until: int, repairs: int = 0
) -> list[Reading]:
    """The readings at 1, 2, … seconds of what came when."""
    coming = sorted(arrivals, key=lambda one: one[0])
    readings = [statistics.read(0.0)]
    for second in range(1, until + 1):
        while coming and coming[0][0] < second:
            at, packet = coming.pop(0)
            statistics.packet(packet, at)
        readings.append(statistics.read(float(second), repairs))
    return readings


def in_time(packets: Iterable[Packet]) -> list[tuple[float, Packet]]:
    return [(due(packet), packet) for packet in packets]


def test_figures_of_a_second() -> None:
    statistics = TakeStatistics()
    statistics.read(0.0)
    for packet in interleaved(video(1, key_every=0.5), audio(1)):
        statistics.packet(packet, due(packet))
    reading = statistics.read(1.0)
    assert (reading.frame_rate, reading.keyframe_interval_ms, reading.dropped_frames) == (30.0, 500, 0)
    assert (reading.video_bytes, reading.video_kbps) == (30 * 64, round(30 * 64 * 8 / 1000))
    assert (reading.audio_bytes, reading.audio_kbps) == (47 * 24, round(47 * 24 * 8 / 1000))
    for second in range(2, 8):
        nothing = statistics.read(float(second))
    assert (nothing.video_kbps, nothing.frame_rate) == (0, 0.0)
    assert nothing.video_silent_seconds == pytest.approx(6, abs=0.05)
    assert nothing.audio_silent_seconds == pytest.approx(6, abs=0.05)


def test_frames_that_come_in_bursts_are_steady() -> None:
    statistics = TakeStatistics()
    frames = iter(video(5, rate=25))
    rates = []
    for second, burst in enumerate([9, 29, 21, 28, 22]):
        for _ in range(burst):
            statistics.packet(next(frames), float(second))
        rates.append(statistics.read(float(second)).frame_rate)
    assert rates == [None, 29.0, 25.0, 26.0, 25.0]


def test_frames_that_never_came_are_counted_and_forgiven_after_ten_seconds() -> None:
    statistics = TakeStatistics()
    frames = [one for n, one in enumerate(video(20)) if n not in (160, 161, 175)]
    readings = read_each_second(statistics, in_time(frames), 20)
    assert readings[-1].dropped_frames == statistics.dropped_frames == 3
    assert [one.dropped_lately for one in readings][4:17] == [0, 0, *[3] * 9, 0, 0]


def test_a_changed_frame_rate_is_no_loss_for_long() -> None:
    statistics = TakeStatistics()
    for packet in (*video(3, rate=30), *video(10, rate=15, start=3)):
        statistics.packet(packet, due(packet))
    first = statistics.dropped_frames
    for packet in video(10, rate=15, start=13):
        statistics.packet(packet, due(packet))
    assert statistics.dropped_frames == first


def test_a_key_frame_that_does_not_come_is_seen_before_it_comes() -> None:
    readings = read_each_second(TakeStatistics(), in_time(video(12, key_every=10)), 12)
    assert [one.keyframe_interval_ms for one in readings][3:6] == [None, None, pytest.approx(4966, abs=1)]
    assert readings[-1].keyframe_interval_ms == 10_000
    changed = [*video(4, key_every=2), *video(6, key_every=60, start=4)]
    assert read_each_second(TakeStatistics(), in_time(changed), 10)[-1].keyframe_interval_ms == 5966


def test_reading_in_rounds_is_no_jitter_to_speak_of() -> None:
    rounds = [(-(-due(one) // 0.04) * 0.04, one) for one in interleaved(video(20), audio(20))]
    reading = read_each_second(TakeStatistics(), rounds, 20)[-1]
    assert reading.jitter_ms is not None
    assert reading.jitter_ms <= 40
    assert reading.queue_ms is not None
    assert reading.queue_ms <= 10


def test_frames_that_come_unevenly_are_jitter_for_ten_seconds() -> None:
    chance = random.Random(4)
    uneven = [(due(one) + (chance.random() * 0.4 if 8 < due(one) < 8.5 else 0), one) for one in video(25)]
    readings = read_each_second(TakeStatistics(), uneven, 25)
    assert [(one.jitter_ms or 0) > 250 for one in readings][8:21] == [False, *[True] * 10, False, False]


def test_the_burst_an_encoder_begins_with_is_not_its_networks() -> None:
    readings = read_each_second(TakeStatistics(), [(max(0.0, due(one) - 0.5), one) for one in video(10)], 9)
    assert all((one.jitter_ms or 0) < 5 for one in readings)


def test_what_waits_in_the_encoder_is_told_and_gone_when_it_has_caught_up() -> None:
    def comes(at: float) -> float:
        """From 10 s on the line carries two thirds; from 22 s on it catches up, twice as quick."""
        if at < 10:
            return at
        slow = 10 + (at - 10) * 1.5
        return slow if slow < 22 else max(at, 22 + (at - 18) / 2)

    readings = read_each_second(TakeStatistics(), [(comes(due(one)), one) for one in video(40)], 40)
    assert readings[10].queue_ms == 0
    assert readings[22].queue_ms == pytest.approx(3700, abs=200)
    assert (readings[40].queue_ms or 0) < 50


def test_a_clock_that_runs_slower_than_ours_is_no_queue() -> None:
    slow = [(due(one) * 1.0005, one) for one in video(120, rate=10)]
    assert max(one.queue_ms or 0 for one in read_each_second(TakeStatistics(), slow, 120)) <= 1


@pytest.mark.parametrize("early", [-0.3, 0.2])
def test_sound_that_comes_before_or_after_its_picture(early: float) -> None:
    sound = [replace(one, dts=one.dts + round((1 + early) * 48_000)) for one in audio(10)]
    pictures = [replace(one, dts=one.dts + 90_000) for one in video(10)]
    together = [*((n / 46.875, one) for n, one in enumerate(sound)), *((n / 30, one) for n, one in enumerate(pictures))]
    reading = read_each_second(TakeStatistics(), together, 10)[-1]
    assert reading.audio_offset_ms == pytest.approx(early * 1000, abs=25)


def test_repairs_are_of_the_last_minute() -> None:
    statistics = TakeStatistics()
    totals = [*range(0, 40, 2), *[40] * 70]
    told = [statistics.read(float(second), repairs).repairs_lately for second, repairs in enumerate(totals)]
    assert (told[19], told[20], told[59], told[70], told[-1]) == (38, 40, 40, 20, 0)


def test_a_take_of_which_nothing_comes_has_an_age_and_no_silence() -> None:
    statistics = TakeStatistics()
    readings = [statistics.read(100.0), statistics.read(107.0)]
    assert [one.age_seconds for one in readings] == [0.0, 7.0]
    assert (readings[1].video_silent_seconds, readings[1].jitter_ms, readings[1].queue_ms) == (None, None, None)


def test_another_codec_of_the_same_kind_is_new() -> None:
    statistics = TakeStatistics()
    assert statistics.know(VIDEO)
    assert not statistics.know(VIDEO)
    assert statistics.know(replace(VIDEO, width=640))
