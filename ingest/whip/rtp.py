"""RTP packets (RFC 3550 §5.1), the one header extension that is needed (RFC 8285), and retransmissions (RFC 4588).

Rule: views, no copies; a packet that breaks the format is a MalformedMedia and nothing else.
"""

import struct
from dataclasses import dataclass

from media.malformed import MalformedMedia

_FIXED = struct.Struct("!BBHII")
_ONE_BYTE, _TWO_BYTES = 0xBEDE, 0x1000


@dataclass(slots=True)
class RtpPacket:
    """`transport_sequence` is the transport-wide number, None without one; an empty payload is padding, sent to probe
    the line.
    """

    payload_type: int
    marker: bool
    sequence: int
    timestamp: int
    ssrc: int
    payload: memoryview
    transport_sequence: int | None = None


def parse(data: bytes, transport_extension: int = 0) -> RtpPacket:
    """Reads a packet; `transport_extension` is the extension id of the transport-wide number, 0 for none.

    Raises MalformedMedia.
    """
    if len(data) < _FIXED.size:
        raise MalformedMedia("RTP packet is too short")
    first, second, sequence, timestamp, ssrc = _FIXED.unpack_from(data)
    if first >> 6 != 2:
        raise MalformedMedia(f"RTP version {first >> 6}")
    view = memoryview(data)
    position, end = _FIXED.size + 4 * (first & 0x0F), len(data)
    transport_sequence = None
    if first & 0x10:
        if position + 4 > end:
            raise MalformedMedia("RTP packet ends within its header extension")
        profile, words = struct.unpack_from("!HH", data, position)
        position += 4
        following = position + 4 * words
        if following > end:
            raise MalformedMedia("RTP packet ends within its header extension")
        if transport_extension:
            transport_sequence = _extension(view[position:following], profile, transport_extension)
        position = following
    if first & 0x20:
        padding = data[-1]
        end -= padding
        if not padding:
            raise MalformedMedia("RTP packet is padded by nothing")
    if position > end:
        raise MalformedMedia("RTP packet ends within its header or padding")
    marker, payload_type = bool(second & 0x80), second & 0x7F
    return RtpPacket(payload_type, marker, sequence, timestamp, ssrc, view[position:end], transport_sequence)


def unwrap_retransmission(packet: RtpPacket, payload_type: int, ssrc: int) -> RtpPacket | None:
    """The packet that was sent again (RFC 4588 §4); None for padding, which has no number before it."""
    if len(packet.payload) < 3:
        return None
    original = int.from_bytes(packet.payload[:2], "big")
    return RtpPacket(payload_type, packet.marker, original, packet.timestamp, ssrc, packet.payload[2:])


def _extension(block: memoryview, profile: int, wanted: int) -> int | None:
    """The 16-bit value of the extension with id `wanted` (RFC 8285 §4.2, §4.3); None when it is not there."""
    if profile != _ONE_BYTE and profile & 0xFFF0 != _TWO_BYTES:
        return None
    long = profile != _ONE_BYTE
    position, end = 0, len(block)
    while position < end:
        head = block[position]
        position += 1
        if head == 0:
            continue
        if long:
            if position >= end:
                break
            name, length = head, block[position]
            position += 1
        else:
            name, length = head >> 4, (head & 0x0F) + 1
            if name == 15:  # reserved: nothing after it is read
                break
        if name == wanted and length == 2 and position + 2 <= end:
            return block[position] << 8 | block[position + 1]
        position += length
    return None
