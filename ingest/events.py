"""What the packager says, in order: an init, a segment opened, its parts, the segment closed.

Times are ticks of `CLOCK` on the session's time line. A serial numbers every segment of a session's main line, kept
from the audience or not; the number in a playlist (msn) is given later, by the window, to those that are released.
"""

from dataclasses import dataclass
from typing import NamedTuple

from media.counting import RunCount
from media.packet import Track

CLOCK = 90_000
"""Ticks a second of every time outside a track: of segments, parts and takes."""
FIRST_HOLDING_INIT = 900_000_000
"""Inits numbered from here on are the holding picture's; a class never comes to so many."""


@dataclass(frozen=True, slots=True)
class Init:
    """The init segment of what follows: muxed, and of the audio alone (None when there is none)."""

    number: int
    tracks: tuple[Track, ...]
    muxed: bytes
    audio: bytes | None

    @property
    def has_video(self) -> bool:
        """Pictures come first: they are track 1."""
        return self.tracks[0].kind == "video"


@dataclass(frozen=True, slots=True)
class SegmentOpened:
    serial: int
    init_number: int
    start: int
    discontinuity: bool
    """Whether decoders and clocks must start anew here: another take, another init, or a hole in the media."""


@dataclass(frozen=True, slots=True)
class Part:
    """One CMAF chunk, joined once: the very bytes that are spooled and sent to every viewer."""

    serial: int
    index: int
    start: int
    duration: int
    independent: bool
    """Whether a player can start here: it begins with a key frame, or there is no video."""
    muxed: bytes
    audio: bytes | None
    counted: tuple[RunCount, ...] = ()
    """What is in it, track by track."""


@dataclass(frozen=True, slots=True)
class SpooledPart(Part):
    """A part whose bytes lie in the spool alone; their number alone is known. Its audio is empty, or None where it
    has none.
    """

    length: int = 0
    audio_length: int = 0


@dataclass(frozen=True, slots=True)
class SegmentClosed:
    serial: int
    duration: int


Event = Init | SegmentOpened | Part | SegmentClosed


class HeldRun(NamedTuple):
    """Numbers of the playlists (msn) that the holding picture had: so many of them, and its time on the line."""

    segments: int
    start: int
    duration: int
