"""What of a take the disk did not take: it went out live, and is in no recording."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ingest.events import CLOCK, Part

MOST_STRETCHES = 1000
"""Listed of one take; beyond them the last one grows over what is between."""


@dataclass(slots=True)
class Unrecorded:
    """Frames by kind of track, and the stretches of the session's line that they were in, in ticks."""

    frames: Counter[str] = field(default_factory=Counter)
    stretches: list[tuple[int, int]] = field(default_factory=list)

    def add(self, part: Part, kinds: Mapping[int, str]) -> None:
        """A part that is not in the spool; `kinds` says what each track of its init is."""
        for run in part.counted:
            self.frames[kinds[run.track_id]] += run.frames
        start, end = part.start, part.start + part.duration
        if self.stretches and (self.stretches[-1][1] == start or len(self.stretches) == MOST_STRETCHES):
            start = self.stretches.pop()[0]
        self.stretches.append((start, end))

    def as_row(self) -> dict[str, Any]:
        """As a take's findings have it; milliseconds."""
        stretches = [
            {"at_ms": start * 1000 // CLOCK, "duration_ms": (end - start) * 1000 // CLOCK}
            for start, end in self.stretches
        ]
        return {"frames": dict(self.frames), "stretches": stretches}
