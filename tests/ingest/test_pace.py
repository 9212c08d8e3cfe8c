"""The pace of uploads: a rate over all of them, whoever asks."""

from ingest.pace import Pace


def test_what_comes_at_one_instant_is_spread() -> None:
    pace = Pace(100)
    assert [pace.wait_seconds(50, now=10.0) for _ in range(4)] == [0.0, 0.5, 1.0, 1.5]


def test_what_comes_slower_than_the_rate_never_waits() -> None:
    pace = Pace(100)
    assert [pace.wait_seconds(50, now=second) for second in (1.0, 1.5, 2.0, 7.0)] == [0.0, 0.0, 0.0, 0.0]


def test_idle_time_is_not_saved_up() -> None:
    pace = Pace(100)
    pace.wait_seconds(50, now=0.0)
    assert [pace.wait_seconds(100, now=60.0) for _ in range(3)] == [0.0, 1.0, 2.0]
