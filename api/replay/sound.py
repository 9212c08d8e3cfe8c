"""A replay's sound alone, as the live edge has it too: taken out of the source's segments when it is asked for.

Nothing more is stored for it. It is offered where every reel has pictures and sound.
"""

import asyncio

from api.replay import pieces
from api.replay.index import SOURCE, ReplayIndex
from api.replay.viewing import Viewing
from media.sound import sound_init, sound_of

NAME = "audio"
MEDIA_TYPE = "audio/mp4"
PEAK_BITS = 320_000
"""Bits a second that it is said to need: more than encoders of lectures give to sound, and no one has measured it."""


def offered(index: ReplayIndex) -> bool:
    """Whether the recording has this rendition."""
    files = index.renditions[SOURCE]
    return bool(files) and all(reel.has_sound_beside for reel in files)


async def read(viewing: Viewing, index: ReplayIndex, name: str) -> bytes | None:
    """The init segment or segment of that name; None where there is none. Raises ObjectStoreFault."""
    piece = pieces.find(index, SOURCE, name) if offered(index) else None
    return None if piece is None else await asyncio.to_thread(_made, viewing, piece)


def _made(viewing: Viewing, piece: pieces.Piece) -> bytes:
    tracks = viewing.tracks_of(piece.init_key)
    if piece.stretch is None:
        return sound_init(tracks)
    return sound_of(tracks, viewing.resources.objects.read(piece.key, *piece.stretch))
