"""`bench edge`: viewers at edge processes, what each edge costs the owner, how much later a viewer there has it all.

An owner with a session three hours old and an encoder, edges that take no encoders, and nginx as it is deployed before
them. An audience in turns: at the owner as many as at an edge, at the edges, through nginx at the edges, the same by
TLS; four answers a second make a viewer, as in `bench delivery`. `hop_*` is how much later than at the owner. What an
edge costs the owner is measured by a hundred of them in one process: requests with the signed header that an edge's
have. Finished segments through nginx and an edge, each token checked, are in turns with nginx's worker sending the same
files: `nginx_ratio_edge` compares bytes per CPU second, all of nginx and the edge against the worker; `…_tls` is both
by TLS.
"""

import asyncio
import dataclasses
import importlib.metadata
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

import httpx

from bench import clip, lessons, load, nginx, recorded
from bench.delivery import (
    CONNECTIONS,
    EACH_SECOND,
    FINISHED,
    P99_GOAL_MS,
    RATIO_GOAL,
    SETTLE_SECONDS,
    SPOOL_SPEED,
    VIEWERS_GOAL,
    WARM_SECONDS,
    Size,
)
from bench.fetcher import Order
from bench.front import Behind, Front, front
from bench.house import House, house, run_folder
from bench.listening import Listened, address, listen
from bench.load import Load, total
from bench.measure import ratio
from bench.processes import Program, until
from bench.publishing import STARTING_SECONDS, finished, publish, publishing
from bench.report import Figure, Report
from ingest.nodes import passes
from lectern.clock import now
from lectern.keys import derive
from lectern.settings import Settings
from storage.embedded.ports import LOOPBACK

NODE = "owner"
EDGES = 2
PRETENDED = 100
MANY = 10_000
PLACES = ("alone", "owner", "edges", "nginx", "tls", "pretended")

QUICK = Size(300, 6.0, 1, 3 * 3600.0, 2.0, 2)
WHOLE = Size(300, 20.0, 3, 3 * 3600.0, 10.0, 4)


@dataclass(frozen=True)
class Node:
    program: Program
    settings: Settings

    @property
    def address(self) -> str:
        return f"{LOOPBACK}:{self.settings.ingest.http_port}"


def run(*, quick: bool) -> Report:
    """Measure, quick or whole."""
    return asyncio.run(measure(QUICK if quick else WHOLE, quick=quick))


async def measure(size: Size, *, quick: bool) -> Report:
    """Windows in turns, then segments in turns. Complaint where nginx is missing, or an answer not what it must be."""
    versions = {"lectern": importlib.metadata.version("lectern"), "nginx": nginx.version()}
    lecture, seminar = [await asyncio.to_thread(clip.made, kind) for kind in (clip.LECTURE, clip.SEMINAR)]
    with run_folder() as folder:
        async with house(folder) as home, AsyncExitStack() as stack:
            reel = await recorded.capture(home, seminar)
            lesson = await recorded.under_way(home, reel, size.behind_seconds, NODE)
            owner = Node(*await stack.enter_async_context(home.ingest(NODE, reel_seconds=3600.0)))
            edges = [
                Node(*await stack.enter_async_context(home.ingest(f"edge-{number}", edge=True, accel_redirect=True)))
                for number in range(1, EDGES + 1)
            ]
            behind = Behind(edges=[one.address for one in edges])
            fronted = await stack.enter_async_context(front(folder / "front", behind))
            found = await _windows(home, owner, edges, fronted, lesson, seminar, size)
            turns = await _segments(home, owner, edges[0], fronted, lecture, size)
    raw = {
        **{name: [_json(one) for one in all_] for name, all_ in found.items()},
        "segments": {side: [one.to_json() for one in all_] for side, all_ in turns.items()},
    }
    notes = ["Cores of the owner have receiving, packaging and recording in them; an edge does nothing but show."]
    return Report("edge", quick, _figures(found, turns), versions, notes, raw)


async def _windows(
    home: House, owner: Node, edges: list[Node], fronted: Front, lesson: lessons.Lesson, source: Path,
    size: Size,
) -> dict[str, list[Listened]]:  # fmt: skip
    """By where the audience was."""
    encoders = await publish(home, owner.settings, lesson, source, "to-owner", 1.0)
    found: dict[str, list[Listened]] = {where: [] for where in PLACES}
    session_id, seconds, each = lesson.session_id, size.window_seconds, size.viewers // len(edges)
    try:
        await publishing(owner.program, owner.settings)
        await asyncio.sleep(SETTLE_SECONDS)
        pid, front_pid = owner.program.pid, fronted.program.pid
        found["alone"].append(await listen(owner.settings, session_id, 1, [pid], seconds))
        for _ in range(size.windows):
            found["owner"].append(await listen(owner.settings, session_id, each, [pid], seconds))
            found["edges"] += await asyncio.gather(
                *(listen(one.settings, session_id, each, [one.program.pid], seconds) for one in edges)
            )
            pids = [front_pid, *(one.program.pid for one in edges)]
            for where, port in (("nginx", fronted.port), ("tls", fronted.tls_port)):
                through = listen(
                    edges[0].settings, session_id, size.viewers, pids, seconds, port=port, tls=where == "tls"
                )
                found[where].append(await through)
            signed = _as_an_edge(owner.settings, session_id)
            pretended = listen(owner.settings, session_id, PRETENDED, [pid], seconds, fields=[signed])
            found["pretended"].append(await pretended)
        encoders.must_run()
    finally:
        await encoders.kill()
    return found


def _as_an_edge(settings: Settings, session_id: UUID) -> str:
    """The header of what an edge asks; checking it costs the same for any path."""
    name, value = passes.made(derive(settings.lectern).control, address(settings, session_id), "edge", 1, now())
    return f"{name.decode()}: {value.decode()}"


async def _segments(
    home: House, owner: Node, edge: Node, fronted: Front, source: Path, size: Size
) -> dict[str, list[Load]]:
    """Finished segments of a second session through nginx, and the same as files of another nginx, in turns."""
    (lesson,) = await lessons.plan(home.catalogue, owner.settings, 1)
    path = address(owner.settings, lesson.session_id)
    base = f"{owner.settings.ingest.control_url}{path}"
    encoders = await publish(home, owner.settings, lesson, source, "to-spool", SPOOL_SPEED)
    try:
        async with httpx.AsyncClient(timeout=20) as client:

            async def filled() -> bool:
                return len(await finished(client, base)) > FINISHED + owner.settings.ingest.segments_in_memory

            await until(filled, STARTING_SECONDS, "filling the spool", [owner.program])
            names = (await finished(client, base))[:FINISHED]
            bodies = [(await client.get(f"{base}/{name}")).raise_for_status().content for name in names]
    finally:
        await encoders.kill()
    async with nginx.files(home.folder / "nginx") as peer:
        for name, body in zip(names, bodies, strict=True):
            (peer.content / name).write_bytes(body)
        mine = Order(LOOPBACK, fronted.port, [f"{path}/{one}" for one in names], CONNECTIONS, size.load_seconds)
        theirs = Order(LOOPBACK, peer.port, [f"/{one}" for one in names], CONNECTIONS, size.load_seconds)
        pids, peer_pids = [fronted.program.pid, edge.program.pid], [peer.pid]
        sides = {
            "own": (mine, pids), "peer": (theirs, peer_pids),
            "own_tls": (dataclasses.replace(mine, port=fronted.tls_port, tls=True), pids),
            "peer_tls": (dataclasses.replace(theirs, port=peer.tls_port, tls=True), peer_pids),
        }  # fmt: skip
        return await load.loads(sides, home.store_pids(), size.rounds, WARM_SECONDS)


def _viewers_per_core(windows: Sequence[Listened]) -> float:
    """Answers a second, four to a viewer, by the cores that gave them."""
    given = sum(one.result.playlists + one.result.parts for one in windows)
    return given / EACH_SECOND / sum(one.usage.cpu_seconds for one in windows)


def _at(lags: Sequence[float], quickest: float, share: float) -> float:
    return round(1000 * (sorted(lags)[min(len(lags) - 1, int(len(lags) * share))] - quickest), 1)


def _figures(found: dict[str, list[Listened]], turns: dict[str, list[Load]]) -> list[Figure]:
    per_core = {where: _viewers_per_core(found[where]) for where in ("owner", "edges", "nginx", "tls")}
    alone, pretended = (
        sum(one.usage.cpu_seconds for one in found[where]) / sum(one.usage.wall_seconds for one in found[where])
        for where in ("alone", "pretended")
    )
    edge_ms = 1000 * (pretended - alone) / PRETENDED
    cores = MANY / per_core["tls"]
    return [
        Figure("viewers_per_core", round(per_core["edges"]), VIEWERS_GOAL, at_least=True,
               own=f"{len(found['edges'])} windows at edges", peer=f"owner {per_core['owner']:.0f}"),
        Figure("viewers_per_core_with_nginx", round(per_core["nginx"]), own="nginx's own cores counted"),
        Figure("viewers_per_core_with_tls", round(per_core["tls"]), own="the same by TLS"),
        Figure("owner_ms_per_edge_s", round(edge_ms, 2), own=f"{PRETENDED} edges at once"),
        *_lateness(found),
        _compared("nginx_ratio_edge", turns["own"], turns["peer"], RATIO_GOAL),
        _compared("nginx_ratio_edge_tls", turns["own_tls"], turns["peer_tls"]),
        Figure("cores_for_10000", round(cores, 1), own="nginx with TLS and edges, all of each core"),
    ]  # fmt: skip


def _compared(key: str, ours: Sequence[Load], theirs: Sequence[Load], goal: float | None = None) -> Figure:
    own, peer = total(ours), total(theirs)
    words = {"own": f"{own:.0f} MiB a CPU s", "peer": f"nginx {peer:.0f} MiB a CPU s"}
    return Figure(key, ratio(own, peer), goal, at_least=True, **words)


def _lateness(found: dict[str, list[Listened]]) -> list[Figure]:
    """Of playlists and of parts: after the quickest that a lone viewer had at the owner."""
    figures = []
    for kind, lags_of in (("playlist", _playlist_lags), ("part", _part_lags)):
        quickest = min(lags_of(found["alone"]))
        middle, most = (
            {where: _at(lags_of(found[where]), quickest, share) for where in ("owner", "edges", "nginx")}
            for share in (0.5, 0.99)
        )
        told = f"owner {middle['owner']:g} / {most['owner']:g}"
        figures += [
            Figure(f"{kind}_p50_ms", middle["edges"], own=f"through nginx {middle['nginx']:g}", peer=told),
            Figure(f"{kind}_p99_ms", most["edges"], P99_GOAL_MS if kind == "playlist" else None,
                   own=f"through nginx {most['nginx']:g}", peer=told),
            Figure(f"hop_{kind}_p50_ms", round(middle["edges"] - middle["owner"], 1)),
        ]  # fmt: skip
    return figures


def _playlist_lags(windows: Sequence[Listened]) -> list[float]:
    return [lag for one in windows for lag in one.result.lags]


def _part_lags(windows: Sequence[Listened]) -> list[float]:
    return [lag for one in windows for lag in one.result.part_lags]


def _json(one: Listened) -> dict[str, object]:
    came = one.result
    return {
        "viewers": one.viewers, "cpu_seconds": one.usage.cpu_seconds, "wall_seconds": one.usage.wall_seconds,
        "rss_mib": one.usage.rss_mib, "playlists": came.playlists, "parts": came.parts,
        "parts_missed": came.parts_missed, "bytes": came.bytes,
    }  # fmt: skip
