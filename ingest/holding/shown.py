"""What the holding picture showed before a restart or a move: its segments again, from little more than their count."""

from collections.abc import Mapping

from ingest.events import HeldRun, Init
from ingest.hls.window import WindowSegment
from ingest.holding.loop import SERIAL, HoldingPicture


class HeldSegments:
    """Of one session: `runs` by their first number, `init` the class's newest; `goes_on` says whether the last run has
    not ended.
    """

    def __init__(
        self, picture: HoldingPicture, init: Init | None, runs: Mapping[int, HeldRun], *, goes_on: bool
    ) -> None:
        self.loop = picture.loop(init)
        self._made = {msn: segment for first, run in runs.items() for msn, segment in self._of(first, run).items()}
        if goes_on:  # what was told of it may have been told in the middle of a segment
            self._made[max(self._made)].duration = self.loop.duration

    def find(self, msn: int, before: WindowSegment | None) -> WindowSegment | None:
        """The segment of a number that is not the class's: of a run, or of one that went on further than was told."""
        if msn in self._made or before is None or not before.holding:
            return self._made.get(msn)
        return self._segment(msn, before.end, self.loop.duration)

    def first_beyond(self, until: int) -> int:
        """The first number that cannot have been given, when the last run went on up to `until`, ticks of the line."""
        last = self._made[max(self._made)]
        # What was told may be a moment old, and the class's clock a little before ours.
        return last.msn + 2 + max(0, until - last.end) // self.loop.duration

    def _of(self, first: int, run: HeldRun) -> dict[int, WindowSegment]:
        count, each = run.segments, self.loop.duration
        if not (count - 1) * each < run.duration <= count * each + count:
            each = run.duration // count  # another clip was set meanwhile
        lengths = [each] * (count - 1) + [run.duration - (count - 1) * each]
        return {first + n: self._segment(first + n, run.start + n * each, lengths[n]) for n in range(count)}

    def _segment(self, msn: int, start: int, duration: int) -> WindowSegment:
        init = self.loop.init
        return WindowSegment(
            msn,
            SERIAL,
            init.number,
            start,
            discontinuity=False,
            has_audio=init.audio is not None,
            duration=duration,
            source=self.loop,
            holding=True,
        )
