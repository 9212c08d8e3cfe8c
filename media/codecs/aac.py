"""AAC: the AudioSpecificConfig (ISO/IEC 14496-3 §1.6.2.1), its high-efficiency forms included.

HE-AAC codes half the rate that is heard: `sample_rate` is the core's, `output_rate` what a player gives out, and it is
the latter that a track counts its ticks in.
"""

from dataclasses import dataclass

from media.codecs.bits import Bits
from media.malformed import MalformedMedia

LC, SBR, PS = 2, 5, 29  # audio object types
RATES = (96_000, 88_200, 64_000, 48_000, 44_100, 32_000, 24_000, 22_050, 16_000, 12_000, 11_025, 8_000, 7_350)
_CHANNELS = {0: 0, 1: 1, 2: 2, 3: 3, 4: 4, 5: 5, 6: 6, 7: 8, 11: 7, 12: 8, 14: 8}
_GENERAL_AUDIO = frozenset((1, 2, 3, 4, 17, 19, 23))
_SYNC_SBR, _SYNC_PS = 0x2B7, 0x548  # §1.6.5: backward compatible signalling


@dataclass(frozen=True, slots=True)
class AacConfig:
    """What an AudioSpecificConfig says. Rates are Hz, `frame_length` is samples of the core."""

    object_type: int
    sample_rate: int
    channels: int
    frame_length: int = 1024
    sbr_rate: int = 0
    parametric_stereo: bool = False

    @property
    def output_rate(self) -> int:
        """Hz of what is heard, and a track's timescale."""
        return self.sbr_rate or self.sample_rate

    @property
    def output_channels(self) -> int:
        """Channels of what is heard: parametric stereo makes two of one."""
        return 2 if self.parametric_stereo and self.channels == 1 else self.channels

    @property
    def frame_ticks(self) -> int:
        """How long one packet lasts, in ticks of `output_rate`."""
        return self.frame_length * self.output_rate // self.sample_rate


def parse_config(config: bytes | memoryview) -> AacConfig:
    """Reads an AudioSpecificConfig. Raises MalformedMedia."""
    bits = Bits(config)
    object_type = _object_type(bits)
    rate = _rate(bits)
    channel_configuration = bits.u(4)
    if channel_configuration not in _CHANNELS:
        message = f"AAC channel configuration {channel_configuration} is reserved"
        raise MalformedMedia(message)
    channels = _CHANNELS[channel_configuration]
    sbr_rate, parametric = 0, False
    if object_type in (SBR, PS):  # explicit, hierarchical signalling: the extension first, then the core
        parametric = object_type == PS
        sbr_rate = _rate(bits)
        object_type = _object_type(bits)
    if object_type not in _GENERAL_AUDIO:
        message = f"audio object type {object_type} is not AAC"
        raise MalformedMedia(message)
    frame_length = 960 if bits.flag() else 1024
    if bits.flag():  # dependsOnCoreCoder
        bits.skip(14)
    extension = bits.flag()
    if not channel_configuration:
        channels = _program_channels(bits)
    elif not sbr_rate and not extension:
        sbr_rate, parametric = _backward_compatible(bits)
    return AacConfig(object_type, rate, channels, frame_length, sbr_rate, parametric)


def build_config(sample_rate: int, channels: int) -> bytes:
    """The AudioSpecificConfig of AAC-LC. Raises MalformedMedia for a number of channels that has no configuration."""
    configuration = {1: 1, 2: 2, 3: 3, 4: 4, 5: 5, 6: 6, 8: 7}.get(channels)
    if configuration is None or not 0 < sample_rate < 1 << 24:
        message = f"AAC of {channels} channels at {sample_rate} Hz"
        raise MalformedMedia(message)
    if sample_rate in RATES:
        return (LC << 11 | RATES.index(sample_rate) << 7 | configuration << 3).to_bytes(2, "big")
    return (LC << 35 | 15 << 31 | sample_rate << 7 | configuration << 3).to_bytes(5, "big")


def codec_string(config: bytes | memoryview) -> str:
    """RFC 6381 §3.3: object type indication 40 and the audio object type that a player must know."""
    parsed = parse_config(config)
    object_type = PS if parsed.parametric_stereo else SBR if parsed.sbr_rate else parsed.object_type
    return f"mp4a.40.{object_type}"


def _object_type(bits: Bits) -> int:
    object_type = bits.u(5)
    return 32 + bits.u(6) if object_type == 31 else object_type


def _rate(bits: Bits) -> int:
    index = bits.u(4)
    rate = bits.u(24) if index == 15 else RATES[index] if index < len(RATES) else 0
    if not rate:
        message = f"AAC sampling frequency index {index} gives no rate"
        raise MalformedMedia(message)
    return rate


def _program_channels(bits: Bits) -> int:
    """Channels of a program_config_element (§4.4.1.1): a pair counts twice; coupling channels are not heard."""
    bits.skip(10)  # element_instance_tag, object_type, sampling_frequency_index
    fronts, sides, backs, lfe, data, coupling = bits.u(4), bits.u(4), bits.u(4), bits.u(2), bits.u(3), bits.u(4)
    for mixdown_bits in (4, 4, 3):
        if bits.flag():
            bits.skip(mixdown_bits)
    channels = lfe
    for _ in range(fronts + sides + backs):
        channels += 1 + bits.u(1)
        bits.skip(4)
    bits.skip(4 * (lfe + data) + 5 * coupling)
    return channels


def _backward_compatible(bits: Bits) -> tuple[int, bool]:
    """SBR rate and parametric stereo from a sync extension after the core's configuration, if there is one."""
    if bits.left < 16 or bits.u(11) != _SYNC_SBR or _object_type(bits) != SBR or not bits.flag():
        return 0, False
    rate = _rate(bits)
    return rate, bits.left >= 12 and bits.u(11) == _SYNC_PS and bits.flag()
