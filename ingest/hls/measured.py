"""What a rendition's segments come to, for the multivariant playlist (RFC 8216bis 4.4.6.2): bits, pictures a second."""

from dataclasses import dataclass

from ingest.events import CLOCK
from media.counting import frame_rate

SHORTEST = CLOCK
"""Segments up to this say little of a rate: the last one before a cut may be one large key frame."""


@dataclass(slots=True)
class Measured:
    """Of all segments so far. No neighbours together have more bits a second than the one of them that has most."""

    peak: int = 0
    frame_rate: float | None = None
    """The highest of any segment."""
    _bits: int = 0
    _ticks: int = 0

    def add(self, length: int, duration: int, pictures: int = 0) -> None:
        """One more segment: its bytes, its ticks of CLOCK, its pictures."""
        if duration <= SHORTEST or not length:
            return
        self.peak = max(self.peak, -(-length * 8 * CLOCK // duration))
        self._bits, self._ticks = self._bits + length * 8, self._ticks + duration
        if pictures:
            self.frame_rate = max(self.frame_rate or 0.0, frame_rate(pictures, duration / CLOCK))

    @property
    def average(self) -> int | None:
        """Bits a second; None before there is a segment."""
        return self._bits * CLOCK // self._ticks if self._ticks else None
