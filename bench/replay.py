"""`bench replay`: how soon a replay begins, and what its segments cost beside nginx's static files.

`ready_s` is a signed-in viewer's time from POST playback to the first segment's last byte, over HTTP from a real api
process, for ten minutes and for three hours of media: the slowest of several starts, each after the process forgot
what it knew. `vod_nginx_ratio` (of the longest recording) is bytes per CPU second of nginx as it is deployed and the
api process behind it together (each token checked, the object named, its bytes from nginx's cache) ÷ those of an
nginx worker that sends files of the same sizes. `vod_nginx_ratio_alone` is the same of an api process that has no
nginx in front and fetches each object from the store, whose own CPU stands beside it in the raw values. Load comes
from a process of its own, in turns.
"""

import asyncio
import dataclasses
import importlib.metadata
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit
from uuid import UUID

import httpx

from api.replay.viewing import FRESH
from bench import clip, load, nginx, recorded
from bench.fetcher import Order
from bench.front import Behind, front
from bench.house import house, run_folder
from bench.load import Load, total
from bench.measure import ratio
from bench.recorded import CapturedReel
from bench.report import Figure, Report
from bench.viewer import Beginning, begin
from lectern.clock import now
from lectern.demo_client import Person
from lectern.seed import passwords_in, seed
from lectern.settings import Settings
from storage.embedded.ports import LOOPBACK

LENGTHS = {"10min": 600.0, "3h": 3 * 3600.0}
READY_GOAL, RATIO_GOAL = 2.0, 0.7
CONNECTIONS = 8
STORED_REELS = 6
VIEWER = "learner"
WARM_SECONDS = 1.0


@dataclass(frozen=True)
class Size:
    """How much is measured: lengths by name, longest last; starts of each; seconds and turns of load on each side."""

    lengths: dict[str, float]
    starts: int
    window_seconds: float
    rounds: int


QUICK = Size(LENGTHS, 4, 4.0, 2)
WHOLE = Size(LENGTHS, 20, 15.0, 4)


def run(*, quick: bool) -> Report:
    """Measure, quick or whole."""
    return asyncio.run(measure(QUICK if quick else WHOLE, quick=quick))


async def measure(size: Size, *, quick: bool) -> Report:
    """Starts, then load in turns. Complaint where nginx is missing or an answer is not what it must be."""
    versions = {"lectern": importlib.metadata.version("lectern"), "nginx": nginx.version()}
    source = await asyncio.to_thread(clip.lecture)
    with run_folder() as folder:
        async with house(folder) as home:
            passwords = passwords_in(folder)
            async with home.catalogue.transaction() as tx:
                await seed(tx, passwords, now())
            reel = await recorded.capture(home, source)
            made = {
                name: await recorded.repeat(home, reel, seconds, STORED_REELS) for name, seconds in size.lengths.items()
            }
            async with (
                home.api() as (alone, settings),
                home.api("api-behind", accel_redirect=True) as (behind, told),
                front(folder / "front", _stands_behind(told)) as fronted,
                nginx.files(folder / "nginx") as peer,
            ):
                starts, addresses = await _starts(settings, made, size.starts, passwords[VIEWER])
                # The token is the catalogue's, so that it opens at either process.
                address, names, seconds = list(addresses.values())[-1], _segment_names(reel), size.window_seconds
                sides = {
                    "own": (_order(address, names, fronted.port, seconds), [fronted.program.pid, behind.pid]),
                    "alone": (_order(address, names, settings.api.port, seconds), [alone.pid]),
                    "nginx": (_order("/", _write_files(peer.content, reel), peer.port, seconds), [peer.pid]),
                }
                loads = await load.loads(sides, home.store_pids(), size.rounds, WARM_SECONDS)
    raw = {
        "starts": {name: [dataclasses.asdict(one) for one in found] for name, found in starts.items()},
        "loads": {side: [one.to_json() for one in found] for side, found in loads.items()},
        "reel_bytes": len(reel.media),
    }
    return Report("replay", quick, _figures(starts, loads), versions, _notes(loads), raw)


def _stands_behind(settings: Settings) -> Behind:
    store = settings.storage
    return Behind(api=f"{LOOPBACK}:{settings.api.port}", objects=store.s3_endpoint, bucket=store.s3_bucket)


async def _starts(
    settings: Settings, made: dict[str, UUID], count: int, password: str
) -> tuple[dict[str, list[Beginning]], dict[str, str]]:
    """Starts of each recording in turn, and the addresses of their media playlists for the load."""
    person = Person(settings.api.public_url)
    starts: dict[str, list[Beginning]] = {name: [] for name in made}
    addresses: dict[str, str] = {}
    try:
        await person.sign_in(VIEWER, password)
        for _ in range(count):
            for name, recording_id in made.items():
                async with httpx.AsyncClient(timeout=20) as client:
                    addresses[name], found = await begin(person, client, recording_id)
                starts[name].append(found)
            await asyncio.sleep(FRESH.total_seconds() * 1.1)
    finally:
        await person.close()
    return starts, addresses


def _segment_names(reel: CapturedReel) -> list[str]:
    segments = range(len(reel.row.segments))
    return [f"source/{number + 1}-{place}.m4s" for number in range(STORED_REELS) for place in segments]


def _write_files(folder: Path, reel: CapturedReel) -> list[str]:
    """The same segments as plain files: nginx reads them from the page cache, as the store does its volumes."""
    names = []
    for number in range(STORED_REELS):
        for place, one in enumerate(reel.row.segments):
            name = f"{number + 1}-{place}.m4s"
            (folder / name).write_bytes(reel.media[one["offset"] :][: one["bytes"]])
            names.append(name)
    return names


def _order(address: str, names: Sequence[str], port: int, seconds: float) -> Order:
    base = urlsplit(address).path.rpartition("/")[0]
    return Order(LOOPBACK, port, [f"{base}/{name}" for name in names], CONNECTIONS, seconds)


def _figures(starts: dict[str, list[Beginning]], loads: dict[str, list[Load]]) -> list[Figure]:
    figures = []
    for name, found in starts.items():
        slowest = max(one.segment for one in found)
        told = f"{found[0].segments} segments, {len(found)} starts"
        figures.append(Figure(f"ready_s.{name}", slowest, READY_GOAL, own=told))
    peer = total(loads["nginx"])
    for key, side, goal in (("vod_nginx_ratio", "own", RATIO_GOAL), ("vod_nginx_ratio_alone", "alone", None)):
        own = total(loads[side])
        words = {"own": f"{own:.0f} MiB a CPU s", "peer": f"nginx {peer:.0f} MiB a CPU s"}
        figures.append(Figure(key, ratio(own, peer), goal, at_least=True, **words))
    return figures


def _notes(loads: dict[str, list[Load]]) -> list[str]:
    turns = loads["alone"]
    store, own = (sum(one.store_cpu_seconds for one in turns), sum(one.usage.cpu_seconds for one in turns))
    repeated = (
        f"A real reel of ten seconds stands under every row; the store has the objects of the first {STORED_REELS}."
    )
    apart = f"Without nginx the stores used {store / own:.2f} CPU seconds for each of the API's; not in the ratio."
    return [repeated, apart]
