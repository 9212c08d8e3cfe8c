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


def parse_config(config: bytes | memoryview) -> Av1Config:
    """Reads the body of av1C. Raises MalformedMedia."""
    if len(config) < 4 or config[0] != 0x81:
        message = "av1C is too short or of an unknown version"
        raise MalformedMedia(message)
    high, twelve = config[2] >> 6 & 1, config[2] >> 5 & 1
    size = (0, 0)
    for kind, payload in obus(memoryview(config)[4:]):
        if kind == OBU_SEQUENCE_HEADER:
            size = parse_sequence_size(payload)
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


def parse_sequence_size(payload: bytes | memoryview) -> tuple[int, int]:
    """Largest width and height in pixels of a sequence header OBU (AV1 §5.5.1). Raises MalformedMedia."""
    bits = Bits(payload)
    bits.skip(4)  # seq_profile, still_picture
    if bits.flag():  # reduced_still_picture_header
        bits.skip(5)
    else:
        _skip_operating_points(bits)
    width_bits, height_bits = bits.u(4) + 1, bits.u(4) + 1
    return bits.u(width_bits) + 1, bits.u(height_bits) + 1


def _skip_operating_points(bits: Bits) -> None:
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
    for _ in range(bits.u(5) + 1):
        bits.skip(12)
        if bits.u(5) > 7:
            bits.skip(1)  # seq_tier
        if decoder_model and bits.flag():
            bits.skip(2 * delay_bits + 1)
        if display_delay and bits.flag():
            bits.skip(4)


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
