"""AudioSpecificConfig by literal bytes of every way to signal it."""

import pytest

from media.codecs import aac
from media.codecs.aac import AacConfig
from media.malformed import MalformedMedia
from media.packet import audio_track


@pytest.mark.parametrize(
    ("config", "expected", "name"),
    [
        ("1190", AacConfig(2, 48_000, 2), "mp4a.40.2"),
        ("1208", AacConfig(2, 44_100, 1), "mp4a.40.2"),
        ("11b0", AacConfig(2, 48_000, 6), "mp4a.40.2"),
        ("11b8", AacConfig(2, 48_000, 8), "mp4a.40.2"),
        ("1194", AacConfig(2, 48_000, 2, frame_length=960), "mp4a.40.2"),
        ("119056e500", AacConfig(2, 48_000, 2), "mp4a.40.2"),  # ffmpeg: the extension says no
        ("1780366010", AacConfig(2, 27_840, 2), "mp4a.40.2"),  # a rate without an index
        ("2b118800", AacConfig(2, 24_000, 2, sbr_rate=48_000), "mp4a.40.5"),  # hierarchical
        ("131056e598", AacConfig(2, 24_000, 2, sbr_rate=48_000), "mp4a.40.5"),  # backward compatible
        ("eb098800", AacConfig(2, 24_000, 1, sbr_rate=48_000, parametric_stereo=True), "mp4a.40.29"),
        ("130856e59d4880", AacConfig(2, 24_000, 1, sbr_rate=48_000, parametric_stereo=True), "mp4a.40.29"),
        ("0990", AacConfig(1, 48_000, 2), "mp4a.40.1"),
    ],
)
def test_configurations(config: str, expected: AacConfig, name: str) -> None:
    assert aac.parse_config(bytes.fromhex(config)) == expected
    assert aac.codec_string(bytes.fromhex(config)) == name


def test_channels_from_a_program_config_element() -> None:
    # channel configuration 0; then tag 0, LC, 48 kHz, one pair in front, one single, one LFE, no mixdowns
    bits = "00010 0011 0000 000" + "0000 01 0011 0010 0000 0000 01 000 0000 000" + "0 0000 1 0001" + "0000"
    text = bits.replace(" ", "")
    data = int(text.ljust(-(-len(text) // 8) * 8, "0"), 2).to_bytes(-(-len(text) // 8), "big")
    assert aac.parse_config(data) == AacConfig(2, 48_000, 4)


def test_what_is_heard() -> None:
    stereo = aac.parse_config(bytes.fromhex("eb098800"))
    assert (stereo.output_rate, stereo.output_channels, stereo.frame_ticks) == (48_000, 2, 2048)
    plain = aac.parse_config(bytes.fromhex("1208"))
    assert (plain.output_rate, plain.output_channels, plain.frame_ticks) == (44_100, 1, 1024)
    track = audio_track("aac", bytes.fromhex("2b118800"))
    assert (track.timescale, track.sample_rate, track.channels, track.codec_string) == (48_000, 48_000, 2, "mp4a.40.5")


@pytest.mark.parametrize("rate", [*aac.RATES, 27_840])
@pytest.mark.parametrize("channels", [1, 2, 3, 4, 5, 6, 8])
def test_what_is_built_can_be_read(rate: int, channels: int) -> None:
    assert aac.parse_config(aac.build_config(rate, channels)) == AacConfig(2, rate, channels)


def test_literal_configurations_are_built() -> None:
    assert aac.build_config(48_000, 2).hex() == "1190"
    assert aac.build_config(27_840, 2).hex() == "1780366010"


@pytest.mark.parametrize(
    "config",
    ["", "11", "1e90", "1780000010", "f94090", "11c8", "2b11"],
)
def test_configurations_that_are_none(config: str) -> None:
    with pytest.raises(MalformedMedia):
        aac.parse_config(bytes.fromhex(config))


@pytest.mark.parametrize(("rate", "channels"), [(48_000, 0), (48_000, 7), (0, 2), (1 << 24, 2)])
def test_configurations_that_cannot_be_built(rate: int, channels: int) -> None:
    with pytest.raises(MalformedMedia):
        aac.build_config(rate, channels)
