"""H.264 by literal parameter sets, and by asking libx264 for every kind of size and format."""

from fractions import Fraction
from pathlib import Path

import av
import pytest
from hypothesis import given
from hypothesis import strategies as st

from media.codecs import h264
from media.codecs.h264 import H264Config, PictureOrder, Sps
from media.malformed import MalformedMedia
from tests.media import clips

SPS_1080 = bytes.fromhex("67640028acd940780227e5c04400000fa40003a9803c60c658")  # 30000/1001 frames a second, cropped
SPS_INTERLACED = bytes.fromhex("67640028acd94078044fde0220000003002000000643e2c5b2c0")
SPS_BASELINE = bytes.fromhex("6742c01fda014016ec0440000003004000000f03c60ca8")
SPS_444 = bytes.fromhex("67f4000d919b282833f1b80880000003008000001e078a14cb")
PPS = bytes.fromhex("68ef8fcbfdf8f8")
PLAIN_RECORD = bytes.fromhex("0142c01fffe10017") + SPS_BASELINE + bytes.fromhex("01000468ce0fc8")
HIGH_RECORD = bytes.fromhex("01640028ffe10019") + SPS_1080 + bytes.fromhex("010007") + PPS + bytes.fromhex("fdf8f800")


@pytest.mark.parametrize(
    ("unit", "expected"),
    [
        (SPS_1080, Sps(100, 0, 40, 1920, 1080, Fraction(30_000, 1001), 1, 8, 8, 0, False, True, 4, PictureOrder(0, 6))),
        (SPS_INTERLACED, Sps(100, 0, 40, 1920, 1080, Fraction(25), 1, 8, 8, 0, False, False, 4, PictureOrder(0, 6))),
        (SPS_BASELINE, Sps(66, 0xC0, 31, 1280, 720, Fraction(30), 1, 8, 8, 0, False, True, 4, PictureOrder(2))),
        (SPS_444, Sps(244, 0, 13, 320, 180, Fraction(30), 3, 8, 8, 0, False, True, 4, PictureOrder(0, 6))),
    ],
)
def test_parameter_sets(unit: bytes, expected: Sps) -> None:
    assert h264.parse_sps(unit) == expected


@pytest.mark.parametrize("size", ["64x64", "176x144", "638x360", "1366x768", "1080x1920"])
@pytest.mark.parametrize(
    ("options", "bit_depth", "chroma"),
    [
        (("-pix_fmt", "yuv420p"), 8, 1),
        (("-pix_fmt", "yuv422p10le"), 10, 2),
        (("-pix_fmt", "yuv444p", "-x264-params", "cqm=jvt"), 8, 3),
        (("-pix_fmt", "yuv420p", "-flags", "+ilme+ildct", "-weightp", "0", "-aspect", "16:9"), 8, 1),
    ],
)
def test_what_libx264_writes(tmp_path: Path, size: str, options: tuple[str, ...], bit_depth: int, chroma: int) -> None:
    codec = ("-c:v", "libx264", "-preset", "ultrafast", "-threads", "1", "-frames:v", "1", *options)
    made = clips.encode(tmp_path / "made.mp4", *codec, video=f"color=size={size}:rate=24000/1001")
    with av.open(str(made)) as container:
        context = container.streams.video[0].codec_context
        config = context.extradata or b""
        sps = h264.parse_sps(h264.parse_config(config).sps[0])
        assert (sps.width, sps.height) == (context.width, context.height)
    assert (sps.bit_depth_luma, sps.bit_depth_chroma, sps.chroma_format) == (bit_depth, bit_depth, chroma)
    assert sps.frame_rate == Fraction(24_000, 1001)
    parsed = h264.parse_config(config)
    assert h264.build_config(parsed.sps, parsed.pps) == config


def test_records() -> None:
    plain = H264Config(66, 0xC0, 31, 4, (SPS_BASELINE,), (bytes.fromhex("68ce0fc8"),))
    assert h264.parse_config(PLAIN_RECORD) == plain
    assert h264.build_config(plain.sps, plain.pps) == PLAIN_RECORD
    assert h264.build_config([SPS_1080], [PPS]) == HIGH_RECORD
    assert h264.parse_config(HIGH_RECORD).size == (1920, 1080)
    assert h264.codec_string(HIGH_RECORD) == "avc1.640028"
    assert h264.codec_string(PLAIN_RECORD) == "avc1.42c01f"


def test_a_record_without_parameter_sets_has_no_size() -> None:
    assert h264.parse_config(bytes.fromhex("0142c01fffe000")).size == (0, 0)


@pytest.mark.parametrize("length", range(len(PLAIN_RECORD)))
def test_a_record_cut_anywhere_is_refused(length: int) -> None:
    with pytest.raises(MalformedMedia):
        h264.parse_config(PLAIN_RECORD[:length])


@pytest.mark.parametrize(
    "unit",
    [
        b"",
        b"\x68" + SPS_1080[1:],  # a picture parameter set
        SPS_1080[:12],
        SPS_1080[:4] + bytes(10),  # an Exp-Golomb number without end
        SPS_BASELINE[:4] + b"\xff" * 8,
        SPS_1080 + bytes(5000),
    ],
)
def test_parameter_sets_that_are_none(unit: bytes) -> None:
    with pytest.raises(MalformedMedia):
        h264.parse_sps(unit)


@pytest.mark.parametrize(("sps", "pps"), [([], [PPS]), ([SPS_1080], []), ([SPS_1080 * 3000], [PPS]), ([PPS], [PPS])])
def test_records_that_cannot_be_built(sps: list[bytes], pps: list[bytes]) -> None:
    with pytest.raises(MalformedMedia):
        h264.build_config(sps, pps)


def test_between_the_two_framings() -> None:
    stream = b"\x00\x00\x00\x01\x09\xf0\x00\x00\x01\x65\x88\x00\x00\x03\x00\x00\x00\x01\x41\x9a\x00\x00"
    stored = b"\x00\x00\x00\x02\x09\xf0\x00\x00\x00\x05\x65\x88\x00\x00\x03\x00\x00\x00\x02\x41\x9a"
    assert h264.annexb_to_avcc(stream) == stored
    assert h264.avcc_to_annexb(stored) == (
        b"\x00\x00\x00\x01\x09\xf0\x00\x00\x00\x01\x65\x88\x00\x00\x03\x00\x00\x00\x01\x41\x9a"
    )
    assert h264.split_avcc(b"\x02\x65\x88\x00\x01\x41", length_size=1) == [b"\x65\x88", b"\x41"]
    assert h264.annexb_to_avcc(b"") == b""


@pytest.mark.parametrize("stored", [b"\x00", b"\x00\x00\x00\x02\x65", b"\xff\xff\xff\xff\x65"])
def test_lengths_that_lie(stored: bytes) -> None:
    with pytest.raises(MalformedMedia):
        h264.split_avcc(stored)


@pytest.mark.parametrize("stream", [b"\x65\x88", b"\x65\x00\x00\x01\x41"])
def test_streams_that_do_not_begin_with_a_start_code(stream: bytes) -> None:
    with pytest.raises(MalformedMedia):
        h264.split_annexb(stream)


def test_the_number_of_units_is_limited() -> None:
    with pytest.raises(MalformedMedia):
        h264.split_avcc(b"\x00\x00\x00\x01\x41" * 10_001)
    with pytest.raises(MalformedMedia):
        h264.split_annexb(b"\x00\x00\x01\x41" * 10_001)


def test_key_frames() -> None:
    assert h264.is_keyframe([b"\x67\x64", b"\x68", b"\x65\x88"])
    assert not h264.is_keyframe([b"\x67\x64", b"\x68", b"", b"\x41\x88"])


def escaped(payload: bytes) -> bytes:
    """A NAL unit as an encoder must write it: no start code inside, no zero at the end (§7.4.1)."""
    out = bytearray(b"\x41")
    for byte in payload:
        if byte <= 3 and out[-2:] == b"\x00\x00":
            out.append(3)
        out.append(byte)
    return bytes(out) + b"\x80"


@given(st.lists(st.binary(max_size=40).map(escaped), max_size=6))
def test_any_unit_survives_both_framings(units: list[bytes]) -> None:
    assert h264.split_annexb(h264.join_annexb(units)) == units
    assert h264.split_avcc(h264.join_avcc(units)) == units
    assert h264.annexb_to_avcc(h264.avcc_to_annexb(h264.join_avcc(units))) == h264.join_avcc(units)


def test_a_real_stream_in_annex_b_is_the_same_as_stored(lecture: Path, tmp_path: Path) -> None:
    raw = tmp_path / "raw.h264"
    clips.ffmpeg("-i", lecture, "-map", "0:v", "-c", "copy", "-bsf:v", "h264_mp4toannexb", "-f", "h264", raw)
    stored = [p.data for p in clips.demux(lecture).packets if p.track.kind == "video"]
    units = [unit for data in stored for unit in h264.split_avcc(data)]
    parsed = h264.parse_config(clips.demux(lecture).tracks[0].config)
    again = [unit for unit in h264.split_annexb(raw.read_bytes()) if unit not in (*parsed.sps, *parsed.pps)]
    assert again == units
