"""Each verdict at its threshold, on both sides of it, from an encoder that is otherwise well."""

from dataclasses import replace
from typing import Any

import pytest

from domain.disk_state import DiskState
from domain.encoder_health import EncoderFacts, HealthCode, Light, Verdict, disk_health, encoder_health, worst

WELL = EncoderFacts(
    age_seconds=60,
    video_codec="h264",
    video_profile=100,
    width=1920,
    height=1080,
    usual_frame_rate=30.0,
    frame_rate=29.8,
    video_kbps=5000,
    key_quantiser=24.0,
    keyframe_interval_ms=2000,
    video_silent_seconds=0.04,
    audio_silent_seconds=0.02,
    jitter_ms=45,
    queue_ms=20,
    audio_offset_ms=12,
    limit_kbps=25_000,
)


def found(**known: Any) -> list[tuple[str, str, dict[str, int | str]]]:
    return [(one.code.value, one.light.value, one.facts) for one in encoder_health(replace(WELL, **known))]


def test_nothing_is_wrong() -> None:
    assert encoder_health(WELL) == [Verdict(HealthCode.good, Light.good, {})]


def test_an_encoder_that_has_not_settled_is_not_judged() -> None:
    assert encoder_health(EncoderFacts(age_seconds=4.9)) == []
    assert worst([]) is None


@pytest.mark.parametrize(
    ("known", "light"),
    [
        # key frames
        ({"keyframe_interval_ms": 4000}, None),
        ({"keyframe_interval_ms": 4001}, ("keyframe_interval_long", "fair")),
        ({"keyframe_interval_ms": 6001}, ("keyframe_interval_long", "poor")),
        ({"keyframe_interval_ms": None}, None),
        # bit rate
        ({"video_kbps": 12_000}, None),
        ({"video_kbps": 12_001}, ("bit_rate_high", "fair")),
        ({"video_kbps": 25_001}, ("bit_rate_over_limit", "poor")),
        ({"video_kbps": 25_001, "limit_kbps": None}, ("bit_rate_high", "fair")),
        ({"video_kbps": 7000, "width": 1280, "height": 720}, ("bit_rate_high", "fair")),
        ({"video_kbps": 195}, None),
        ({"video_kbps": 1200, "key_quantiser": 37.0}, None),
        ({"video_kbps": 1200, "key_quantiser": 37.4}, ("bit_rate_low", "fair")),
        ({"video_kbps": 1200, "key_quantiser": None}, None),
        ({"video_kbps": 4900, "key_quantiser": 40.0}, ("bit_rate_low", "fair")),
        ({"video_kbps": 5000, "key_quantiser": 40.0}, None),
        ({"video_kbps": 1200, "key_quantiser": 40.0, "usual_frame_rate": None}, None),
        # where it is kept
        ({"disk": DiskState.low}, ("disk_low", "fair")),
        ({"disk": DiskState.failing}, ("disk_failing", "poor")),
        ({"disk": DiskState.full}, None),
        # pictures
        ({"width": 1280, "height": 720}, None),
        ({"width": 960, "height": 540, "video_kbps": 1500}, ("resolution_low", "fair")),
        ({"width": 640, "height": 360, "video_kbps": 1000}, ("resolution_low", "poor")),
        ({"width": 720, "height": 1280, "video_kbps": 2500}, None),
        ({"frame_rate": 27.0}, None),
        ({"frame_rate": 26.9}, ("frame_rate_unsteady", "fair")),
        ({"frame_rate": 20.9}, ("frame_rate_unsteady", "poor")),
        ({"frame_rate": 15.0, "usual_frame_rate": 15.0}, ("frame_rate_low", "fair")),
        ({"frame_rate": 5.0, "usual_frame_rate": 5.0, "video_kbps": 2000}, ("frame_rate_low", "poor")),
        ({"frame_rate": 23.98, "usual_frame_rate": 23.976}, None),
        ({"frame_rate": None, "usual_frame_rate": None}, None),
        ({"dropped_frames": 1}, ("frames_dropped", "fair")),
        ({"dropped_frames": 15}, ("frames_dropped", "poor")),
        # tracks
        ({"audio_silent_seconds": None}, ("audio_missing", "poor")),
        ({"audio_silent_seconds": 3.0}, ("audio_missing", "poor")),
        ({"audio_silent_seconds": 2.9}, None),
        ({"video_silent_seconds": None}, ("video_missing", "fair")),
        ({"video_silent_seconds": 3.0}, ("video_missing", "poor")),
        # the way here
        ({"audio_offset_ms": 100}, None),
        ({"audio_offset_ms": 101}, ("audio_offset", "fair")),
        ({"audio_offset_ms": -501}, ("audio_offset", "poor")),
        ({"jitter_ms": 250}, None),
        ({"jitter_ms": 251}, ("network_jitter", "fair")),
        ({"jitter_ms": 1001}, ("network_jitter", "poor")),
        ({"queue_ms": 2000}, None),
        ({"queue_ms": 2001}, ("network_behind", "fair")),
        ({"queue_ms": 5001}, ("network_behind", "poor")),
        ({"queue_ms": 5001, "jitter_ms": 900}, ("network_behind", "poor")),
        ({"drift_ppm": 500}, None),
        ({"drift_ppm": 501}, ("clocks_apart", "fair")),
        ({"drift_ppm": -5001}, ("clocks_apart", "poor")),
        ({"repairs": 9}, None),
        ({"repairs": 10}, ("timestamps_repaired", "fair")),
        ({"repairs": 300}, ("timestamps_repaired", "poor")),
        # what plays where
        ({"video_profile": 122}, ("codec_not_everywhere", "poor")),
        ({"video_profile": 66}, None),
        ({"video_profile": None}, None),
        ({"video_codec": "h265", "video_profile": 2}, ("codec_not_everywhere", "fair")),
    ],
)
def test_thresholds(known: dict[str, Any], light: tuple[str, str] | None) -> None:
    assert [one[:2] for one in found(**known)] == [light or ("good", "good")]


@pytest.mark.parametrize(
    ("known", "facts"),
    [
        ({"keyframe_interval_ms": 10_000}, {"seconds": "10", "advised_seconds": 2}),
        ({"keyframe_interval_ms": 4_500}, {"seconds": "4.5", "advised_seconds": 2}),
        ({"video_kbps": 14_000}, {"kbps": 14_000, "lines": 1080, "advised_kbps": 5000}),
        ({"video_kbps": 900, "key_quantiser": 41.0}, {"kbps": 900, "lines": 1080, "advised_kbps": 5000}),
        ({"disk": DiskState.low, "disk_free_bytes": 1_900_000_000}, {"free_bytes": 1_900_000_000}),
        ({"video_kbps": 30_000}, {"kbps": 30_000, "limit_kbps": 25_000}),
        ({"audio_offset_ms": -240}, {"ms": 240, "first": "video"}),
        ({"frame_rate": 20.04}, {"rate": "20", "usual": "30"}),
        ({"dropped_frames": 7}, {"frames": 7, "seconds": 10}),
        ({"video_profile": 122}, {"codec": "H.264 High 4:2:2"}),
        ({"video_codec": "h265", "video_profile": 2}, {"codec": "HEVC Main 10"}),
        ({"queue_ms": 3400}, {"seconds": "3.4"}),
        ({"drift_ppm": -1000}, {"seconds": "3.6"}),
    ],
)
def test_numbers_for_the_words(known: dict[str, Any], facts: dict[str, int | str]) -> None:
    assert [one[2] for one in found(**known)] == [facts]


def test_the_worst_is_said_first_and_all_of_it() -> None:
    codes = [code for code, _, _ in found(keyframe_interval_ms=10_000, dropped_frames=1, audio_silent_seconds=None)]
    assert codes == ["audio_missing", "keyframe_interval_long", "frames_dropped"]
    assert worst(encoder_health(replace(WELL, dropped_frames=1))) == Light.fair
    assert worst(encoder_health(WELL)) == Light.good


def test_a_disk_that_fails_stands_behind_a_class_without_sound_and_before_what_can_be_borne() -> None:
    codes = [one[0] for one in found(disk=DiskState.failing, audio_silent_seconds=None, keyframe_interval_ms=10_000)]
    assert codes == ["audio_missing", "disk_failing", "keyframe_interval_long"]
    codes = [one[0] for one in found(disk=DiskState.low, dropped_frames=20, jitter_ms=300)]
    assert codes == ["frames_dropped", "disk_low", "network_jitter"]


def test_the_disk_is_told_of_without_an_encoder_too() -> None:
    assert [(one.code, one.light) for one in disk_health(DiskState.failing, 0)] == [("disk_failing", "poor")]
    assert disk_health(DiskState.good, 0) == []


def test_of_pictures_that_do_not_come_nothing_else_is_said() -> None:
    gone = found(video_silent_seconds=4.0, frame_rate=0.0, video_kbps=0, jitter_ms=4000, audio_offset_ms=-4000)
    assert gone == [("video_missing", "poor", {})]


def test_facts_that_are_unknown_blame_nobody() -> None:
    silent = EncoderFacts(age_seconds=60, video_silent_seconds=0.0, audio_silent_seconds=0.0)
    assert [one.code for one in encoder_health(silent)] == [HealthCode.good]
