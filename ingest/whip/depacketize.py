"""RTP payloads to access units: H.264 (RFC 6184, packetization modes 0 and 1) and Opus (RFC 7587). Pure, sans-I/O.

Rule: what is handed on can be decoded. After a lost or broken packet nothing is, until a key frame whose beginning was
seen. Packets come in order (`ordering.py`), with extended numbers; a step of more than one is a loss.
"""

from dataclasses import dataclass

from media.codecs import h264, opus
from media.codecs.opus import OpusConfig
from media.malformed import MalformedMedia
from media.packet import Track, audio_track
from media.parameter_sets import ParameterSets

MAX_UNIT_BYTES = 8 * 1024 * 1024
"""Of one access unit: as much as a video message of RTMP may have."""
_STAP_A, _FU_A = 24, 28
_START, _END = 0x80, 0x40
_LEFT_OUT = frozenset((h264.NAL_SPS, h264.NAL_PPS, h264.NAL_DELIMITER, 10, 11, 12))  # 10–12: ends and filler
_BEGINNINGS = frozenset((h264.NAL_SPS, h264.NAL_DELIMITER))

OPUS_TRACK = audio_track("opus", opus.build_config(OpusConfig(channels=2, pre_skip=312, input_rate=48_000)))
"""RFC 7587 §7: always 48,000 Hz and two channels, whatever is coded; 312 ticks is libopus's lookahead."""


@dataclass(frozen=True, slots=True)
class AccessUnit:
    """A picture with its extended RTP timestamp, framed by lengths; `track` has the parameter sets it needs."""

    timestamp: int
    keyframe: bool
    data: bytes
    track: Track


class H264Depacketizer:
    def __init__(self) -> None:
        self.awaits_keyframe = True
        """Whether nothing can be handed on before a key frame."""
        self.malformed = 0
        """Packets that broke the payload format."""
        self.losses = 0
        """Holes in the numbers."""
        self.dropped = 0
        """Pictures that came, but incomplete or without what they refer to."""
        self._expected: int | None = None
        self._timestamp: int | None = None
        self._units: list[bytes | memoryview] = []
        self._fragments: list[bytes | memoryview] | None = None
        self._size = 0
        self._damaged = False  # of the picture under way something is missing
        self._lost_before = False  # something is, and nothing but padding came since
        self._sets = ParameterSets()

    def push(self, number: int, timestamp: int, payload: bytes | memoryview, *, marker: bool) -> list[AccessUnit]:
        """The pictures that this packet completes. An empty payload (padding) only counts."""
        lost = self._expected is not None and number != self._expected
        self._expected = number + 1
        done: list[AccessUnit] = []
        if lost:
            self._loss()
        if not payload:
            return done
        if timestamp != self._timestamp:
            self._finish(done)
            self._timestamp = timestamp
            self._damaged = self._lost_before and not _begins_picture(payload)
        self._lost_before = False
        try:
            self._take(memoryview(payload))
        except MalformedMedia:
            self.malformed += 1
            self._spoil()
        if marker:
            self._finish(done)
        return done

    def _loss(self) -> None:
        """What is under way is lost; so are its followers, which refer to it."""
        self.losses += 1
        self._lost_before = True
        self._spoil()

    def _spoil(self) -> None:
        self._damaged = True
        self.awaits_keyframe = True
        self._units.clear()
        self._fragments = None

    def _take(self, payload: memoryview) -> None:
        """Raises MalformedMedia."""
        kind = payload[0] & 0x1F
        if payload[0] & 0x80:
            raise MalformedMedia("forbidden_zero_bit is set")
        if kind == _FU_A:
            self._fragment(payload)
            return
        if self._fragments is not None:
            raise MalformedMedia("a fragmented NAL unit is not ended")
        if kind == _STAP_A:
            self._aggregate(payload)
        elif 1 <= kind <= 23:
            self._add(payload)
        else:
            raise MalformedMedia(f"payload structure {kind} is not of packetization mode 1")

    def _aggregate(self, payload: memoryview) -> None:
        """STAP-A (§5.7.1)."""
        position, end = 1, len(payload)
        while position < end:
            start = position + 2
            position = start + int.from_bytes(payload[position:start], "big")
            if position > end or position == start:
                raise MalformedMedia("STAP-A ends within a NAL unit, or holds an empty one")
            self._add(payload[start:position])

    def _fragment(self, payload: memoryview) -> None:
        """FU-A (§5.8)."""
        if len(payload) < 3:
            raise MalformedMedia("FU-A is empty")
        indicator, header = payload[0], payload[1]
        if header & _START:
            if self._fragments is not None or header & _END:
                raise MalformedMedia("FU-A starts within another, or is its own end")
            self._fragments = [bytes((indicator & 0xE0 | header & 0x1F,))]
        elif self._fragments is None:
            if self._damaged:
                return  # its beginning was lost: known already
            raise MalformedMedia("FU-A without its start")
        self._fragments.append(payload[2:])
        self._grow(len(payload))
        if header & _END:
            unit = b"".join(self._fragments)
            self._fragments = None
            self._keep(unit)

    def _add(self, unit: memoryview) -> None:
        self._grow(len(unit))
        self._keep(unit)

    def _grow(self, size: int) -> None:
        self._size += size
        if self._size > MAX_UNIT_BYTES:
            raise MalformedMedia(f"picture of over {MAX_UNIT_BYTES} bytes")

    def _keep(self, unit: bytes | memoryview) -> None:
        if not self._damaged:
            self._units.append(unit)

    def _finish(self, done: list[AccessUnit]) -> None:
        """The picture under way is as whole as it will be."""
        units, damaged, timestamp = self._units, self._damaged, self._timestamp
        if self._fragments is not None:
            damaged = self.awaits_keyframe = True
            self._fragments = None
        self._units, self._size, self._damaged, self._timestamp = [], 0, False, None
        if timestamp is None or not (units or damaged):
            return
        picture = None if damaged else self._picture(units, timestamp)
        if picture is not None:
            done.append(picture)
        elif damaged or any(unit[0] & 0x1F in (h264.NAL_SLICE, h264.NAL_IDR) for unit in units):
            self.dropped += 1

    def _picture(self, units: list[bytes | memoryview], timestamp: int) -> AccessUnit | None:
        """The picture, if it can be decoded. A key frame brings the parameter sets in force, in itself or before."""
        for unit in units:
            self._sets.see(unit)
        keyframe = h264.is_keyframe(units)
        if keyframe:
            try:
                self._sets.settle()
            except MalformedMedia:
                self.malformed += 1
                self.awaits_keyframe = True
                return None
            units = [unit for unit in units if unit[0] & 0x1F not in _LEFT_OUT]
        track = self._sets.track
        if track is None or (self.awaits_keyframe and not keyframe):
            return None
        if not any(unit[0] & 0x1F in (h264.NAL_SLICE, h264.NAL_IDR) for unit in units):
            return None  # parameter sets sent alone
        self.awaits_keyframe = False
        return AccessUnit(timestamp, keyframe, h264.join_avcc(units), track)


def opus_packet(payload: bytes | memoryview) -> bytes:
    """An Opus packet, checked to have a length in time. Raises MalformedMedia."""
    opus.packet_ticks(payload)
    return bytes(payload)


def _begins_picture(payload: bytes | memoryview) -> bool:
    """Whether this can only be the beginning of an access unit (H.264 §7.4.1.2.3): its delimiter or parameter sets."""
    kind = payload[0] & 0x1F
    if kind == _STAP_A and len(payload) > 3:
        kind = payload[3] & 0x1F
    return kind in _BEGINNINGS
