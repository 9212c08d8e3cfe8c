"""AV1 in ISO-BMFF (AOM, "AV1 Codec ISO Media File Format Binding"): av1C, picture size, codec string, key frames."""

from collections.abc import Iterator
from dataclasses import dataclass

from media.codecs.bits import Bits
from media.malformed import MalformedMedia

OBU_SEQUENCE_HEADER, OBU_FRAME_HEADER, OBU_FRAME = 1, 3, 6
MAX_OBUS = 10_000  # of one temporal unit


@dataclass(frozen=True, slots=True)
class Av1Config:
    """An AV1CodecConfigurationRecord (§2.3); `size` is 0 × 0 where it brings no sequence header."""

    profile: int
    level: int
    tier: int
    bit_depth: int
    size: tuple[int, int]


@dataclass(frozen=True, slots=True)
class Sequence:
    """What of a sequence header OBU (AV1 §5.5.1) goes into av1C; `size` is the largest width and height in pixels.

    `colour` is av1C's third byte without its tier: bit depth, monochrome, subsampling and the place of chroma samples.
    """

    profile: int
    level: int
    tier: int
    size: tuple[int, int]
    colour: int


def parse_config(config: bytes | memoryview) -> Av1Config:
    """Reads the body of av1C. Raises MalformedMedia."""
    if len(config) < 4 or config[0] != 0x81:
        message = "av1C is too short or of an unknown version"
        raise MalformedMedia(message)
    high, twelve = config[2] >> 6 & 1, config[2] >> 5 & 1
    size = (0, 0)
    for kind, payload in obus(memoryview(config)[4:]):
        if kind == OBU_SEQUENCE_HEADER:
            size = parse_sequence(payload).size
            break
    depth = 12 if high and twelve else 10 if high else 8
    return Av1Config(config[1] >> 5, config[1] & 0x1F, config[2] >> 7, depth, size)


def codec_string(config: bytes | memoryview) -> str:
    """§5: profile, level and tier, bit depth."""
    parsed = parse_config(config)
    return f"av01.{parsed.profile}.{parsed.level:02}{'HM'[parsed.tier == 0]}.{parsed.bit_depth:02}"


def obus(data: bytes | memoryview) -> Iterator[tuple[int, memoryview]]:
    """Type and payload of each OBU of a sample (AV1 §5.3); the last one may leave out its size."""
    view, position, count = memoryview(data), 0, 0
    while position < len(view):
        header = view[position]
        position += 2 if header & 4 else 1
        size = len(view) - position
        if header & 2:
            size, position = _leb128(view, position)
        if header & 0x80 or size < 0 or position + size > len(view):
            message = "OBU runs past its sample, or its forbidden bit is set"
            raise MalformedMedia(message)
        yield header >> 3 & 15, view[position : position + size]
        position += size
        count += 1
        if count > MAX_OBUS:
            message = f"sample has more than {MAX_OBUS} OBUs"
            raise MalformedMedia(message)


def is_keyframe(data: bytes | memoryview) -> bool:
    """Whether a sample's first frame is a key frame that is shown by itself."""
    for kind, payload in obus(data):
        if kind in (OBU_FRAME, OBU_FRAME_HEADER) and len(payload):
            return payload[0] >> 5 == 0  # show_existing_frame 0, frame_type KEY_FRAME (§5.9.2)
    return False


def build_config(payload: bytes | memoryview) -> bytes:
    """The body of av1C for a sequence header OBU's payload. Raises MalformedMedia."""
    found = parse_sequence(payload)
    head = bytes((0x81, found.profile << 5 | found.level, found.tier << 7 | found.colour, 0))
    return head + bytes((OBU_SEQUENCE_HEADER << 3 | 2,)) + _to_leb128(len(payload)) + bytes(payload)


def parse_sequence(payload: bytes | memoryview) -> Sequence:
    """Reads a sequence header OBU (AV1 §5.5.1). Raises MalformedMedia."""
    bits = Bits(payload)
    profile = bits.u(3)
    bits.skip(1)  # still_picture
    reduced = bits.flag()
    level, tier = (bits.u(5), 0) if reduced else _first_operating_point(bits)
    width_bits, height_bits = bits.u(4) + 1, bits.u(4) + 1
    size = bits.u(width_bits) + 1, bits.u(height_bits) + 1
    if not reduced and bits.flag():  # frame_id_numbers_present_flag
        bits.skip(7)
    bits.skip(3)  # use_128x128_superblock, enable_filter_intra, enable_intra_edge_filter
    if not reduced:
        _skip_tools(bits)
    bits.skip(3)  # enable_superres, enable_cdef, enable_restoration
    return Sequence(profile, level, tier, size, _colour(bits, profile))


def _first_operating_point(bits: Bits) -> tuple[int, int]:
    """Level and tier of the first one; all are passed over."""
    decoder_model, delay_bits = False, 0
    if bits.flag():  # timing_info_present_flag
        bits.skip(64)
        if bits.flag():
            _skip_uvlc(bits)
        decoder_model = bits.flag()
        if decoder_model:
            delay_bits = bits.u(5) + 1
            bits.skip(42)
    display_delay = bits.flag()
    found: list[tuple[int, int]] = []
    for _ in range(bits.u(5) + 1):
        bits.skip(12)
        level = bits.u(5)
        found.append((level, bits.u(1) if level > 7 else 0))
        if decoder_model and bits.flag():
            bits.skip(2 * delay_bits + 1)
        if display_delay and bits.flag():
            bits.skip(4)
    return found[0]


def _skip_tools(bits: Bits) -> None:
    bits.skip(4)  # interintra, masked compound, warped motion, dual filter
    order_hint = bits.flag()
    if order_hint:
        bits.skip(2)
    screen_content = bits.flag() or bits.flag()  # seq_choose_screen_content_tools, else seq_force_…
    if screen_content and not bits.flag():  # seq_choose_integer_mv
        bits.skip(1)
    if order_hint:
        bits.skip(3)


def _colour(bits: Bits, profile: int) -> int:
    """color_config() (AV1 §5.5.2) as av1C has it."""
    high = bits.u(1)
    twelve = bits.u(1) if profile == 2 and high else 0
    mono = bits.u(1) if profile != 1 else 0
    described = (bits.u(8), bits.u(8), bits.u(8)) if bits.flag() else (2, 2, 2)
    depth = high << 6 | twelve << 5 | mono << 4
    if mono:
        return depth | 0b1100
    if described == (1, 13, 0):  # sRGB is never subsampled
        return depth
    bits.skip(1)  # color_range
    if profile == 2 and twelve:
        across = bits.u(1)
        down = bits.u(1) if across else 0
    else:
        across, down = ((1, 1), (0, 0), (1, 0))[min(profile, 2)]
    return depth | across << 3 | down << 2 | (bits.u(2) if across and down else 0)


def _skip_uvlc(bits: Bits) -> None:
    zeros = 0
    while not bits.flag():
        zeros += 1
    bits.skip(zeros if zeros < 32 else 0)


def _leb128(view: memoryview, position: int) -> tuple[int, int]:
    value = 0
    for index in range(8):
        if position >= len(view):
            break
        byte = view[position]
        position += 1
        value |= (byte & 0x7F) << 7 * index
        if not byte & 0x80:
            return value, position
    message = "OBU size is cut off or too long"
    raise MalformedMedia(message)


def _to_leb128(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes((*out, value))
