"""What a report says: the figures' dotted keys as folders of JSON, and goals missed in plain words."""

import pytest

from bench.report import Figure, Report

FIGURES = (
    Figure("by_streams.8.cpu_ratio", 0.9, 0.8, own="0.72 %", peer="nginx 0.80 %"),
    Figure("by_streams.24.cpu_ratio", 0.8, 0.8),
    Figure("frames_lost", 0, 0),
    Figure("rss_mb_per_stream", 5.25),
    Figure("vod_nginx_ratio", 0.69, 0.7, at_least=True),
    Figure("cpu_ratio_mediamtx", None, 0.8),
)
REPORT = Report("live", True, FIGURES, {"nginx": "1.22.1"}, ["A note."], raw=[1, 2], machine={"cores": 2})


def test_keys_become_folders() -> None:
    told = REPORT.to_json()
    assert told["by_streams"] == {"8": {"cpu_ratio": 0.9}, "24": {"cpu_ratio": 0.8}}
    assert told["frames_lost"] == 0
    assert told["cpu_ratio_mediamtx"] is None
    assert told["missed"] == ["by_streams.8.cpu_ratio", "vod_nginx_ratio"]
    assert told["goals"]["frames_lost"] == 0
    assert "rss_mb_per_stream" not in told["goals"]
    assert (told["machine"], told["versions"], told["raw"]) == ({"cores": 2}, {"nginx": "1.22.1"}, [1, 2])


def test_a_missed_goal_is_said() -> None:
    lines = REPORT.text().splitlines()
    row = next(line for line in lines if line.startswith("by_streams.8.cpu_ratio"))
    assert row.split() == ["by_streams.8.cpu_ratio", "0.72", "%", "nginx", "0.80", "%", "0.9", "≤", "0.8", "MISSED"]
    assert "Goals missed: by_streams.8.cpu_ratio, vod_nginx_ratio" in lines
    assert "A note." in lines
    assert lines[-1] == "cores 2 · nginx 1.22.1"


@pytest.mark.parametrize(
    ("value", "at_least", "missed"),
    [(0.8, False, False), (0.81, False, True), (0.79, True, True), (0.8, True, False), (None, False, False)],
)
def test_which_side_of_a_goal(value: float | None, at_least: bool, missed: bool) -> None:
    assert Figure("x", value, 0.8, at_least=at_least).missed is missed


def test_what_was_not_measured_is_no_success() -> None:
    assert Figure("x", None, 0.8).cells()[-3:] == ("not measured", "≤ 0.8", "")
