"""The H.264 parameter sets of one stream, gathered as they pass, and the track they make. Pure.

Rule: they count from the next key frame on: only there may a track change.
"""

from media.codecs import h264, nal
from media.codecs.bits import Bits
from media.malformed import MalformedMedia
from media.packet import Track, video_track

_MAX_SETS = 32
"""H.264 §7.4.2.1.1 allows 32 sequence parameter sets; more than 32 of 256 picture parameter sets no encoder uses."""


class ParameterSets:
    def __init__(self) -> None:
        self.track: Track | None = None
        """In force since the last key frame; the same object while nothing changes."""
        self._sequence: dict[int, bytes] = {}
        self._picture: dict[int, bytes] = {}
        self._changed = False

    def see(self, unit: bytes | memoryview) -> None:
        """Keeps a parameter set; any other unit, and one that cannot be read, is passed over."""
        kind = unit[0] & 0x1F
        if kind not in (h264.NAL_SPS, h264.NAL_PPS):
            return
        kept = self._sequence if kind == h264.NAL_SPS else self._picture
        data = bytes(unit)
        if data in kept.values():
            return
        try:
            name = _sequence_id(data) if kind == h264.NAL_SPS else _picture_id(data)
        except MalformedMedia:
            return
        if kind == h264.NAL_SPS and name in kept:
            self._picture.clear()  # those of the old one; the new one's follow it
        if name in kept or len(kept) < _MAX_SETS:
            kept[name] = data
            self._changed = True

    def settle(self) -> None:
        """A key frame is here. Raises MalformedMedia when the sets make no track; then there is none."""
        if not self._changed:
            return
        self.track = None
        config = h264.build_config(tuple(self._sequence.values()), tuple(self._picture.values()))
        self.track = video_track("h264", config)
        self._changed = False


def _sequence_id(unit: bytes) -> int:
    """seq_parameter_set_id (H.264 §7.3.2.1.1), after profile, constraints and level."""
    bits = Bits(nal.unescape(unit[4:16]))
    return bits.ue()


def _picture_id(unit: bytes) -> int:
    """pic_parameter_set_id (H.264 §7.3.2.2)."""
    return Bits(nal.unescape(unit[1:16])).ue()
