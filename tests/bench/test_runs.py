"""Each bench, whole, at the smallest size: real servers, encoders and peers; the keys are what others read."""

import json

import pytest

from bench import delivery, edge, latency, live, replay

pytestmark = [pytest.mark.anyio, pytest.mark.long, pytest.mark.timeout(300)]


async def test_live() -> None:
    packaging, recording = 4.0, live.REEL_SECONDS / 2
    report = await live.measure(live.Size({2: (packaging, recording)}, 1), quick=True)
    told = json.loads(json.dumps(report.to_json()))
    assert {"cpu_ratio", "cpu_ratio_recording"} <= told["by_streams"]["2"].keys()
    assert told["by_streams"]["2"]["cpu_ratio"] > 0
    assert told["frames_lost"] == 0
    assert told["rss_mb_per_stream"] > 0
    plain, recorded = told["raw"]
    assert plain["reels_stored"] == 0
    assert recorded["reels_stored"] >= 3, "a whole reel of the stream that is ahead, and what was left at the end"
    ahead = live.REEL_SECONDS / 2
    for phase, seconds in ((plain, 2 * packaging), (recorded, 2 * recording + ahead)):
        assert all(sent == kept for sent, kept in phase["frames"])
        assert sum(sent for sent, _ in phase["frames"]) >= 30 * seconds
        assert phase["usage"]["own"]["cpu_seconds"] > 0
    assert recorded["usage"]["stores"]["cpu_seconds"] > 0


async def test_replay() -> None:
    report = await replay.measure(replay.Size({"1min": 60.0, "2min": 120.0}, 1, 1.0, 1), quick=True)
    told = json.loads(json.dumps(report.to_json()))
    assert told["ready_s"].keys() == {"1min", "2min"}
    assert told["raw"]["starts"]["2min"][0]["segments"] == 60
    assert told["vod_nginx_ratio"] > told["vod_nginx_ratio_alone"] > 0
    for load in told["raw"]["loads"].values():
        assert load[0]["requests"] > 0
        assert load[0]["bytes"] > load[0]["requests"] * 500_000, "whole segments of two seconds"
    assert told["goals"] == {"ready_s.1min": 2.0, "ready_s.2min": 2.0, "vod_nginx_ratio": 0.7}


async def test_delivery() -> None:
    report = await delivery.measure(delivery.Size(20, 4.0, 1, 120.0, 1.0, 1), quick=True)
    told = json.loads(json.dumps(report.to_json()))
    assert told["viewers_per_core"] > 20
    assert told["playlist_p99_ms"] > 0
    assert 2 < told["requests_per_viewer_s"] < 5
    assert told["nginx_ratio"] > 0
    assert told["gbit_s"] > 0
    (window,) = told["raw"]["windows"]
    assert window["parts"] > 20 * 4
    assert window["bytes"] > window["parts"] * 50_000, "parts of about 75 KB"
    for load in told["raw"]["segments"].values():
        assert load[0]["bytes"] > load[0]["requests"] * 1_000_000, "whole segments of two seconds"
    assert told["goals"].keys() == {"viewers_per_core", "playlist_p99_ms", "nginx_ratio"}


async def test_edge() -> None:
    # Of fewer viewers nginx's work is a tick or two of the CPU clock.
    report = await edge.measure(delivery.Size(100, 4.0, 1, 120.0, 1.0, 1), quick=True)
    told = json.loads(json.dumps(report.to_json()))
    for name in (
        "viewers_per_core",
        "viewers_per_core_with_nginx",
        "cores_for_10000",
        "nginx_ratio_edge",
        "nginx_ratio_edge_tls",
    ):
        assert told[name] > 0
    assert told["viewers_per_core_with_tls"] < told["viewers_per_core"], "nginx's work is in it"
    assert told["viewers_per_core_with_nginx"] < told["viewers_per_core"]
    for where in edge.PLACES:
        for window in told["raw"][where]:
            assert window["bytes"] > window["parts"] * 50_000 > 0, "parts of about 75 KB"
    for load in told["raw"]["segments"].values():
        assert load[0]["bytes"] > load[0]["requests"] * 1_000_000, "whole segments of two seconds"


async def test_latency() -> None:
    report = await latency.measure(latency.Size(6.0, 1), quick=True)
    told = json.loads(json.dumps(report.to_json()))
    assert 300 < told["llhls_p50_ms"] <= told["llhls_p95_ms"] < 20_000
    assert told["raw"][0]["parts"] >= 6, "two a second: low latency is on"
    assert not [one for one in told["raw"][0]["failures"] if one.startswith("fatal")]
