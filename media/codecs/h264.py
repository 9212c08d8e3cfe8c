"""H.264 (ITU-T H.264, ISO/IEC 14496-10) and its storage (ISO/IEC 14496-15 §5).

The avcC record, the fields of a sequence parameter set that tell size, profile and frame rate, both framings of NAL
units, and the test for a key frame (an IDR picture: the only place where a segment may begin).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from media.codecs import nal
from media.codecs.bits import Bits
from media.malformed import MalformedMedia

NAL_SLICE, NAL_IDR, NAL_SEI, NAL_SPS, NAL_PPS, NAL_DELIMITER = 1, 5, 6, 7, 8, 9
MAX_SIDE = 16_384  # pixels; level 6.2 ends at 139,264 macroblocks, so a longer side is not of this world
_HIGH_PROFILES = frozenset((100, 110, 122, 244, 44, 83, 86, 118, 128, 138, 139, 134, 135))
_EXTENDED_RECORD = frozenset((100, 110, 122, 144, 244))  # avcC says chroma format and bit depths for these

split_avcc = nal.split_lengths
split_annexb = nal.split_start_codes
join_avcc = nal.join_lengths
join_annexb = nal.join_start_codes


@dataclass(frozen=True, slots=True)
class PictureOrder:
    """How slices say their place in the order of display: pic_order_cnt_type, the bits of pic_order_cnt_lsb (type 0),
    and whether no difference is sent (type 1).
    """

    kind: int
    lsb_bits: int = 0
    always_zero: bool = False


@dataclass(frozen=True, slots=True)
class Sps:
    """A sequence parameter set; `frame_rate` is frames a second, None where the stream does not tell."""

    profile: int
    compatibility: int
    level: int
    width: int
    height: int
    frame_rate: Fraction | None
    chroma_format: int
    bit_depth_luma: int
    bit_depth_chroma: int
    number: int
    """seq_parameter_set_id."""
    separate_planes: bool
    frame_only: bool
    frame_number_bits: int
    order: PictureOrder


@dataclass(frozen=True, slots=True)
class H264Config:
    """An AVCDecoderConfigurationRecord (§5.3.3.1): `length_size` is the bytes of each NAL length, 1, 2 or 4."""

    profile: int
    compatibility: int
    level: int
    length_size: int
    sps: tuple[bytes, ...]
    pps: tuple[bytes, ...]

    @property
    def size(self) -> tuple[int, int]:
        """Width and height in pixels after cropping; 0 × 0 if the parameter sets are in the stream itself (avc3)."""
        if not self.sps:
            return 0, 0
        sps = parse_sps(self.sps[0])
        return sps.width, sps.height


def parse_config(config: bytes | memoryview) -> H264Config:
    """Reads the body of avcC. Raises MalformedMedia."""
    data = bytes(config)
    if len(data) < 7 or data[0] != 1:
        message = "avcC is too short or of an unknown version"
        raise MalformedMedia(message)
    length_size = (data[4] & 3) + 1
    if length_size == 3:
        message = "avcC gives NAL lengths of 3 bytes"
        raise MalformedMedia(message)
    sps, position = _parameter_sets(data, 6, data[5] & 0x1F)
    if position >= len(data):
        message = "avcC ends before its picture parameter sets"
        raise MalformedMedia(message)
    pps, _ = _parameter_sets(data, position + 1, data[position])
    return H264Config(data[1], data[2], data[3], length_size, sps, pps)


def build_config(sps: Sequence[bytes], pps: Sequence[bytes]) -> bytes:
    """The body of avcC, with four-byte lengths, for parameter sets without start codes. Raises MalformedMedia."""
    if not 1 <= len(sps) <= 31 or not 1 <= len(pps) <= 255:
        message = f"avcC cannot hold {len(sps)} sequence and {len(pps)} picture parameter sets"
        raise MalformedMedia(message)
    if any(len(unit) > 0xFFFF for unit in (*sps, *pps)):
        message = "parameter set is over 65,535 bytes"
        raise MalformedMedia(message)
    first = parse_sps(sps[0])
    body = bytearray((1, first.profile, first.compatibility, first.level, 0xFC | 3, 0xE0 | len(sps)))
    for unit in sps:
        body += len(unit).to_bytes(2, "big") + unit
    body.append(len(pps))
    for unit in pps:
        body += len(unit).to_bytes(2, "big") + unit
    if first.profile in _EXTENDED_RECORD:
        depths = (0xF8 | first.bit_depth_luma - 8, 0xF8 | first.bit_depth_chroma - 8)
        body += bytes((0xFC | first.chroma_format, *depths, 0))
    return bytes(body)


def codec_string(config: bytes | memoryview) -> str:
    """RFC 6381 §3.3: profile, compatibility and level as six hexadecimal digits."""
    parsed = parse_config(config)
    return f"avc1.{parsed.profile:02x}{parsed.compatibility:02x}{parsed.level:02x}"


def is_keyframe(units: Sequence[bytes | memoryview]) -> bool:
    """Whether these NAL units are an IDR picture."""
    return any(unit[0] & 0x1F == NAL_IDR for unit in units if unit)


def annexb_to_avcc(data: bytes | memoryview) -> bytes:
    """An access unit from start codes to four-byte lengths."""
    return nal.join_lengths(nal.split_start_codes(data))


def avcc_to_annexb(data: bytes | memoryview, length_size: int = 4) -> bytes:
    """An access unit from lengths to start codes."""
    return nal.join_start_codes(nal.split_lengths(data, length_size))


def parse_sps(unit: bytes | memoryview) -> Sps:
    """Reads a sequence parameter set NAL unit (§7.3.2.1.1), its header byte included. Raises MalformedMedia."""
    if len(unit) < 4 or unit[0] & 0x1F != NAL_SPS:
        message = "not a sequence parameter set"
        raise MalformedMedia(message)
    bits = Bits(nal.unescape(unit)[1:])
    profile, compatibility, level = bits.u(8), bits.u(8), bits.u(8)
    number = bits.ue()
    chroma, luma_depth, chroma_depth, separate_planes = 1, 8, 8, False
    if profile in _HIGH_PROFILES:
        chroma = bits.ue()
        separate_planes = chroma == 3 and bits.flag()
        luma_depth, chroma_depth = bits.ue() + 8, bits.ue() + 8
        if chroma > 3 or luma_depth > 14 or chroma_depth > 14:
            message = "sequence parameter set has an impossible sample format"
            raise MalformedMedia(message)
        bits.skip(1)  # qpprime_y_zero_transform_bypass_flag
        _skip_scaling_matrix(bits, chroma)
    frame_number_bits, order = bits.ue() + 4, _picture_order(bits)
    bits.ue()  # max_num_ref_frames
    bits.skip(1)  # gaps_in_frame_num_value_allowed_flag
    width, height, frame_only = _picture_size(bits, 0 if separate_planes else chroma)
    frame_rate = _frame_rate(bits) if bits.flag() else None
    return Sps(
        profile, compatibility, level, width, height, frame_rate, chroma, luma_depth, chroma_depth,
        number, separate_planes, frame_only, frame_number_bits, order,
    )  # fmt: skip


def _parameter_sets(data: bytes, position: int, count: int) -> tuple[tuple[bytes, ...], int]:
    units = []
    for _ in range(count):
        start = position + 2
        position = start + int.from_bytes(data[position:start], "big")
        if position > len(data) or position == start:
            message = "avcC ends within a parameter set, or holds an empty one"
            raise MalformedMedia(message)
        units.append(data[start:position])
    return tuple(units), position


def _skip_scaling_matrix(bits: Bits, chroma_format: int) -> None:
    if not bits.flag():
        return
    for index in range(12 if chroma_format == 3 else 8):
        if not bits.flag():
            continue
        last = following = 8
        for _ in range(16 if index < 6 else 64):
            if following:
                following = (last + bits.se()) % 256
            last = following or last


def _picture_order(bits: Bits) -> PictureOrder:
    kind = bits.ue()
    if kind == 0:
        return PictureOrder(kind, lsb_bits=bits.ue() + 4)
    if kind != 1:
        return PictureOrder(kind)
    always_zero = bits.flag()
    bits.se()
    bits.se()
    cycle = bits.ue()
    if cycle > 255:
        message = "sequence parameter set has too long a picture order cycle"
        raise MalformedMedia(message)
    for _ in range(cycle):
        bits.se()
    return PictureOrder(kind, always_zero=always_zero)


def _picture_size(bits: Bits, chroma_array: int) -> tuple[int, int, bool]:
    width = (bits.ue() + 1) * 16
    map_units = bits.ue() + 1
    frame_only = bits.u(1)
    height = map_units * 16 * (2 - frame_only)
    if not frame_only:
        bits.skip(1)  # mb_adaptive_frame_field_flag
    bits.skip(1)  # direct_8x8_inference_flag
    if bits.flag():  # frame_cropping_flag; its units are §7.4.2.1.1's CropUnitX, CropUnitY
        unit_x = 2 if chroma_array in (1, 2) else 1
        unit_y = (2 if chroma_array == 1 else 1) * (2 - frame_only)
        width -= (bits.ue() + bits.ue()) * unit_x
        height -= (bits.ue() + bits.ue()) * unit_y
    if not (0 < width <= MAX_SIDE and 0 < height <= MAX_SIDE):
        message = f"picture of {width} × {height} pixels"
        raise MalformedMedia(message)
    return width, height, frame_only == 1


def _frame_rate(bits: Bits) -> Fraction | None:
    """The frame rate of the VUI (§E.1.1): a frame is two ticks of its clock."""
    if bits.flag() and bits.u(8) == 255:  # aspect_ratio_idc: Extended_SAR
        bits.skip(32)
    if bits.flag():  # overscan_info_present_flag
        bits.skip(1)
    if bits.flag():  # video_signal_type_present_flag
        bits.skip(4)
        if bits.flag():
            bits.skip(24)
    if bits.flag():  # chroma_loc_info_present_flag
        bits.ue()
        bits.ue()
    if not bits.flag():  # timing_info_present_flag
        return None
    ticks, scale = bits.u(32), bits.u(32)
    return Fraction(scale, 2 * ticks) if ticks and scale else None
