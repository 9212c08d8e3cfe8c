"""Which renditions a recording gets: the rungs of a stored ladder plan, never above the source.

A plan is data (`ladder_plan.renditions`) and its id is part of every result's key, so that a changed plan makes new
results beside the old ones and never mixes with them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

# The plan that a new installation gets. Caps follow Apple's HLS authoring specification for H.264 at 30 frames a
# second, lowered by a third for lectures: slides and a speaker move little.
DEFAULT_PLAN_SLUG = "h264-1"
DEFAULT_RENDITIONS: tuple[dict[str, Any], ...] = (
    {"name": "1080p", "height": 1080, "max_kbps": 4000, "crf": 23},
    {"name": "720p", "height": 720, "max_kbps": 2200, "crf": 23},
    {"name": "480p", "height": 480, "max_kbps": 1000, "crf": 23},
)
LONGEST_SIDE = 4096


@dataclass(frozen=True)
class Rung:
    """One rendition to make: `max_kbps` caps any two seconds, `crf` is x264's constant quality under that cap."""

    name: str
    width: int
    height: int
    max_kbps: int
    crf: int


def rungs(renditions: Sequence[Mapping[str, Any]], source_width: int, source_height: int) -> list[Rung]:
    """The plan's renditions for a source of this size, highest first.

    None is higher than the source; a source below the lowest rung gets that one rung at its own size. ValueError when
    the source has no size or the plan no rendition.
    """
    if not renditions or not (0 < source_width <= LONGEST_SIDE and 0 < source_height <= LONGEST_SIDE):
        raise ValueError(f"no ladder for a picture of {source_width} x {source_height}")
    by_height = sorted(renditions, key=lambda one: int(one["height"]), reverse=True)
    chosen = [one for one in by_height if int(one["height"]) <= source_height] or by_height[-1:]
    return [_rung(one, source_width, source_height) for one in chosen]


def _rung(rendition: Mapping[str, Any], source_width: int, source_height: int) -> Rung:
    height = _even(min(int(rendition["height"]), source_height))
    width = _even(round(source_width * height / source_height))
    return Rung(str(rendition["name"]), width, height, int(rendition["max_kbps"]), int(rendition["crf"]))


def _even(pixels: int) -> int:
    """4:2:0 needs even sides."""
    return max(2, pixels - pixels % 2)
