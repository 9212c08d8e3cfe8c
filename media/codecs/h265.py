"""H.265 (ITU-T H.265) and its storage (ISO/IEC 14496-15 §8): hvcC, picture size, codec string, key frames."""

from collections.abc import Sequence
from dataclasses import dataclass

from media.codecs import nal
from media.codecs.bits import Bits
from media.malformed import MalformedMedia

split = nal.split_lengths

NAL_VPS, NAL_SPS, NAL_PPS = 32, 33, 34
_IRAP = range(16, 24)  # §7.4.2.2: BLA, IDR, CRA and the reserved ones
MAX_SIDE = 16_888  # pixels; level 6.2's limit (§A.4.1: sqrt(8 × MaxLumaPs))


@dataclass(frozen=True, slots=True)
class Sps:
    """What of a sequence parameter set (§7.3.2.2.1) goes into a configuration. `profile` is the general part of
    profile_tier_level as it stands: 12 bytes.
    """

    number: int
    width: int
    height: int
    chroma_format: int
    bit_depth_luma: int
    bit_depth_chroma: int
    temporal_layers: int
    nested: bool
    profile: bytes


@dataclass(frozen=True, slots=True)
class H265Config:
    """An HEVCDecoderConfigurationRecord (§8.3.3.1); `units` are its NAL units by type, in order."""

    profile_space: int
    tier: int
    profile: int
    compatibility: int
    constraints: bytes
    level: int
    length_size: int
    units: tuple[tuple[int, tuple[bytes, ...]], ...]

    @property
    def size(self) -> tuple[int, int]:
        """Width and height in pixels after cropping; 0 × 0 if the parameter sets are in the stream itself (hev1)."""
        for kind, units in self.units:
            if kind == NAL_SPS and units:
                sps = parse_sps(units[0])
                return sps.width, sps.height
        return 0, 0


def parse_config(config: bytes | memoryview) -> H265Config:
    """Reads the body of hvcC. Raises MalformedMedia."""
    data = bytes(config)
    if len(data) < 23 or data[0] > 1:  # version 0 is written by old encoders and means the same
        message = "hvcC is too short or of an unknown version"
        raise MalformedMedia(message)
    position, arrays = 23, []
    for _ in range(data[22]):
        if position + 3 > len(data):
            message = "hvcC ends within an array"
            raise MalformedMedia(message)
        kind, count = data[position] & 0x3F, int.from_bytes(data[position + 1 : position + 3], "big")
        units, position = _units(data, position + 3, count)
        arrays.append((kind, units))
    return H265Config(
        profile_space=data[1] >> 6,
        tier=data[1] >> 5 & 1,
        profile=data[1] & 0x1F,
        compatibility=int.from_bytes(data[2:6], "big"),
        constraints=data[6:12],
        level=data[12],
        length_size=(data[21] & 3) + 1,
        units=tuple(arrays),
    )


def codec_string(config: bytes | memoryview) -> str:
    """ISO/IEC 14496-15 §E.3: profile, reversed compatibility flags, tier, level, constraint bytes to the last set."""
    parsed = parse_config(config)
    space = ("", "A", "B", "C")[parsed.profile_space]
    reversed_flags = int(f"{parsed.compatibility:032b}"[::-1], 2)
    name = f"hvc1.{space}{parsed.profile}.{reversed_flags:X}.{'HL'[parsed.tier == 0]}{parsed.level}"
    return ".".join((name, *(f"{byte:X}" for byte in parsed.constraints.rstrip(b"\x00"))))


def is_keyframe(units: Sequence[bytes | memoryview]) -> bool:
    """Whether these NAL units are an intra random access point."""
    return any(unit[0] >> 1 & 0x3F in _IRAP for unit in units if unit)


def build_config(vps: Sequence[bytes], sps: Sequence[bytes], pps: Sequence[bytes]) -> bytes:
    """The body of hvcC (§8.3.3.1.2), with four-byte lengths, for parameter sets without start codes. Raises
    MalformedMedia.
    """
    if not (vps and sps and pps):
        message = f"hvcC of {len(vps)} video, {len(sps)} sequence and {len(pps)} picture parameter sets"
        raise MalformedMedia(message)
    first = parse_sps(sps[0])
    depths = (0xF8 | first.bit_depth_luma - 8, 0xF8 | first.bit_depth_chroma - 8)
    body = bytearray((1, *first.profile, 0xF0, 0, 0xFC, 0xFC | first.chroma_format, *depths, 0, 0))
    body += bytes((first.temporal_layers << 3 | first.nested << 2 | 3, 3))
    for kind, units in ((NAL_VPS, vps), (NAL_SPS, sps), (NAL_PPS, pps)):
        body += bytes((0x80 | kind,)) + len(units).to_bytes(2, "big")
        for unit in units:
            body += len(unit).to_bytes(2, "big") + unit
    return bytes(body)


def parse_sps(unit: bytes | memoryview) -> Sps:
    """Reads a sequence parameter set NAL unit, its header included. Raises MalformedMedia."""
    if len(unit) < 15 or unit[0] >> 1 & 0x3F != NAL_SPS:
        message = "not a sequence parameter set"
        raise MalformedMedia(message)
    plain = nal.unescape(unit)
    bits = Bits(plain[2:])
    bits.skip(4)  # sps_video_parameter_set_id
    sub_layers, nested = bits.u(3), bits.flag()
    _skip_profile_tier_level(bits, sub_layers)
    number, chroma = bits.ue(), bits.ue()
    if chroma > 3 or number > 15:
        message = "sequence parameter set has an impossible number or chroma format"
        raise MalformedMedia(message)
    planes = chroma == 3 and bits.flag()
    width, height = bits.ue(), bits.ue()
    if bits.flag():  # conformance_window_flag; its units are table 6-1's SubWidthC, SubHeightC
        unit_x = 2 if chroma in (1, 2) and not planes else 1
        unit_y = 2 if chroma == 1 and not planes else 1
        width -= (bits.ue() + bits.ue()) * unit_x
        height -= (bits.ue() + bits.ue()) * unit_y
    if not (0 < width <= MAX_SIDE and 0 < height <= MAX_SIDE):
        message = f"picture of {width} × {height} pixels"
        raise MalformedMedia(message)
    luma, chroma_depth = bits.ue() + 8, bits.ue() + 8
    if luma > 15 or chroma_depth > 15:
        message = "sequence parameter set has an impossible sample format"
        raise MalformedMedia(message)
    return Sps(number, width, height, chroma, luma, chroma_depth, sub_layers + 1, nested, plain[3:15])


def _units(data: bytes, position: int, count: int) -> tuple[tuple[bytes, ...], int]:
    units = []
    for _ in range(count):
        start = position + 2
        position = start + int.from_bytes(data[position:start], "big")
        if position > len(data) or position == start:
            message = "hvcC ends within a NAL unit, or holds an empty one"
            raise MalformedMedia(message)
        units.append(data[start:position])
    return tuple(units), position


def _skip_profile_tier_level(bits: Bits, sub_layers: int) -> None:
    """§7.3.3; `sub_layers` is sps_max_sub_layers_minus1."""
    bits.skip(96)
    present = [(bits.flag(), bits.flag()) for _ in range(sub_layers)]
    if sub_layers:
        bits.skip(2 * (8 - sub_layers))
    for profile, level in present:
        bits.skip(88 * profile + 8 * level)
