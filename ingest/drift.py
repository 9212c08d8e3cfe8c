"""Whether a take's pictures and sound are stamped by one clock, found by when they come, and what is owed where not.
Pure.

What comes together was taken together, give or take what an encoder's work on it takes. Where the stamps of one fall
behind, though both keep coming together, their clocks differ. Rules:
1. What grows slowly is a clock. What changes at once is a delay, an encoder that works longer on its pictures say, and
   its stamps are right: it is left alone.
2. The pictures follow the sound: nobody sees that one is held a hundredth longer, and sound cannot be held. Players
   count sound by its samples, whatever its times say.
3. A delay that crept up like a clock's drift, and is gone at once, was one: what was done for it is undone.
An encoder that orders what it sends by its stamps hides from this; it says itself then what belongs together.
"""

from collections import deque
from statistics import median

from ingest.events import CLOCK

WINDOW_SECONDS = 1.0
LEAST_FRAMES = 4
"""Of each track in a window: the earliest of so many was not kept waiting by chance. A slower picture's is longer."""
WARM_WINDOWS = 3
"""The first is of a few frames, and an encoder's first seconds are a burst."""
FIRST_WINDOWS, USUAL_WINDOWS = 3, 5
SUDDEN = CLOCK * 8 // 100
"""Above this, from one window to what was usual, it is a delay: a clock that is 1 % wrong makes 0.03 s of it."""
PATIENCE_WINDOWS = 10
"""A delay that lasts so long is the new usual one."""
STILL = CLOCK * 4 // 100
START, STOP = CLOCK * 6 // 100, CLOCK // 100
"""Up to 0.06 s apart nobody notices, and nothing is done; then it is brought down to a hundredth."""
SLEW = 0.02
"""By how much of its length a picture's time is changed at most: twice what the worst clock needs."""
LONGEST_STEP = CLOCK // 5
TREND_WINDOWS = 120
LEAST_TREND = 30
NEVER = float("inf")


class Drift:
    """Fed with how long after its time on the line each packet came, in seconds; only differences of them count."""

    __slots__ = (
        "_correcting",
        "_ends",
        "_honest",
        "_odd",
        "_owed",
        "_picture",
        "_pictures",
        "_seen",
        "_sound",
        "_sounds",
        "_trend",
        "_warm",
        "moved",
    )

    def __init__(self) -> None:
        self.moved = 0
        """By how many ticks pictures are moved now."""
        self._owed = 0
        self._correcting = False
        self._ends = -NEVER
        self._warm = 0
        self._seen: deque[float] = deque(maxlen=USUAL_WINDOWS)
        """How much longer pictures took to come than sound did, by their stamps: the latest windows."""
        self._odd: list[float] = []
        self._honest: float | None = None
        """The same where both were stamped by one clock."""
        self._trend: deque[tuple[float, float]] = deque(maxlen=TREND_WINDOWS)
        self._sound = self._picture = NEVER
        self._sounds = self._pictures = 0

    @property
    def rate_ppm(self) -> int:
        """By how much the pictures' clock lately goes slower than the sound's, in millionths; 0 before it has to be
        corrected.
        """
        if len(self._trend) < LEAST_TREND or not (self.moved or self._correcting):
            return 0
        (began, first), (ended, last) = self._trend[0], self._trend[-1]
        return round((last - first) / CLOCK / (ended - began) * 1_000_000)

    def sound(self, transit: float) -> None:
        """A frame of sound came, `transit` seconds after its time on the line."""
        if transit < self._sound:
            self._sound = transit
        self._sounds += 1

    def picture(self, transit: float, now: float) -> bool:
        """The same of a picture that came at `now`, as it is moved. Whether more is owed."""
        transit += self.moved / CLOCK
        if transit < self._picture:
            self._picture = transit
        self._pictures += 1
        if now >= self._ends and self._pictures >= LEAST_FRAMES <= self._sounds:
            self._window(now)
        return self._owed != 0

    def pay(self, step: int) -> int:
        """By how many ticks this picture, `step` ticks after the last, is to be moved further than that."""
        most = int(SLEW * max(0, min(step, LONGEST_STEP)))
        move = max(-most, min(self._owed, most))
        self._owed -= move
        self.moved += move
        return move

    def _window(self, now: float) -> None:
        self._ends = now + WINDOW_SECONDS
        skew = (self._picture - self._sound) * CLOCK
        self._sound = self._picture = NEVER
        self._sounds = self._pictures = 0
        if self._warm < WARM_WINDOWS:
            self._warm += 1
            return
        if self._honest is not None:
            usual = median(self._seen)
            if abs(skew - usual) > SUDDEN:
                self._odd.append(skew)
                if len(self._odd) == PATIENCE_WINDOWS:
                    self._delayed(usual)
                return
            self._odd.clear()
        self._seen.append(skew)
        usual = median(self._seen)
        if self._honest is None:
            self._honest = usual if len(self._seen) == FIRST_WINDOWS else None
            return
        self._trend.append((now, usual))
        apart = round(usual - self._honest) - self.moved
        self._correcting = abs(apart) > (STOP if self._correcting else START)
        self._owed = apart if self._correcting else 0

    def _delayed(self, usual: float) -> None:
        """What came so suddenly stays."""
        assert self._honest is not None
        level = median(self._odd)
        if not self.moved or abs(level - self._honest) > STILL:
            self._honest += level - usual
        self._seen.clear()
        self._seen.extend(self._odd[-USUAL_WINDOWS:])
        self._odd.clear()
        self._trend.clear()
