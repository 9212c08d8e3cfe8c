"""When a part and a segment end. The one place for these rules; pure arithmetic in ticks of `CLOCK`.

RFC 8216bis 4.4.4.9: a part is no longer than PART-TARGET and, unless it is its segment's last or is followed by an
independent one, at least 85 % of it. 4.4.3.1: no segment rounds to more than the target duration, which may never
change.
"""

from dataclasses import dataclass
from enum import Enum

from ingest.events import CLOCK


class Cut(Enum):
    NONE = 0
    PART = 1
    SEGMENT = 2


@dataclass(frozen=True, slots=True)
class CutRule:
    """Lengths in ticks. Made by `cut_rule`."""

    part: int
    """A part ends at the first frame from here on…"""
    part_limit: int
    """…and before a frame that would end after this."""
    segment_min: int
    segment_max: int
    segment_limit: int
    """The longest segment that still rounds to the target duration."""
    hole: int
    """Media that jumps further than this is a hole, said by a discontinuity instead of one very long frame."""

    @property
    def part_target_seconds(self) -> float:
        return self.part_limit / CLOCK

    def at(self, *, part: int, segment: int, step: int, keyframe: bool) -> Cut:
        """What ends before a frame that comes `part` ticks into its part and `segment` ticks into its segment.

        `step` is how long the frame is expected to last. A part never spans a key frame.
        """
        if keyframe and segment + step // 2 >= self.segment_min:
            return Cut.SEGMENT
        if segment + step // 2 >= self.segment_max or segment + step >= self.segment_limit:
            return Cut.SEGMENT
        if part > 0 and (keyframe or part >= self.part or part + step > self.part_limit):
            return Cut.PART
        return Cut.NONE


def cut_rule(part_seconds: float, segment_min_seconds: float, segment_max_seconds: int) -> CutRule:
    """The rule for parts of about `part_seconds`.

    A part may end 5 % early (25 frames a second: 0.48 s) and 10 % late (15 a second: 0.53 s), so every usual frame rate
    finds a frame's edge within what PART-TARGET allows.
    """
    return CutRule(
        part=round(part_seconds * CLOCK * 0.95),
        part_limit=round(part_seconds * CLOCK * 1.1),
        segment_min=round(segment_min_seconds * CLOCK),
        segment_max=segment_max_seconds * CLOCK,
        segment_limit=segment_max_seconds * CLOCK + CLOCK * 49 // 100,
        hole=CLOCK * 3 // 2,
    )
