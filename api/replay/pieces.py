"""What a replay's addresses name: `init-{reel}.mp4` and `{reel}-{segment}.m4s` of a rendition, and where they lie."""

import re
from typing import NamedTuple

from api.by_nginx import Stretch
from api.replay.index import ReplayIndex

MEDIA_TYPE = "video/mp4"
_INIT = re.compile(r"init-(\d{1,7})\.mp4")
_SEGMENT = re.compile(r"(\d{1,7})-(\d{1,5})\.m4s")


class Piece(NamedTuple):
    """An object, or that stretch of one."""

    key: str
    stretch: Stretch | None
    init_key: str
    """Of the init segment that it needs; itself, where it is one."""


def find(index: ReplayIndex, rendition: str, name: str) -> Piece | None:
    """The piece of that name; None where there is none."""
    if found := _INIT.fullmatch(name):
        reel = index.reel(rendition, int(found[1]))
        return Piece(reel.init_key, None, reel.init_key) if reel is not None else None
    if found := _SEGMENT.fullmatch(name):
        reel, number = index.reel(rendition, int(found[1])), int(found[2])
        if reel is not None and number < len(reel.segments):
            at = reel.segments[number]
            return Piece(reel.object_key, (at["offset"], at["offset"] + at["bytes"] - 1), reel.init_key)
    return None
