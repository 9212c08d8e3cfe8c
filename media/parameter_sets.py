"""The parameter sets of an H.264 or H.265 stream, or AV1's sequence header, gathered as they pass in it, and the track
they make. Pure.

Rule: they count from the next key frame on: only there may a track change. A set that was there already, byte for byte,
says nothing, so that encoders may repeat theirs with each key frame.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from media.codecs import av1, h264, h265, nal
from media.codecs.bits import Bits
from media.malformed import MalformedMedia
from media.packet import Track, video_track

MAX_SETS = 32
"""H.264 §7.4.2.1.1 allows 32 sequence parameter sets; more than 32 of 256 picture parameter sets no encoder uses."""
MAX_SET_BYTES = 1024
MAX_HEAD_BYTES = 4096
MAX_LEADING = 64
"""Units before a key frame's first slice: delimiter, parameter sets, and messages for players."""


def _sequence_id(unit: bytes) -> int:
    """seq_parameter_set_id (H.264 §7.3.2.1.1), after profile, constraints and level."""
    return Bits(nal.unescape(unit[4:16])).ue()


def _picture_id(unit: bytes) -> int:
    """pic_parameter_set_id (H.264 §7.3.2.2)."""
    return Bits(nal.unescape(unit[1:16])).ue()


def _h265_picture_id(unit: bytes) -> int:
    """pps_pic_parameter_set_id (H.265 §7.3.2.3.1)."""
    return Bits(nal.unescape(unit[2:16])).ue()


def _video_id(unit: bytes) -> int:
    """vps_video_parameter_set_id (H.265 §7.3.2.1)."""
    return Bits(unit[2:3]).u(4)


@dataclass(frozen=True, slots=True)
class _Codec:
    """What a codec calls its parameter sets: how to name one, by its NAL type, in the order of its configuration."""

    shift: int
    mask: int
    slices: range
    names: dict[int, Callable[[bytes], int]]
    sequence: int
    picture: int
    build: Callable[[list[tuple[bytes, ...]]], bytes]


_CODECS = {
    "h264": _Codec(
        shift=0,
        mask=0x1F,
        slices=range(1, 6),
        names={h264.NAL_SPS: _sequence_id, h264.NAL_PPS: _picture_id},
        sequence=h264.NAL_SPS,
        picture=h264.NAL_PPS,
        build=lambda sets: h264.build_config(*sets),
    ),
    "h265": _Codec(
        shift=1,
        mask=0x3F,
        slices=range(32),
        names={
            h265.NAL_VPS: _video_id,
            h265.NAL_SPS: lambda unit: h265.parse_sps(unit).number,
            h265.NAL_PPS: _h265_picture_id,
        },
        sequence=h265.NAL_SPS,
        picture=h265.NAL_PPS,
        build=lambda sets: h265.build_config(*sets),
    ),
}


class ParameterSets:
    """`track` is what the stream began with, if something outside of it said so."""

    def __init__(self, codec: Literal["h264", "h265"] = "h264", track: Track | None = None) -> None:
        self.track = track
        """In force since the last key frame; the same object while nothing changes."""
        self._name: Literal["h264", "h265"] = codec
        self._codec = _CODECS[codec]
        self._kept: dict[int, dict[int, bytes]] = {kind: {} for kind in self._codec.names}
        self._before: dict[int, bytes] = {}  # picture parameter sets of a sequence that is no more
        self._head = b""  # the last key frame's beginning, up to its last parameter set
        self._changed = False
        if track is not None:
            for unit in _units(track):
                self.see(unit)
            self._changed = False

    def see(self, unit: bytes | memoryview) -> None:
        """Keeps a parameter set; any other unit, and one that cannot be read, is passed over."""
        kind = unit[0] >> self._codec.shift & self._codec.mask
        kept = self._kept.get(kind)
        if kept is None or len(unit) > MAX_SET_BYTES:
            return
        data = bytes(unit)
        if data in kept.values():
            return
        try:
            name = self._codec.names[kind](data)
        except MalformedMedia:
            return
        if kind == self._codec.sequence and name in kept:
            pictures = self._kept[self._codec.picture]
            self._before, self._kept[self._codec.picture] = pictures or self._before, {}  # the new one's follow it
        if name in kept or len(kept) < MAX_SETS:
            kept.pop(name, None)
            self._kept[kind] = {name: data, **kept}  # the newest first: size and profile are told by the first
            self._changed = True

    def look(self, picture: memoryview) -> bool:
        """Sees the parameter sets before the first slice of a key frame that is framed by four-byte lengths. Whether
        any is new.
        """
        if self._head and bytes(picture[: len(self._head)]) == self._head:
            return self._changed
        place, last, end, codec = 0, 0, len(picture), self._codec
        for _ in range(MAX_LEADING):
            start = place + 4
            if start >= end:
                break
            size = int.from_bytes(picture[place:start], "big")
            kind = picture[start] >> codec.shift & codec.mask
            if kind in codec.slices or not 0 < size <= end - start:
                break
            place = start + size
            if kind in codec.names:
                self.see(picture[start:place])
                last = place
        self._head = bytes(picture[:last]) if last <= MAX_HEAD_BYTES else b""
        return self._changed

    def settle(self) -> None:
        """A key frame is here. Raises MalformedMedia when the sets make no track; then there is none."""
        if not self._changed:
            return
        self._changed = False
        self.track = None
        if not self._kept[self._codec.picture]:
            self._kept[self._codec.picture] = self._before  # none followed: they hold for the new sequence, too
        config = self._codec.build([tuple(kept.values()) for kept in self._kept.values()])
        self.track = video_track(self._name, config)


class SequenceHeader:
    """The same of an AV1 stream, which has one: `track` is what the stream began with."""

    def __init__(self, track: Track) -> None:
        self.track: Track | None = track
        self._last = self._seen = _header(memoryview(track.config)[4:])

    def look(self, picture: memoryview) -> bool:
        """Whether the sequence header of a key frame is another than the last."""
        try:
            found = _header(picture)
        except MalformedMedia:
            return False
        self._seen = found or self._seen
        return self._seen != self._last

    def settle(self) -> None:
        """A key frame is here. Raises MalformedMedia when its header makes no track; then there is none."""
        self._last = self._seen
        self.track = None
        self.track = video_track("av1", av1.build_config(self._seen))


def _header(sample: memoryview) -> bytes:
    """The payload of the sequence header before a sample's first frame; empty without one. Raises MalformedMedia."""
    for kind, payload in av1.obus(sample):
        if kind == av1.OBU_SEQUENCE_HEADER:
            return bytes(payload[:MAX_SET_BYTES])
        if kind in (av1.OBU_FRAME, av1.OBU_FRAME_HEADER):
            break
    return b""


def _units(track: Track) -> list[bytes]:
    if track.codec == "h264":
        parsed = h264.parse_config(track.config)
        return [*reversed(parsed.sps), *reversed(parsed.pps)]
    return [unit for _, units in h265.parse_config(track.config).units for unit in reversed(units)]
