"""Opus headers by literal bytes, and packet lengths against libopus and PyAV."""

from pathlib import Path

import pytest

from media.codecs import opus
from media.codecs.opus import OpusConfig
from media.malformed import MalformedMedia
from media.packet import audio_track
from tests.media import clips

STEREO = OpusConfig(2, 312, 48_000)
BOX = bytes.fromhex("00 02 0138 0000bb80 0000 00")
HEAD = b"OpusHead" + bytes.fromhex("01 02 3801 80bb0000 0000 00")
SURROUND = OpusConfig(6, 312, 48_000, gain=-256, family=1, mapping=bytes((4, 2, 0, 4, 1, 2, 3, 5)))


def test_headers() -> None:
    assert opus.parse_config(BOX) == STEREO == opus.parse_head(HEAD)
    assert opus.build_config(STEREO) == BOX
    assert opus.build_head(STEREO) == HEAD
    assert opus.codec_string(BOX) == "opus"


def test_surround() -> None:
    assert opus.build_config(SURROUND).hex() == "000601380000bb80ff0001" + "0402000401020305"
    assert opus.parse_config(opus.build_config(SURROUND)) == SURROUND == opus.parse_head(opus.build_head(SURROUND))


def test_a_track() -> None:
    track = audio_track("opus", BOX)
    assert (track.timescale, track.channels, track.codec_string) == (48_000, 2, "opus")


@pytest.mark.parametrize(
    "config",
    [b"", BOX[:-1], b"\x01" + BOX[1:], b"\x00\x00" + BOX[2:], b"\x00\x03" + BOX[2:], opus.build_config(SURROUND)[:-1]],
)
def test_boxes_that_are_none(config: bytes) -> None:
    with pytest.raises(MalformedMedia):
        opus.parse_config(config)


@pytest.mark.parametrize("head", [b"", b"OpusHead", BOX, HEAD[:8] + b"\x11" + HEAD[9:], HEAD[:-1]])
def test_heads_that_are_none(head: bytes) -> None:
    with pytest.raises(MalformedMedia):
        opus.parse_head(head)


def test_heads_of_a_compatible_version() -> None:
    assert opus.parse_head(HEAD[:8] + b"\x02" + HEAD[9:]) == STEREO


@pytest.mark.parametrize(
    ("application", "milliseconds"),
    [("lowdelay", "2.5"), *((mode, size) for mode in ("voip", "lowdelay") for size in ("10", "20", "60", "120"))],
)
def test_packet_lengths_as_libopus_writes_them(tmp_path: Path, application: str, milliseconds: str) -> None:
    made = tmp_path / "made.mp4"
    clips.ffmpeg(
        *("-f", "lavfi", "-i", clips.AUDIO, "-t", "1", *clips.OPUS, "-application", application),
        *("-frame_duration", milliseconds, made),
    )
    packets = clips.demux(made).packets
    assert len(packets) > 5
    assert {opus.packet_ticks(packet.data) for packet in packets} == {int(float(milliseconds) * 48)}


@pytest.mark.parametrize("packet", [b"", b"\x1b", b"\x1b\x00", b"\x1b\x03"])
def test_packets_that_are_none(packet: bytes) -> None:
    with pytest.raises(MalformedMedia):
        opus.packet_ticks(packet)
