"""`bench delivery`: what viewers at the live edge cost, and finished segments beside nginx's static files.

The edge: a session that has been live for three hours, an encoder, and an audience in a process of its own. Each viewer
gets two delta playlists a second, held until their part is there, and two parts of 75 KB. `viewers_per_core` counts
four answers a second as a viewer, ÷ the cores that the whole ingest process used, packaging and recording included.
`playlist_p99_ms` is how long after its part a playlist's last byte came: lateness against the media's clock, less the
least of a lone viewer's.
Segments: finished ones of 1.2 MB read from the spool, token checked, in turns with nginx's worker sending the same
files; `nginx_ratio` compares bytes per CPU second, `gbit_s` is what one core sends.
"""

import asyncio
import dataclasses
import importlib.metadata
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import httpx

from bench import clip, lessons, load, nginx, recorded
from bench.fetcher import Order
from bench.house import House, house, run_folder
from bench.listening import Listened, address, listen
from bench.load import MIB, Load, total
from bench.measure import ratio
from bench.processes import Program, until
from bench.publishing import STARTING_SECONDS, finished, publish, publishing
from bench.report import Figure, Report
from lectern.settings import Settings
from storage.embedded.ports import LOOPBACK

NODE = "delivery"
NO_REEL_SECONDS = 3600.0
LONE_SECONDS = 4.0
SETTLE_SECONDS = 4.0
WARM_SECONDS = 0.5
CONNECTIONS = 8
FINISHED = 8
SPOOL_SPEED = 6.0
EACH_SECOND = 4
"""Answers that make a viewer: two playlists, two parts."""
VIEWERS_GOAL, P99_GOAL_MS, RATIO_GOAL = 3500, 100, 0.7


@dataclass(frozen=True)
class Size:
    """How much is measured: viewers, seconds and windows at the edge; hours behind; seconds and turns of segments."""

    viewers: int
    window_seconds: float
    windows: int
    behind_seconds: float
    load_seconds: float
    rounds: int


QUICK = Size(400, 10.0, 1, 3 * 3600.0, 3.0, 2)
WHOLE = Size(400, 30.0, 4, 3 * 3600.0, 15.0, 4)


def run(*, quick: bool) -> Report:
    """Measure, quick or whole."""
    return asyncio.run(measure(QUICK if quick else WHOLE, quick=quick))


async def measure(size: Size, *, quick: bool) -> Report:
    """The edge, then segments in turns. Complaint where nginx is missing or an answer is not what it must be."""
    versions = {"lectern": importlib.metadata.version("lectern"), "nginx": nginx.version()}
    lecture, seminar = [await asyncio.to_thread(clip.made, kind) for kind in (clip.LECTURE, clip.SEMINAR)]
    with run_folder() as folder:
        async with house(folder) as home:
            reel = await recorded.capture(home, seminar)
            lesson = await recorded.under_way(home, reel, size.behind_seconds, NODE)
            async with home.ingest(NODE, reel_seconds=NO_REEL_SECONDS) as (own, settings):
                lone, windows = await _edge(home, own, settings, lesson, seminar, size)
                turns = await _segments(home, own, settings, lecture, size)
    raw = {
        "lone": _window_json(lone),
        "windows": [_window_json(one) for one in windows],
        "segments": {side: [one.to_json() for one in found] for side, found in turns.items()},
        "reel_segments": len(reel.row.segments),
    }
    return Report("delivery", quick, _figures(lone, windows, turns), versions, _notes(windows), raw)


async def _edge(
    home: House, own: Program, settings: Settings, lesson: lessons.Lesson, source: Path, size: Size
) -> tuple[Listened, list[Listened]]:
    """A lone viewer, and the windows with all of them."""
    encoders = await publish(home, settings, lesson, source, "to-edge", 1.0)
    try:
        await publishing(own, settings)
        await asyncio.sleep(SETTLE_SECONDS)
        lone = await listen(settings, lesson.session_id, 1, [own.pid], LONE_SECONDS)
        windows = [
            await listen(settings, lesson.session_id, size.viewers, [own.pid], size.window_seconds)
            for _ in range(size.windows)
        ]
        encoders.must_run()
    finally:
        await encoders.kill()
    return lone, windows


async def _segments(home: House, own: Program, settings: Settings, source: Path, size: Size) -> dict[str, list[Load]]:
    """Finished segments of a second session, and the same as files of nginx, in turns. Nobody publishes meanwhile."""
    (lesson,) = await lessons.plan(home.catalogue, settings, 1)
    path = address(settings, lesson.session_id)
    base = f"{settings.ingest.control_url}{path}"
    encoders = await publish(home, settings, lesson, source, "to-spool", SPOOL_SPEED)
    try:
        await publishing(own, settings)
        async with httpx.AsyncClient(timeout=20) as client:

            async def filled() -> bool:
                return len(await finished(client, base)) > FINISHED + settings.ingest.segments_in_memory

            await until(filled, STARTING_SECONDS, "filling the spool", [own])
            names = (await finished(client, base))[:FINISHED]
            bodies = [(await client.get(f"{base}/{name}")).raise_for_status().content for name in names]
    finally:
        await encoders.kill()
    async with nginx.files(home.folder / "nginx") as peer:
        for name, body in zip(names, bodies, strict=True):
            (peer.content / name).write_bytes(body)
        mine = Order(LOOPBACK, settings.ingest.http_port, [f"{path}/{one}" for one in names], CONNECTIONS, 0)
        theirs = Order(LOOPBACK, peer.port, [f"/{one}" for one in names], CONNECTIONS, 0)
        sides = {"own": (mine, [own.pid]), "nginx": (theirs, [peer.pid])}
        timed = {who: (dataclasses.replace(one, seconds=size.load_seconds), pids) for who, (one, pids) in sides.items()}
        return await load.loads(timed, home.store_pids(), size.rounds, WARM_SECONDS)


def _lateness_ms(lone: Listened, windows: Sequence[Listened]) -> list[float]:
    """Of every playlist, in order of size: behind the quickest that a lone viewer had."""
    quickest = min(lone.result.lags)
    return sorted(1000 * (lag - quickest) for one in windows for lag in one.result.lags)


def _figures(lone: Listened, windows: Sequence[Listened], turns: dict[str, list[Load]]) -> list[Figure]:
    viewers, seconds = windows[0].viewers, sum(one.usage.wall_seconds for one in windows)
    cores = sum(one.usage.cpu_seconds for one in windows) / seconds
    playlists = sum(one.result.playlists for one in windows) / seconds / viewers
    parts = sum(one.result.parts for one in windows) / seconds / viewers
    equal = viewers * (playlists + parts) / EACH_SECOND
    asked = f"{playlists:.2f} playlists, {parts:.2f} parts"
    did = f"{viewers} viewers, {100 * cores:.0f} % of a core"
    late = _lateness_ms(lone, windows)
    p50, p99 = late[len(late) // 2], late[len(late) * 99 // 100]
    own, peer = total(turns["own"]), total(turns["nginx"])
    return [
        Figure("viewers_per_core", round(equal / cores), VIEWERS_GOAL, at_least=True, own=did),
        Figure("playlist_p99_ms", round(p99, 1), P99_GOAL_MS, own=f"half within {p50:.0f} ms"),
        Figure("requests_per_viewer_s", round(playlists + parts, 2), own=asked),
        Figure("nginx_ratio", ratio(own, peer), RATIO_GOAL, at_least=True, own=f"{own:.0f} MiB a CPU s",
               peer=f"nginx {peer:.0f} MiB a CPU s"),
        Figure("gbit_s", round(own * MIB * 8 / 1e9, 2), own="a core", peer=f"nginx {peer * MIB * 8 / 1e9:.2f}"),
    ]  # fmt: skip


def _window_json(one: Listened) -> dict[str, object]:
    came, lags = one.result, sorted(one.result.lags)
    return {
        "viewers": one.viewers, "cpu_seconds": one.usage.cpu_seconds, "wall_seconds": one.usage.wall_seconds,
        "rss_mib": one.usage.rss_mib, "playlists": came.playlists, "parts": came.parts,
        "parts_missed": came.parts_missed, "bytes": came.bytes, "lag_least_s": lags[0],
        "lag_median_s": statistics.median(lags), "lag_most_s": lags[-1],
    }  # fmt: skip


def _notes(windows: Sequence[Listened]) -> list[str]:
    missed = sum(one.result.parts_missed for one in windows)
    notes = ["Cores are of the whole ingest process: receiving, packaging and recording the stream are in them."]
    return [*notes, f"{missed} parts were passed over by viewers that were too late."] if missed else notes
