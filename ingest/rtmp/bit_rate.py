"""How much an encoder sends: a soft limit that it is told of, and a hard one that ends its publish.

Rule: two leaky buckets, each as deep as its limit times how long it may be exceeded. A burst (a key frame, the queue of
an encoder whose line was away) fits; what goes on does not. Times are seconds of any one monotonic clock.
"""

from enum import Enum

from ingest.rtmp.events import Warned
from ingest.rtmp.limits import BitRateLimits

BIT_RATE_HIGH = "bit_rate_high"
_MEGA = 1_000_000


class Judgement(Enum):
    FINE = 0
    HIGH = 1
    """The soft limit has been exceeded for its time: told once until it was kept to again."""
    TOO_HIGH = 2


class BitRate:
    """Of one publish; without a limit all is fine."""

    def __init__(self, limits: BitRateLimits, now: float) -> None:
        self._soft = limits.soft_megabits * _MEGA / 8  # bytes a second, and all below in bytes
        self._hard = self._soft * limits.hard_factor
        self._soft_depth = self._soft * limits.warn_seconds
        self._hard_depth = self._hard * limits.burst_seconds
        self._soft_level = self._hard_level = 0.0
        self._at = now
        self._said = False
        self._limits = limits

    def count(self, size: int, now: float) -> Judgement:
        """Judges `size` more bytes."""
        if not self._soft:
            return Judgement.FINE
        passed, self._at = now - self._at, now
        self._hard_level = max(0.0, self._hard_level - passed * self._hard) + size
        if self._hard_level > self._hard_depth:
            return Judgement.TOO_HIGH
        kept_to = self._soft_level <= passed * self._soft
        self._soft_level = max(0.0, self._soft_level - passed * self._soft) + size
        if kept_to:
            self._said = False
        elif not self._said and self._soft_level > self._soft_depth:
            self._said = True
            return Judgement.HIGH
        return Judgement.FINE

    def warning(self) -> Warned:
        """What the encoder is told when it is high."""
        limits = self._limits
        description = (
            f"This is more than {limits.soft_megabits:g} Mbit/s: lower the bit rate. Above "
            f"{limits.soft_megabits * limits.hard_factor:g} Mbit/s the publish is ended."
        )
        return Warned(BIT_RATE_HIGH, description, {"limit_kbps": round(1000 * limits.soft_megabits)})

    def complaint(self) -> str:
        """Why it is ended when it is too high."""
        limits = self._limits
        return f"more than {limits.soft_megabits * limits.hard_factor:g} Mbit/s"
