"""Stamps that stand still, or crawl: a track whose stamps do not move as frames can goes on by when its frames come.
Pure.

Each repeated stamp would otherwise be the smallest step forward, and a second of media would take ninety thousand
frames: nothing would be shown, and everything held. Judged by the stamps alone, since frames that only come slowly are
honest. Sound goes on by its frames' lengths.
"""

from ingest.events import CLOCK

LOOK_FRAMES = 16
"""So many frames are looked at together: one stamp that is repeated is no more than that."""
MOST_FRAMES = 500
"""A second's, of any track that is honest: Opus has 400 at most, cameras 240."""
STEP = CLOCK // 30
"""A picture's length where nobody can tell."""
LEAST_STEP, LONGEST_STEP = CLOCK // 120, CLOCK // 5
MOST_LATE = 3 * CLOCK
"""Further behind what has come in, the line follows at once: nothing is on its way that would make it up."""


class Crawl:
    """One track's; times are the track's ticks, `heard_at` seconds of a monotonic clock, None where it is not known."""

    __slots__ = ("_at", "_least", "_most_late", "_place", "_raw", "scale", "step")

    def __init__(self, scale: int, *, is_sound: bool) -> None:
        self.scale = scale
        self.step = 0 if is_sound else STEP * scale // CLOCK
        """How long a picture lasts while stamps do not say."""
        self._least = LOOK_FRAMES * scale // MOST_FRAMES
        self._most_late = 0
        self._raw: int | None = None
        self._place = 0  # on the line, of what came `_at`
        self._at: float | None = None

    def look(self, raw: int, place: int, heard_at: float | None, *, crawls: bool) -> bool:
        """After every LOOK_FRAMES frames, with the last one's stamp and its place: whether stamps crawl. `crawls` is
        what was said before.
        """
        last, self._raw = self._raw, raw
        if last is not None and (raw - last if crawls else place - self._place) < self._least:
            if not crawls:
                self._begin(heard_at)
            return True
        self._place, self._at = place, heard_at
        return False

    def place(self, expected: int, heard_at: float | None) -> int:
        """Where the next frame goes that is `expected` there: near what has come in by now, and later than the last."""
        if heard_at is None or self._at is None:
            return expected
        late = self._place + int((heard_at - self._at) * self.scale) - expected
        if late > self._most_late:
            self._most_late = MOST_LATE * self.scale // CLOCK
            return expected + late
        most = self.step // 2
        return expected + max(-most, min(late // 8, most))

    def _begin(self, heard_at: float | None) -> None:
        self._most_late = 0
        if self.step and heard_at is not None and self._at is not None:
            step = int((heard_at - self._at) * self.scale) // LOOK_FRAMES
            self.step = max(LEAST_STEP * self.scale // CLOCK, min(step, LONGEST_STEP * self.scale // CLOCK))
