"""What is in a stretch of fragments, counted: the frames of each track, when they begin and end, where it pauses.

The same count is made of what was captured, as it is made into parts (or, after a crash, as it lies in the spool), and
of what the store gives back; a recording is whole where both say the same. All times are decode times in the track's
own ticks.
"""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, NamedTuple

from media.boxes import Bytes
from media.fragments import TrackRun, read_fragments
from media.movie import parse_movie
from media.packet import Track

STAMPS_ROUNDED = 0.0006
"""A millisecond in nearly two seconds; 29.97 differs from 30 by 0.001."""


@dataclass(frozen=True, slots=True)
class Pause:
    """From `at` on the track has nothing for `ticks`; less than nothing where what follows begins too early."""

    at: int
    ticks: int


@dataclass(slots=True)
class TrackCount:
    """One track of the stretch, which has at least one frame of it. `end` is where its last frame ends."""

    kind: str
    timescale: int
    start: int
    end: int
    frames: int = 0
    keyframes: int = 0
    pauses: list[Pause] = field(default_factory=list)

    def as_row(self) -> dict[str, Any]:
        """As it is stored, and compared."""
        return asdict(self)


def frame_rate(frames: int, seconds: float) -> float:
    """Frames a second, where stamps may have been rounded to milliseconds: 24.01 over two seconds is 24."""
    rate = frames / seconds
    return float(round(rate)) if abs(rate - round(rate)) < STAMPS_ROUNDED * rate else rate


class RunCount(NamedTuple):
    """Frames of one track that follow each other, counted: a run, or several that go on one from the other."""

    track_id: int
    start: int
    end: int
    frames: int
    keyframes: int


def count_run(run: TrackRun) -> RunCount:
    """One run, where it is made."""
    samples, start = run.samples, run.base_decode_time
    end = start + sum(sample.duration for sample in samples)
    return RunCount(run.track_id, start, end, len(samples), sum(sample.keyframe for sample in samples))


def joined(runs: Iterable[RunCount]) -> list[RunCount]:
    """The same said shorter: a run that begins where the last one of its track ended is counted with it."""
    found: list[RunCount] = []
    last: dict[int, int] = {}  # by track, where in `found`
    for run in runs:
        place = last.get(run.track_id)
        if place is not None and (before := found[place]).end == run.start:
            frames, keyframes = before.frames + run.frames, before.keyframes + run.keyframes
            found[place] = before._replace(end=run.end, frames=frames, keyframes=keyframes)
        else:
            last[run.track_id] = len(found)
            found.append(run)
    return found


def summed(runs: Iterable[RunCount], tracks: Mapping[int, Track]) -> list[TrackCount]:
    """The tracks, by their ids in the order of the init, as far as there are runs of them."""
    counts: dict[int, TrackCount] = {}
    for track_id, start, end, frames, keyframes in runs:
        found = counts.get(track_id)
        if found is None:
            track = tracks[track_id]
            found = counts[track_id] = TrackCount(track.kind, track.timescale, start, start)
        if start != found.end:
            found.pauses.append(Pause(found.end, start - found.end))
        found.end = end
        found.frames += frames
        found.keyframes += keyframes
    return [counts[track_id] for track_id in tracks if track_id in counts]


def count(init: Bytes, media: Iterable[Bytes]) -> list[TrackCount]:
    """The tracks found in `media`, pieces that follow each other, in the order of the init. Raises MalformedMedia."""
    movie = parse_movie(init)
    fragments = (fragment for piece in media for fragment in read_fragments(piece, movie))
    runs = (count_run(run) for fragment in fragments for run in fragment.runs if run.samples)
    return summed(runs, {found.track_id: found.track for found in movie.tracks})
