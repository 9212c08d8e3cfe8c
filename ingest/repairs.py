"""What was done to a take's times, so that its report can say it: every repair is counted, the first ones are listed.

All times are ticks of CLOCK; `at` is on the session's line, which is where the recording can be looked into.
"""

from collections import Counter
from dataclasses import dataclass, field
from enum import StrEnum

LISTED = 200
"""How many repairs are listed one by one: an encoder that is wrong all the time says no more by its ten thousandth."""


class RepairKind(StrEnum):
    step_back = "step_back"
    """A frame that came at or before the one before it follows it at once."""
    jump = "jump"
    """The encoder's clock was set: the line goes on where it was."""
    audio_move = "audio_move"
    """Sound that is not where its frames' lengths put it is followed to where its stamps say."""
    offset = "offset"
    """A picture that would be shown absurdly far from its decoding is shown at once."""
    crawl = "crawl"
    """Stamps that stood still, or hardly moved: the track went on by when its frames came."""
    drift = "drift"
    """A clock that is a little wrong: the sound kept to its frames' lengths, or the pictures moved along with it."""
    apart = "apart"
    """Tracks that came together but were stamped further and further apart are brought together."""


@dataclass(frozen=True, slots=True)
class Repair:
    """`ticks` is how far the time was moved from what the encoder said."""

    kind: RepairKind
    track: str
    at: int
    ticks: int


@dataclass(slots=True)
class Repairs:
    counts: Counter[RepairKind] = field(default_factory=Counter)
    listed: list[Repair] = field(default_factory=list)

    @property
    def total(self) -> int:
        return self.counts.total()

    def add(self, kind: RepairKind, track: str, at: int, ticks: int) -> None:
        self.counts[kind] += 1
        if len(self.listed) < LISTED:
            self.listed.append(Repair(kind, track, at, ticks))
