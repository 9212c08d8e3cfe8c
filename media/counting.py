"""What is in a stretch of fragments, counted: the frames of each track, when they begin and end, where it pauses.

The same count is made of what was captured, before it leaves for the store, and of what the store gives back; a
recording is whole where both say the same. All times are decode times in the track's own ticks.
"""

from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from typing import Any

from media.boxes import Bytes
from media.fragments import read_fragments
from media.movie import parse_movie

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


def count(init: Bytes, media: Iterable[Bytes]) -> list[TrackCount]:
    """The tracks found in `media`, pieces that follow each other, in the order of the init. Raises MalformedMedia."""
    movie = parse_movie(init)
    by_id = {found.track_id: found.track for found in movie.tracks}
    counts: dict[int, TrackCount] = {}
    for piece in media:
        for fragment in read_fragments(piece, movie):
            for run in fragment.runs:
                if not run.samples:
                    continue
                start, track = run.base_decode_time, by_id[run.track_id]
                found = counts.get(run.track_id)
                if found is None:
                    found = counts[run.track_id] = TrackCount(track.kind, track.timescale, start, start)
                if start != found.end:
                    found.pauses.append(Pause(found.end, start - found.end))
                found.end = start + sum(sample.duration for sample in run.samples)
                found.frames += len(run.samples)
                found.keyframes += sum(1 for sample in run.samples if sample.keyframe)
    return [counts[track_id] for track_id in by_id if track_id in counts]
