"""A key frame's quantiser: what libx264 was told to use is what is read, whatever kind of header stands before it."""

from pathlib import Path

import pytest

from media.codecs.h264_quantiser import KeyFrameQuantiser
from media.malformed import MalformedMedia
from media.packet import Packet
from tests.media import clips
from tests.media.codecs.test_h264 import HIGH_RECORD

QUICK = ("-c:v", "libx264", "-preset", "ultrafast", "-threads", "1", "-frames:v", "3", "-g", "2")
FIELDS = ("-flags", "+ilme+ildct")
KINDS = {
    "progressive": (),
    "interlaced": FIELDS,
    "with B frames": ("-bf", "2", "-x264-params", "b-pyramid=normal"),
    "several slices": ("-slices", "4"),
    "with CABAC and 8x8": ("-preset", "medium"),
    "baseline": ("-profile:v", "baseline"),
    "4:4:4": ("-pix_fmt", "yuv444p"),
    "many IDR pictures": ("-g", "1"),
}


def key_frames(path: Path) -> list[Packet]:
    return [one for one in clips.demux(path).packets if one.keyframe]


@pytest.mark.parametrize("quantiser", [12, 26, 37, 51])
def test_what_the_encoder_was_told(tmp_path: Path, quantiser: int) -> None:
    # A constant quantiser is that of P pictures: with the ratio at 1 key frames have the same.
    made = clips.encode(tmp_path / "a.mp4", *QUICK, "-qp", str(quantiser), "-i_qfactor", "1")
    frames = key_frames(made)
    reader = KeyFrameQuantiser(frames[0].track.config)
    assert [reader.read(one.data) for one in frames] == [quantiser] * 2


@pytest.mark.parametrize("kind", KINDS)
def test_whatever_stands_before_it(tmp_path: Path, kind: str) -> None:
    made = clips.encode(tmp_path / "a.mp4", *QUICK, *KINDS[kind], "-qp", "31", "-i_qfactor", "1")
    frames = key_frames(made)
    reader = KeyFrameQuantiser(frames[0].track.config)
    assert {reader.read(one.data) for one in frames} == {31}


def test_of_other_pictures_nothing_is_read(tmp_path: Path) -> None:
    packets = clips.demux(clips.encode(tmp_path / "a.mp4", *QUICK, "-qp", "31")).packets
    reader = KeyFrameQuantiser(packets[0].track.config)
    assert [reader.read(one.data) is None for one in packets] == [not one.keyframe for one in packets]
    assert reader.read(b"") is None


def test_a_picture_of_parameter_sets_that_are_not_there_says_nothing(tmp_path: Path) -> None:
    frame = key_frames(clips.encode(tmp_path / "a.mp4", *QUICK, "-x264-params", "sps-id=1"))[0]
    assert KeyFrameQuantiser(HIGH_RECORD).read(frame.data) is None


def test_a_header_that_ends_too_soon_is_malformed() -> None:
    with pytest.raises(MalformedMedia):
        KeyFrameQuantiser(HIGH_RECORD).read(b"\x00\x00\x00\x02\x65\x88")
