"""NAL units of H.264 and H.265 between their two framings: start codes (Annex B) and lengths (ISO/IEC 14496-15).

Splitting gives views into the input; only joining makes new bytes.
"""

from collections.abc import Iterable

from media.malformed import MalformedMedia

MAX_UNITS = 10_000  # of one access unit: 8 slices are usual, a NAL per macroblock row of 8K would be 270
START_CODE = b"\x00\x00\x00\x01"


def split_lengths(data: bytes | memoryview, length_size: int = 4) -> list[memoryview]:
    """The NAL units of an access unit framed by lengths. Empty ones are left out."""
    view = memoryview(data)
    units: list[memoryview] = []
    position, end = 0, len(view)
    while position < end:
        start = position + length_size
        if start > end:
            message = "access unit ends within a NAL length"
            raise MalformedMedia(message)
        size = int.from_bytes(view[position:start], "big")
        position = start + size
        if position > end:
            message = f"NAL unit of {size} bytes runs past its access unit"
            raise MalformedMedia(message)
        if size:
            units.append(view[start:position])
        if len(units) > MAX_UNITS:
            message = f"access unit has more than {MAX_UNITS} NAL units"
            raise MalformedMedia(message)
    return units


def split_start_codes(data: bytes | memoryview) -> list[memoryview]:
    """The NAL units of an Annex B byte stream, without start codes and trailing zero bytes. Empty ones are left out."""
    raw, view = bytes(data), memoryview(data)
    units: list[memoryview] = []
    code = raw.find(b"\x00\x00\x01")
    if code < 0 and raw:
        message = "no start code in the byte stream"
        raise MalformedMedia(message)
    if raw[:code].strip(b"\x00"):
        message = "bytes before the first start code"
        raise MalformedMedia(message)
    while code >= 0:
        following = raw.find(b"\x00\x00\x01", code + 3)
        end = len(raw) if following < 0 else following
        while end > code + 3 and raw[end - 1] == 0:  # trailing_zero_8bits, or the first byte of a long start code
            end -= 1
        if end > code + 3:
            units.append(view[code + 3 : end])
        if len(units) > MAX_UNITS:
            message = f"byte stream has more than {MAX_UNITS} NAL units"
            raise MalformedMedia(message)
        code = following
    return units


def join_lengths(units: Iterable[bytes | memoryview]) -> bytes:
    """An access unit with four-byte lengths."""
    pieces: list[bytes | memoryview] = []
    for unit in units:
        pieces += (len(unit).to_bytes(4, "big"), unit)
    return b"".join(pieces)


def join_start_codes(units: Iterable[bytes | memoryview]) -> bytes:
    """An Annex B byte stream with four-byte start codes."""
    pieces: list[bytes | memoryview] = []
    for unit in units:
        pieces += (START_CODE, unit)
    return b"".join(pieces)


def unescape(unit: bytes | memoryview) -> bytes:
    """A NAL unit without its emulation prevention bytes (00 00 03 → 00 00; H.264 §7.3.1)."""
    return bytes(unit).replace(b"\x00\x00\x03", b"\x00\x00")
