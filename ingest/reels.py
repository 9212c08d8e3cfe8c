"""When a reel closes. Pure: finished segments go in, plans for the uploader come out.

A reel is of one take and one init and has no hole in it: so another take, another init or a discontinuity closes it,
and otherwise about a minute of media, or so many bytes that one upload of it is soon begun anew. A reel is decoded by
itself, so it begins with a key frame wherever one comes in time.
"""

from collections.abc import Callable
from dataclasses import dataclass

import msgspec

from ingest.events import CLOCK
from ingest.reel_plan import PlannedSegment, ReelPlan
from ingest.spool import TakeSpool

REEL_BYTES = 256 << 20
"""A reel closes at the first segment's end after so much, 35 Mbit/s for a minute. It is one PUT, which S3 allows 5 GiB:
no segment is near that.
"""
KEY_FRAME_TICKS = 26 * CLOCK
"""So much longer a reel may be, for the next to begin with a key frame: 20 s from one to the next, and a segment."""


@dataclass(frozen=True, slots=True)
class ReelJob:
    """A reel to be stored, and the spool that has its bytes until then."""

    plan: ReelPlan
    spool: TakeSpool


class ReelBuilder:
    """Gathers one session's public segments, or its evidence. `next_number` numbers reels within the recording."""

    def __init__(self, reel_ticks: int, *, evidence: bool, next_number: Callable[[], int]) -> None:
        self._reel_ticks = reel_ticks
        self._evidence = evidence
        self._next_number = next_number
        self._segments: list[PlannedSegment] = []
        self._bytes = 0
        self._spool: TakeSpool | None = None
        self._init_number = 0
        self._end: int | None = None

    def add(self, spool: TakeSpool, init_number: int, segment: PlannedSegment) -> list[ReelJob]:
        """Takes a finished segment in. The reels that it closes: mostly none."""
        closed: list[ReelJob] = []
        if self._end is not None and segment.start != self._end:
            segment = msgspec.structs.replace(segment, discontinuity=True)  # what was between was not recorded
        self._end = segment.start + segment.duration
        seam = spool is not self._spool or init_number != self._init_number or segment.discontinuity
        if seam or (segment.independent and self._ticks >= self._reel_ticks):
            closed = self.flush()
        self._spool, self._init_number = spool, init_number
        self._segments.append(segment)
        self._bytes += segment.source.length
        if self._ticks >= self._most_ticks or self._bytes >= REEL_BYTES:
            closed += self.flush()
        return closed

    @property
    def _ticks(self) -> int:
        return sum(one.duration for one in self._segments)

    @property
    def _most_ticks(self) -> int:
        """Where a segment was cut without a key frame the next may be too, and only that one tells."""
        every_key = all(one.independent for one in self._segments)
        return self._reel_ticks if every_key else self._reel_ticks + KEY_FRAME_TICKS

    def flush(self) -> list[ReelJob]:
        """Closes what is open, however short: at the end of a take."""
        if not self._segments or self._spool is None:
            return []
        about = self._spool.about
        plan = ReelPlan(
            self._next_number(), about.recording_id, about.take_id, self._init_number, self._evidence, self._segments
        )
        self._segments, self._bytes = [], 0
        return [ReelJob(plan, self._spool)]
