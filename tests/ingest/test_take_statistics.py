"""What an encoder is said to be doing, from its packets alone."""

from ingest.take_statistics import TakeStatistics
from media.packet import Packet
from tests.ingest.builders import VIDEO, audio, interleaved, video


def test_figures_of_a_second() -> None:
    statistics = TakeStatistics()
    statistics.read(0.0)
    for packet in interleaved(video(1, key_every=0.5), audio(1)):
        statistics.packet(packet)
    reading = statistics.read(1.0)
    assert (reading.frame_rate, reading.keyframe_interval_ms, reading.dropped_frames) == (30.0, 500, 0)
    assert reading.video_kbps == round(30 * 64 * 8 / 1000)
    assert reading.audio_kbps == round(47 * 24 * 8 / 1000)
    for second in range(2, 8):
        nothing = statistics.read(float(second))
    assert (nothing.video_kbps, nothing.frame_rate) == (0, 0.0)


def test_frames_that_come_in_bursts_are_steady() -> None:
    statistics = TakeStatistics()
    frames = iter(video(5, rate=25))
    rates = []
    for second, burst in enumerate([9, 29, 21, 28, 22]):
        for _ in range(burst):
            statistics.packet(next(frames))
        rates.append(statistics.read(float(second)).frame_rate)
    assert rates == [None, 29.0, 25.0, 26.0, 25.0]


def test_frames_that_never_came_are_counted() -> None:
    statistics = TakeStatistics()
    for n in range(90):
        if n not in (40, 41, 60):
            statistics.packet(Packet(VIDEO, n * 3000, n * 3000, False, b"x"))
    assert statistics.dropped_frames == 3


def test_a_changed_frame_rate_is_no_loss_for_long() -> None:
    statistics = TakeStatistics()
    for packet in video(3, rate=30):
        statistics.packet(packet)
    for packet in video(10, rate=15, start=3):
        statistics.packet(packet)
    first = statistics.dropped_frames
    for packet in video(10, rate=15, start=13):
        statistics.packet(packet)
    assert statistics.dropped_frames == first
