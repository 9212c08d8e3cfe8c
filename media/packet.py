"""`Track` and `Packet`: the one atom that every protocol is turned into and made from.

Times are integer ticks of the track's timescale, never floats. Data is one access unit as ISO-BMFF stores it (H.264 and
H.265: four-byte lengths; AV1: OBUs with sizes, no temporal delimiters; AAC: raw, without ADTS; Opus: one packet), and
it is handed on as it came, never copied.
"""

from dataclasses import dataclass
from typing import Literal

from media.codecs import aac, av1, h264, h265, opus

VIDEO_TIMESCALE = 90_000

VideoCodec = Literal["h264", "h265", "av1"]
AudioCodec = Literal["aac", "opus"]


@dataclass(frozen=True, slots=True)
class Track:
    """One video or audio stream and how to decode it.

    `config` is the body of the codec's configuration box: avcC, hvcC, av1C, dOps, or for AAC the AudioSpecificConfig.
    `timescale` is ticks a second: 90,000 for video, the sample rate for audio (48,000 for Opus).
    """

    kind: Literal["video", "audio"]
    codec: VideoCodec | AudioCodec
    timescale: int
    config: bytes
    width: int = 0
    height: int = 0
    sample_rate: int = 0
    channels: int = 0

    @property
    def codec_string(self) -> str:
        """The track's entry in CODECS (RFC 6381). Raises MalformedMedia if `config` cannot be read."""
        return _CODEC_STRINGS[self.codec](self.config)


@dataclass(slots=True)
class Packet:
    """One access unit: decode and presentation time in the track's ticks, and its bytes."""

    track: Track
    dts: int
    pts: int
    keyframe: bool
    data: bytes | memoryview


def video_track(codec: VideoCodec, config: bytes, timescale: int = VIDEO_TIMESCALE) -> Track:
    """A track from a codec's configuration alone; its size comes from the parameter sets, 0 × 0 without them."""
    if codec == "h264":
        width, height = h264.parse_config(config).size
    elif codec == "h265":
        width, height = h265.parse_config(config).size
    else:
        width, height = av1.parse_config(config).size
    return Track("video", codec, timescale, bytes(config), width=width, height=height)


def audio_track(codec: AudioCodec, config: bytes) -> Track:
    """A track from a codec's configuration alone; its timescale is the rate that is heard (HE-AAC: the doubled one)."""
    if codec == "aac":
        parsed = aac.parse_config(config)
        rate, channels = parsed.output_rate, parsed.output_channels
    else:
        rate, channels = opus.SAMPLE_RATE, opus.parse_config(config).channels
    return Track("audio", codec, rate, bytes(config), sample_rate=rate, channels=channels)


_CODEC_STRINGS = {
    "h264": h264.codec_string,
    "h265": h265.codec_string,
    "av1": av1.codec_string,
    "aac": aac.codec_string,
    "opus": opus.codec_string,
}
