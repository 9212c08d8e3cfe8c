"""When a part and a segment end. The one place for these rules; pure arithmetic in ticks of `CLOCK`.

RFC 8216bis 4.4.4.9: a part is no longer than PART-TARGET and, unless it is independent or its segment's last, at least
85 % of it; so a key frame within a segment ends no part, for where it comes is not known before. 4.4.3.1: no segment
rounds to more than the target duration, which may never change.

Media of which a part's time weighs more than any honest part ends its segment at once: what is held must be bounded
whatever its stamps say.
"""

import math
from dataclasses import dataclass
from enum import Enum

from ingest.events import CLOCK

PART_WEIGHT = 8 << 20
"""Bytes of a part in the making. Encoders are ended at twice `encoder_megabits`: 3.4 MB in half a second, with its
frames' weight 6.
"""
FRAME_WEIGHT = 8 << 10
"""What a frame weighs beside its bytes."""


class Cut(Enum):
    NONE = 0
    PART = 1
    SEGMENT = 2


@dataclass(frozen=True, slots=True)
class CutRule:
    """Lengths in ticks. Made by `cut_rule`."""

    part: int
    """Parts end at the first frame from each multiple of this in their segment on, so that they stay in step with key
    frames every second or so, and a segment of two seconds has four of them…"""
    part_limit: int
    """…and before a frame that would end after this…"""
    part_min: int
    """…but are at least this long, unless the segment ends."""
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

        `step` is how long the frame is expected to last.
        """
        if keyframe and segment + step // 2 >= self.segment_min:
            return Cut.SEGMENT
        if segment + step // 2 >= self.segment_max or segment + step >= self.segment_limit:
            return Cut.SEGMENT
        if part < self.part_min:
            return Cut.NONE
        # A frame that comes just before its multiple, for its stamp was rounded or it had its own clock, is on it.
        following = (segment - part + self.part // 2) // self.part + 1
        on_it = segment + min(step, self.part) // 4 >= following * self.part
        return Cut.PART if on_it or part + step > self.part_limit else Cut.NONE


def cut_rule(part_seconds: float, segment_min_seconds: float, segment_max_seconds: int) -> CutRule:
    """The rule for parts of about `part_seconds`.

    A part may end 10 % late (25 frames a second: 0.52 and 0.48 s in turn; 15 a second: 0.53 s), and by as much early as
    85 % of that allow, so every usual frame rate finds a frame's edge within what PART-TARGET allows.
    """
    return CutRule(
        part=round(part_seconds * CLOCK),
        part_limit=round(part_seconds * CLOCK * 1.1),
        part_min=math.ceil(part_seconds * CLOCK * 1.1 * 0.85),
        segment_min=round(segment_min_seconds * CLOCK),
        segment_max=segment_max_seconds * CLOCK,
        segment_limit=segment_max_seconds * CLOCK + CLOCK * 49 // 100,
        hole=CLOCK * 3 // 2,
    )
