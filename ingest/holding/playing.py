"""Plays the holding picture into a session's live window: from the moment of a cut until the class is let out again.

Rules of this file: its numbers (msn) are the playlists' like any other and are never given again, and its time goes on
on the session's line at the class's own pace, so that players follow it in and out behind a discontinuity each, without
a pause. It is never offered to the recording.
"""

from collections import deque

from ingest.events import CLOCK, Part, SegmentClosed
from ingest.hls.window import LiveWindow
from ingest.holding.loop import SERIAL, HoldingLoop, HoldingPicture


class Holding:
    """One session's. `now` is the loop's monotonic clock in seconds, everywhere the same."""

    def __init__(self, window: LiveWindow, picture: HoldingPicture) -> None:
        self._window = window
        self._picture = picture
        self._loop: HoldingLoop | None = None
        self._parts: deque[Part] = deque()
        self._in_segment = False
        self._is_first = False
        self.start = 0
        """Of the segment whose parts are next, ticks of the line."""
        self._zero = 0.0  # where the line would be at the clock's zero

    @property
    def is_on(self) -> bool:
        return self._loop is not None

    def begin(self, reached: int, now: float) -> None:
        """From the next look on, until `end`: `reached` is how far the class has got of which the audience sees no more
        (ticks of the line).
        """
        window = self._window
        window.hints = True
        if self.is_on:
            return
        self._loop = self._picture.loop(window.newest_init)
        last = window.segments[-1] if window.segments else None
        self.start = last.end if last else 0
        if last is None or not last.holding:
            # Where the class had been silent for long, what comes now is of now.
            self.start = max(self.start, reached - self._loop.parts(0)[0].duration)
        self._zero = max(reached, self.start) - now * CLOCK
        self._is_first = True

    def go_on(self, now: float) -> bool:
        """Shows the parts that are due: the first at once, lest a player that is close has nothing left; each other
        when it has been over for its length, so that a class that goes on begins behind what was shown. Whether there
        was one.
        """
        shown = False
        while self._loop is not None:
            self._parts = self._parts or deque(self._loop.parts(self.start))
            part = self._parts[0]
            if not self._is_first and part.start + 2 * part.duration > self._zero + now * CLOCK:
                break
            self._is_first = False
            if not self._in_segment:
                self._window.open_holding(self.start, self._loop.init, self._loop)
                self._in_segment = True
            self._window.apply(part)
            self._parts.popleft()
            shown = True
            if not self._parts:
                self._close()
                self.start += self._loop.duration
        return shown

    def end(self) -> None:
        """The class goes on, or is over."""
        if self._in_segment:
            self._close()
        self._parts.clear()
        self._loop = None

    def _close(self) -> None:
        self._window.apply(SegmentClosed(SERIAL, self._window.segments[-1].duration))
        self._in_segment = False
