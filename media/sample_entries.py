"""`Track` ↔ its sample entry in stsd (ISO/IEC 14496-12 §8.5.2 and the bindings of each codec).

The entry names the codec and carries its configuration box. A new codec is added here and in `media/codecs/`, nowhere
else in this room.
"""

from dataclasses import dataclass

from media.boxes import Box, Fields, box, find, full_box, require
from media.codecs import aac, av1, h264, h265, opus
from media.malformed import MalformedMedia
from media.packet import AudioCodec, Track, VideoCodec

MAX_CONFIG_BYTES = 65_536  # parameter sets are some hundred bytes
_VIDEO: dict[bytes, tuple[VideoCodec, bytes]] = {
    b"avc1": ("h264", b"avcC"),
    b"avc3": ("h264", b"avcC"),
    b"hvc1": ("h265", b"hvcC"),
    b"hev1": ("h265", b"hvcC"),
    b"av01": ("av1", b"av1C"),
}
_AUDIO: dict[bytes, AudioCodec] = {b"mp4a": "aac", b"Opus": "opus"}
_ENTRY = {"h264": (b"avc1", b"avcC"), "h265": (b"hvc1", b"hvcC"), "av1": (b"av01", b"av1C"), "opus": (b"Opus", b"dOps")}
_AAC_OBJECT_TYPE = 0x40  # MPEG-4 audio; 0x66 to 0x68 are MPEG-2's AAC profiles with the same configuration
_AAC_OBJECT_TYPES = (0x40, 0x66, 0x67, 0x68)
_ES, _DECODER_CONFIG, _DECODER_INFO, _SL_CONFIG = 3, 4, 5, 6  # descriptor tags, ISO/IEC 14496-1 §7.2.2.1


@dataclass(frozen=True, slots=True)
class Entry:
    """What a sample entry tells: enough to make a Track once the timescale is known."""

    codec: VideoCodec | AudioCodec
    config: bytes
    width: int = 0
    height: int = 0
    sample_rate: int = 0
    channels: int = 0


def build_entry(track: Track) -> bytes:
    """The sample entry of a track."""
    reserved = bytes(6) + b"\x00\x01"  # data_reference_index 1
    if track.kind == "video":
        kind, config_kind = _ENTRY[track.codec]
        size = track.width.to_bytes(2, "big") + track.height.to_bytes(2, "big")
        resolution = b"\x00\x48\x00\x00" * 2  # 72 dpi
        middle = bytes(4) + b"\x00\x01" + bytes(32) + b"\x00\x18\xff\xff"  # frame_count 1, no name, depth 24
        return box(kind, reserved, bytes(16), size, resolution, middle, box(config_kind, track.config))
    rate = track.sample_rate << 16 if track.sample_rate <= 0xFFFF else 0  # 16.16 fixed; 0: as the configuration says
    fields = bytes(8) + track.channels.to_bytes(2, "big") + b"\x00\x10" + bytes(4) + rate.to_bytes(4, "big")
    if track.codec == "aac":
        return box(b"mp4a", reserved, fields, build_esds(track.config))
    kind, config_kind = _ENTRY[track.codec]
    return box(kind, reserved, fields, box(config_kind, track.config))


def parse_entry(entry: Box) -> Entry:
    """Reads a sample entry. Raises MalformedMedia, also for a codec that is not one of ours."""
    fields = Fields(entry.payload)
    fields.take(8)  # reserved, data_reference_index
    if entry.kind in _VIDEO:
        codec, config_kind = _VIDEO[entry.kind]
        fields.take(16)
        width, height = fields.u(2), fields.u(2)
        fields.take(50)
        config = _config(require(fields.rest(), config_kind).payload)
        {"h264": h264.parse_config, "h265": h265.parse_config, "av1": av1.parse_config}[codec](config)
        return Entry(codec, config, width, height)
    if entry.kind in _AUDIO:
        return _parse_audio(_AUDIO[entry.kind], fields)
    message = f"sample entry {entry.kind.decode('latin-1')!r} is of no codec known here"
    raise MalformedMedia(message)


def build_esds(config: bytes) -> bytes:
    """The elementary stream descriptor box of AAC (ISO/IEC 14496-1 §7.2.6)."""
    info = _descriptor(_DECODER_INFO, config)
    decoder = _descriptor(_DECODER_CONFIG, bytes((_AAC_OBJECT_TYPE, 0x15)) + bytes(11) + info)  # audio stream, no rates
    return full_box(b"esds", 0, 0, _descriptor(_ES, bytes(3) + decoder + _descriptor(_SL_CONFIG, b"\x02")))


def parse_esds(payload: memoryview) -> bytes:
    """The AudioSpecificConfig in an esds box. Raises MalformedMedia if it describes anything else than AAC."""
    fields = Fields(payload)
    fields.take(4)
    stream = Fields(_open_descriptor(fields, _ES))
    stream.take(2)
    flags = stream.u(1)
    stream.take(2 * (flags >> 7))  # dependsOn_ES_ID
    if flags & 0x40:
        stream.take(stream.u(1))  # URL
    stream.take(2 * (flags >> 5 & 1))  # OCR_ES_Id
    decoder = Fields(_open_descriptor(stream, _DECODER_CONFIG))
    object_type = decoder.u(1)
    if object_type not in _AAC_OBJECT_TYPES:
        message = f"mp4a of object type 0x{object_type:02x} is not AAC"
        raise MalformedMedia(message)
    decoder.take(12)
    return _config(_open_descriptor(decoder, _DECODER_INFO))


def _parse_audio(codec: AudioCodec, fields: Fields) -> Entry:
    version = fields.u(2)
    fields.take(6)
    fields.take(12)  # channels, sample size, rate: the configuration knows better
    fields.take({1: 16, 2: 36}.get(version, 0))  # QuickTime's longer entries
    children = fields.rest()
    if codec == "opus":
        config = _config(require(children, b"dOps").payload)
        return Entry(codec, config, sample_rate=opus.SAMPLE_RATE, channels=opus.parse_config(config).channels)
    wave = find(children, b"wave")  # QuickTime puts esds one level deeper
    config = parse_esds(require(wave.payload if wave else children, b"esds").payload)
    parsed = aac.parse_config(config)
    return Entry(codec, config, sample_rate=parsed.output_rate, channels=parsed.output_channels)


def _config(payload: memoryview) -> bytes:
    if len(payload) > MAX_CONFIG_BYTES:
        message = f"codec configuration of {len(payload)} bytes is over the limit of {MAX_CONFIG_BYTES}"
        raise MalformedMedia(message)
    return bytes(payload)


def _descriptor(tag: int, body: bytes) -> bytes:
    """A descriptor; its size in as many groups of seven bits as are needed (§8.3.3)."""
    size, groups = len(body), [len(body) & 0x7F]
    while size := size >> 7:
        groups.append(size & 0x7F | 0x80)
    return bytes((tag, *reversed(groups))) + body


def _open_descriptor(fields: Fields, tag: int) -> memoryview:
    found = fields.u(1)
    size = 0
    for _ in range(4):
        byte = fields.u(1)
        size = size << 7 | byte & 0x7F
        if not byte & 0x80:
            break
    if found != tag:
        message = f"descriptor {found} where {tag} should stand"
        raise MalformedMedia(message)
    return fields.take(size)
