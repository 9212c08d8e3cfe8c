"""Two RTP clocks on one line: arrival first, then sender reports; nothing runs back."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from ingest.whip.media_clock import DEADBAND_SECONDS, MediaClock

NTP_SECOND = 1 << 32
VIDEO_START, AUDIO_START = 4_294_900_000, 77  # the picture's clock wraps within the first second


def ntp(seconds: float) -> int:
    return round((3_900_000_000 + seconds) * NTP_SECOND)


class Lecture:
    """A picture that arrives `late` seconds after its sound, of the same instants."""

    def __init__(self, late: float) -> None:
        self.clock = MediaClock()
        self.late = late
        self.video: list[float] = []
        self.audio: list[float] = []

    def run(self, first: int, last: int) -> None:
        """50 steps a second: a sound each, and a picture at every other."""
        for n in range(first, last):
            at = n / 50
            self.audio.append(self.clock.place("audio", (AUDIO_START + n * 960) % 2**32, 500 + at) / 48_000)
            if n % 2 == 0:
                raw = (VIDEO_START + n * 1800) % 2**32
                self.video.append(self.clock.place("video", raw, 500 + at + self.late) / 90_000)

    def report(self, at: float) -> None:
        self.clock.report("video", ntp(at), (VIDEO_START + round(at * 90_000)) % 2**32)
        self.clock.report("audio", ntp(at + 0.3), (AUDIO_START + round((at + 0.3) * 48_000)) % 2**32)


def test_before_reports_arrival_counts() -> None:
    lecture = Lecture(0.12)
    lecture.run(0, 50)
    assert abs(lecture.video[0] - lecture.audio[0] - 0.12) < 1e-4
    assert lecture.clock.skew_seconds() is None


def test_reports_bring_the_picture_to_its_sound_without_a_jump() -> None:
    lecture = Lecture(0.12)
    lecture.run(0, 50)
    lecture.report(1.0)
    skew = lecture.clock.skew_seconds()
    assert skew is not None
    assert abs(skew - 0.12) < 1e-3
    lecture.run(50, 200)
    lecture.report(4.0)
    assert abs(lecture.clock.skew_seconds() or 0.0) < 1e-3
    assert abs(lecture.video[-1] - lecture.audio[-2]) < 1e-3
    steps = [b - a for a, b in pairwise(lecture.video)]
    assert min(steps) > 0.034
    assert max(steps) < 0.0401
    assert {round(b - a, 6) for a, b in pairwise(lecture.audio)} == {0.02}


def test_a_reports_jitter_moves_nothing() -> None:
    lecture = Lecture(DEADBAND_SECONDS / 2)
    lecture.run(0, 50)
    lecture.report(1.0)
    lecture.run(50, 100)
    assert {round(b - a, 6) for a, b in pairwise(lecture.video)} == {0.04}


def test_a_report_of_nonsense_moves_nothing() -> None:
    lecture = Lecture(0.1)
    lecture.run(0, 50)
    lecture.clock.report("audio", ntp(0), AUDIO_START)
    lecture.clock.report("video", ntp(5_000), VIDEO_START)
    lecture.clock.report("video", 0, VIDEO_START)
    lecture.run(50, 100)
    assert {round(b - a, 6) for a, b in pairwise(lecture.video)} == {0.04}


def test_a_clock_that_was_set_is_placed_anew() -> None:
    clock = MediaClock()
    first = clock.place("video", 1000, 5.0)
    after = clock.place("video", 1000 + 90_000 * 3600, 5.04)
    assert 0 < after - first < 90_000


def test_another_stream_goes_on_after_the_first() -> None:
    clock = MediaClock()
    clock.place("video", 1000, 5.0)
    last = clock.place("video", 4000, 5.03)
    clock.restart("video")
    assert last < clock.place("video", 999_999, 5.06) < last + 9000
    assert clock.place("video", 999_999, 5.07) > last


@given(st.lists(st.tuples(st.integers(0, 2**32 - 1), st.floats(0, 30)), min_size=2, max_size=40))
def test_times_always_rise(packets: list[tuple[int, float]]) -> None:
    clock = MediaClock()
    placed = [clock.place("video", raw, now) for raw, now in packets]
    assert all(a < b for a, b in pairwise(placed))
