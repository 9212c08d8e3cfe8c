"""The holding picture's media: a short clip that is played over and over while a session is cut.

Nothing is encoded here. The clip's pictures are given the times of the session's line, silence is laid beside them, and
the house's own rules make parts of both. A segment's bytes follow from its start alone: it is made again for whoever
seeks back to it, on whatever node, and is kept nowhere.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from heapq import merge
from pathlib import Path
from zlib import crc32

from ingest.cuts import CutRule, cut_rule
from ingest.events import CLOCK, FIRST_HOLDING_INIT, Event, Init, Part, SegmentClosed
from ingest.holding import silence
from ingest.settings import IngestSettings
from ingest.stretch import Stretch
from media.fragments import init_segment, packets
from media.malformed import MalformedMedia
from media.movie import parse_movie
from media.packet import Packet, Track, video_track

OURS = Path(__file__).parent / "picture.mp4"
SERIAL = -1
"""Of every holding segment: serials number the main line, and these are not on it."""
SHORTEST = CLOCK // 2
_ROUNDED = CLOCK // 100  # rows tell milliseconds
_SOUND_ALONE = 10 * CLOCK  # more than any segment
_FRAGMENT_NUMBERS = CLOCK // 10  # a part is longer, so that numbers rise within a run


class HoldingFault(Exception):  # noqa: N818 - a fault of what it was given, as its name says
    """The clip cannot be used; the text says why."""


@dataclass(frozen=True, slots=True)
class HoldingLoop:
    """The picture, the silence or both, as the class has them. `duration` of one round, ticks of CLOCK."""

    init: Init
    duration: int
    rule: CutRule
    pictures: tuple[Packet, ...]

    def parts(self, start: int) -> list[Part]:
        """The segment that begins at `start` on the session's line."""
        made = _made(self.rule, self.init, _laid(self.init.tracks, self.pictures, start, self.duration))
        return [event for event in made if isinstance(event, Part)]

    def media(self, start: int, duration: int) -> bytes:
        """The muxed bytes of a segment that was ended after `duration`, at the end of a part."""
        out, left = b"", duration
        for part in self.parts(start):
            left -= part.duration
            if left > -_ROUNDED:
                out += part.muxed
        return out


class HoldingPicture:
    """What a clip gives: its video from the beginning, up to the length of a segment. Raises HoldingFault."""

    def __init__(self, clip: bytes, rule: CutRule) -> None:
        self._rule = rule
        self._pictures = _pictures(clip)
        self._loops: dict[tuple[Track, ...], HoldingLoop] = {}
        self.usual = self._loop((self._pictures[0].track, silence.USUAL))
        if self.usual.duration < SHORTEST:
            raise HoldingFault(f"the clip lasts {self.usual.duration / CLOCK:.2f} s: less than half a second")

    def loop(self, init: Init | None) -> HoldingLoop:
        """For a class that has this init: a player that began without sound, say, can be given none later. None: for
        one that has shown nothing yet.
        """
        if init is None:
            return self.usual
        picture = self._pictures[0].track
        tracks = tuple(picture if one.kind == "video" else silence.like(one) for one in init.tracks)
        if tracks not in self._loops:
            self._loops[tracks] = self._loop(tracks)
        return self._loops[tracks]

    def _loop(self, tracks: tuple[Track, ...]) -> HoldingLoop:
        pictures = self._pictures if self._pictures[0].track in tracks else ()
        sound = [track for track in tracks if track.kind == "audio"]
        muxed = init_segment(tracks)
        # Numbered by what it holds: where another clip is set, players do not take it for the one they have.
        number = FIRST_HOLDING_INIT + crc32(muxed) % 100_000_000
        init = Init(number, tracks, muxed, init_segment(sound) if sound else None)
        made = _made(self._rule, init, _laid(tracks, pictures, 0, 0 if pictures else _SOUND_ALONE))
        duration = next(event.duration for event in made if isinstance(event, SegmentClosed))
        kept = tuple(one for one in pictures if one.dts < duration)
        return HoldingLoop(init, duration, self._rule, kept)


def of(settings: IngestSettings) -> HoldingPicture:
    """The holding picture of an ingest process. Raises HoldingFault."""
    rule = cut_rule(settings.part_seconds, settings.segment_min_seconds, settings.segment_max_seconds)
    return _read(settings.holding_clip or OURS, rule)


@lru_cache(maxsize=4)
def _read(path: Path, rule: CutRule) -> HoldingPicture:
    try:
        return HoldingPicture(path.read_bytes(), rule)
    except OSError as error:
        raise HoldingFault(f"the clip cannot be read: {error}") from error
    except HoldingFault as fault:
        raise HoldingFault(f"{path}: {fault}") from fault


def _pictures(clip: bytes) -> tuple[Packet, ...]:
    """The clip's video in ticks of CLOCK, from 0 on."""
    try:
        videos = [one for one in parse_movie(clip).tracks if one.track.codec == "h264"]
        found = [one for one in packets(clip, clip) if videos and one.track == videos[0].track]
        if not found or not found[0].keyframe:
            raise HoldingFault("it must hold H.264 that begins with a key frame, in fragments (fMP4)")
        track = video_track("h264", found[0].track.config)
    except MalformedMedia as error:
        raise HoldingFault(f"it cannot be read: {error}") from error
    scale, first = videos[0].track.timescale, found[0].dts

    def placed(packet: Packet) -> Packet:
        dts, pts = packet.dts - first, packet.pts - first - videos[0].edit_start
        return Packet(track, dts * CLOCK // scale, pts * CLOCK // scale, packet.keyframe, bytes(packet.data))

    return tuple(map(placed, found))


def _laid(tracks: tuple[Track, ...], pictures: tuple[Packet, ...], start: int, duration: int) -> Iterator[Packet]:
    """Pictures and silence of one round, by their decode times."""
    shown = (Packet(one.track, one.dts + start, one.pts + start, one.keyframe, one.data) for one in pictures)
    sounds = [silence.laid(track, start, start + duration) for track in tracks if track.kind == "audio"]
    return merge(shown, *sounds, key=lambda packet: packet.dts / packet.track.timescale)


def _made(rule: CutRule, init: Init, laid: Iterator[Packet]) -> list[Event]:
    out: list[Event] = []
    stretch: Stretch | None = None
    for packet in laid:
        if stretch is None:
            number = packet.dts * CLOCK // packet.track.timescale // _FRAGMENT_NUMBERS
            stretch = Stretch(rule, init, SERIAL, number, discontinuity=False)
        stretch.packet(packet, out)
    if stretch is not None:
        stretch.close(out)
    return out
