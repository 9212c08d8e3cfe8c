"""H.265 and AV1: configurations by literal bytes and by what libx265 and SVT-AV1 write."""

from pathlib import Path

import pytest

from media.codecs import av1, h265
from media.malformed import MalformedMedia
from media.packet import video_track
from tests.media import clips

HVCC = bytes.fromhex(
    "01016000000090000000000078f000fcfdf8f800000f03"
    "a0000100184001 0c01ffff01600000030090000003000003007895 9409".replace(" ", "")
    + "a10001002c420101016000000300900000030000030078a003c0801107536595952930bc05a020000003002000000303c1"
    + "a2000100064401c073c189"
)
AV1C = bytes.fromhex("81050c000a0b0000002d4cffb3c02f8004")


def test_hvcc() -> None:
    config = h265.parse_config(HVCC)
    assert (config.profile, config.tier, config.level, config.length_size) == (1, 0, 120, 4)
    assert config.size == (1918, 1078)
    assert [(kind, len(units)) for kind, units in config.units] == [(32, 1), (33, 1), (34, 1)]
    assert h265.codec_string(HVCC) == "hvc1.1.6.L120.90"
    track = video_track("h265", HVCC)
    assert (track.timescale, track.width, track.height) == (90_000, 1918, 1078)


def test_the_name_of_a_high_tier_and_a_profile_space() -> None:
    other = b"\x01\xa2\x20\x00\x00\x00\xb0\x00\x00\x00\x00\x00\x5d" + HVCC[13:]
    assert h265.codec_string(other) == "hvc1.B2.4.H93.B0"


@pytest.mark.parametrize("length", range(0, len(HVCC), 3))
def test_hvcc_cut_anywhere_is_refused(length: int) -> None:
    with pytest.raises(MalformedMedia):
        h265.parse_config(HVCC[:length])


@pytest.mark.parametrize("size", ["64x64", "638x358", "1366x768"])
@pytest.mark.parametrize("pixels", ["yuv420p", "yuv422p", "yuv444p"])
def test_what_libx265_writes(tmp_path: Path, size: str, pixels: str) -> None:
    codec = (*clips.H265, "-pix_fmt", pixels, "-frames:v", "1")
    made = clips.encode(tmp_path / "made.mp4", *codec, video=f"color=size={size}:rate=25")
    (track,) = clips.demux(made).tracks
    assert f"{track.width}x{track.height}" == size


def test_h265_key_frames(tmp_path: Path) -> None:
    source = clips.demux(clips.encode(tmp_path / "made.mp4", *clips.H265))
    found = [h265.is_keyframe(h265.split(packet.data)) for packet in source.packets]
    assert found == [packet.keyframe for packet in source.packets]
    assert 0 < sum(found) < len(found)


def test_av1c() -> None:
    config = av1.parse_config(AV1C)
    assert (config.profile, config.level, config.tier, config.bit_depth, config.size) == (0, 5, 0, 8, (1280, 720))
    assert av1.codec_string(AV1C) == "av01.0.05M.08"
    assert av1.codec_string(bytes((0x81, 0x2D, 0xE0, 0))) == "av01.1.13H.12"
    assert video_track("av1", AV1C).width == 1280
    assert av1.parse_config(AV1C[:4]).size == (0, 0)


@pytest.mark.parametrize("config", [b"", AV1C[:3], b"\x80" + AV1C[1:], AV1C[:-1], AV1C[:5], AV1C[:4] + b"\x0a\x01\x00"])
def test_av1c_that_is_none(config: bytes) -> None:
    with pytest.raises(MalformedMedia):
        av1.parse_config(config)


def test_av1_key_frames(tmp_path: Path) -> None:
    source = clips.demux(clips.encode(tmp_path / "made.mp4", *clips.AV1))
    assert [av1.is_keyframe(p.data) for p in source.packets] == [p.keyframe for p in source.packets]
    assert sum(p.keyframe for p in source.packets) == clips.SECONDS


def test_obus_with_extension_and_without_size() -> None:
    data = b"\x12\x00" + b"\x0e\x08\x01\xff" + b"\x30\x10\x20"
    assert [(kind, bytes(payload)) for kind, payload in av1.obus(data)] == [
        (2, b""),
        (1, b"\xff"),
        (6, b"\x10\x20"),
    ]
    assert not av1.is_keyframe(b"\x12\x00")
    with pytest.raises(MalformedMedia):
        list(av1.obus(b"\x12\x00" * 10_001))
