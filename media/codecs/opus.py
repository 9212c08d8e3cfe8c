"""Opus: dOps (Encapsulation of Opus in ISO-BMFF, §4.3.2), OpusHead (RFC 7845 §5.1) and packet lengths (RFC 6716 §3).

The two headers say the same, one in big-endian, one in little-endian. Ticks are always 48,000 a second (RFC 7845 §4).
"""

import struct
from dataclasses import dataclass

from media.malformed import MalformedMedia

SAMPLE_RATE = 48_000
_HEAD = b"OpusHead"
_MAX_PACKET_TICKS = 5760  # 120 ms, RFC 6716 §3.2.5 R5
_FRAME_TICKS = (480, 960, 1920, 2880) * 3 + (480, 960) * 2 + (120, 240, 480, 960) * 4  # RFC 6716 table 2


@dataclass(frozen=True, slots=True)
class OpusConfig:
    """`pre_skip` is in ticks, `input_rate` Hz (0: not told), `gain` in 1/256 dB; `mapping` follows the family, raw."""

    channels: int
    pre_skip: int
    input_rate: int
    gain: int = 0
    family: int = 0
    mapping: bytes = b""


def parse_config(config: bytes | memoryview) -> OpusConfig:
    """Reads the body of dOps. Raises MalformedMedia."""
    data = bytes(config)
    if data[:1] != b"\x00":
        message = "dOps of an unknown version"
        raise MalformedMedia(message)
    return _parse(data, ">")


def parse_head(head: bytes | memoryview) -> OpusConfig:
    """Reads an OpusHead packet. Raises MalformedMedia."""
    data = bytes(head)
    if data[:8] != _HEAD or len(data) < 9 or data[8] >> 4:  # a change in the lower four bits is compatible
        message = "not an OpusHead, or one of an unknown version"
        raise MalformedMedia(message)
    return _parse(data[8:], "<")


def build_config(config: OpusConfig) -> bytes:
    """The body of dOps."""
    return _build(config, ">", version=0)


def build_head(config: OpusConfig) -> bytes:
    """An OpusHead packet."""
    return _HEAD + _build(config, "<", version=1)


def codec_string(config: bytes | memoryview) -> str:
    """The one name there is."""
    parse_config(config)
    return "opus"


def packet_ticks(packet: bytes | memoryview) -> int:
    """How long a packet lasts, in ticks of 48,000 a second. Raises MalformedMedia."""
    if not packet:
        message = "empty Opus packet"
        raise MalformedMedia(message)
    frames = (1, 2, 2, 0)[packet[0] & 3]
    if not frames:
        frames = packet[1] & 0x3F if len(packet) > 1 else 0
    ticks = _FRAME_TICKS[packet[0] >> 3] * frames
    if not 0 < ticks <= _MAX_PACKET_TICKS:
        message = f"Opus packet of {ticks} ticks"
        raise MalformedMedia(message)
    return ticks


def _parse(data: bytes, order: str) -> OpusConfig:
    if len(data) < 11:
        message = "Opus header is too short"
        raise MalformedMedia(message)
    _, channels, pre_skip, rate, gain, family = struct.unpack_from(f"{order}BBHIhB", data)
    mapping = data[11:]
    if not channels or (not family and channels > 2):
        message = f"Opus mapping family {family} cannot have {channels} channels"
        raise MalformedMedia(message)
    if family:
        mapping = mapping[: 2 + channels]
        if len(mapping) < 2 + channels:
            message = "Opus header ends within its channel mapping"
            raise MalformedMedia(message)
    return OpusConfig(channels, pre_skip, rate, gain, family, mapping if family else b"")


def _build(config: OpusConfig, order: str, version: int) -> bytes:
    numbers = (version, config.channels, config.pre_skip, config.input_rate, config.gain, config.family)
    return struct.pack(f"{order}BBHIhB", *numbers) + config.mapping
