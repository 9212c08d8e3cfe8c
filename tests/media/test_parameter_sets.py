"""Parameter sets that change in the stream alone, by literal ones and by what encoders write."""

from pathlib import Path

import pytest

from media.codecs import av1, h264, h265
from media.malformed import MalformedMedia
from media.packet import Track, video_track
from media.parameter_sets import MAX_LEADING, ParameterSets, SequenceHeader
from tests.ingest.whip.h264_rtp import IDR, NEW_PPS, NEW_SPS, PPS, SLICE, SPS
from tests.media import clips
from tests.media.codecs.test_h265_av1 import AV1C, HVCC

TRACK = video_track("h264", h264.build_config([SPS], [PPS]))
SMALL_AV1C = bytes.fromhex("81000c000a0b000000043cfecc02f80040")  # SVT-AV1, 320 × 180
DELIMITER, MESSAGE = b"\x09\xf0", b"\x06\x05\x01\x00\x80"


def picture(*units: bytes) -> memoryview:
    return memoryview(h264.join_avcc(units))


def settled(sets: ParameterSets) -> Track:
    sets.settle()
    assert sets.track is not None
    return sets.track


def test_sets_that_are_repeated_say_nothing() -> None:
    sets = ParameterSets("h264", TRACK)
    for _ in range(3):
        assert not sets.look(picture(DELIMITER, SPS, PPS, MESSAGE, IDR))
        assert settled(sets) is TRACK
    assert not sets.look(picture(DELIMITER, IDR))


def test_a_new_sequence_brings_its_pictures() -> None:
    sets = ParameterSets("h264", TRACK)
    assert sets.look(picture(DELIMITER, NEW_SPS, NEW_PPS, MESSAGE, IDR))
    track = settled(sets)
    assert track.config == h264.build_config([NEW_SPS], [NEW_PPS])
    assert (track.width, track.height) == (1920, 1080)
    assert sets.look(picture(SPS, PPS, IDR))
    assert settled(sets) == TRACK, "and back"


def test_a_sequence_alone_keeps_the_pictures_that_refer_to_it() -> None:
    sets = ParameterSets("h264", TRACK)
    assert sets.look(picture(NEW_SPS, IDR))
    assert settled(sets).config == h264.build_config([NEW_SPS], [PPS])
    assert sets.look(picture(NEW_PPS, IDR))
    assert settled(sets).config == h264.build_config([NEW_SPS], [NEW_PPS])


def test_only_what_stands_before_the_first_slice_is_looked_at() -> None:
    sets = ParameterSets("h264", TRACK)
    assert not sets.look(picture(IDR, NEW_SPS, NEW_PPS))
    assert not sets.look(picture(SLICE, NEW_SPS))
    assert not sets.look(picture(*[MESSAGE] * MAX_LEADING, NEW_SPS, IDR))
    assert not sets.look(memoryview(b"\x7f\xff\xff\xff" + NEW_SPS)), "a length that runs past the picture"
    assert not sets.look(memoryview(b"\0\0\0\0\0\0\0")), "an empty unit"
    assert not sets.look(picture(NEW_SPS + bytes(2000), IDR)), "no parameter set is so long"
    assert settled(sets) is TRACK


def test_sets_that_make_no_track() -> None:
    sets = ParameterSets("h264", TRACK)
    assert sets.look(picture(b"\x67\x42\x00\x1f\xff", IDR))
    with pytest.raises(MalformedMedia):
        sets.settle()
    assert not sets.look(picture(b"\x67\x42\x00\x1f\xff", IDR)), "said once"


def test_h265_by_literal_bytes() -> None:
    before = video_track("h265", HVCC)
    units = dict(h265.parse_config(HVCC).units)
    assert h265.build_config(units[32], units[33], units[34]) == HVCC
    sets = ParameterSets("h265", before)
    assert not sets.look(picture(*units[32], *units[33], *units[34], b"\x26\x01\xaf"))
    other = units[34][0][:-1] + b"\x8a"
    assert sets.look(picture(b"\x46\x01\x10", other, b"\x26\x01\xaf"))
    assert settled(sets).config == h265.build_config(units[32], units[33], [other])


def test_av1_by_literal_bytes() -> None:
    before = video_track("av1", AV1C)
    (header,) = [payload for kind, payload in av1.obus(memoryview(AV1C)[4:]) if kind == av1.OBU_SEQUENCE_HEADER]
    assert av1.build_config(header) == AV1C
    sequence = SequenceHeader(before)
    frame = b"\x32\x02\x10\x00"
    assert not sequence.look(memoryview(AV1C[4:] + frame))
    assert not sequence.look(memoryview(frame)), "one that brings none"
    assert not sequence.look(memoryview(frame + SMALL_AV1C[4:])), "behind the frame is too late"
    assert not sequence.look(memoryview(b"\x0a\x7f\x00")), "one that is cut off"
    assert sequence.look(memoryview(SMALL_AV1C[4:] + frame))
    sequence.settle()
    assert sequence.track == video_track("av1", SMALL_AV1C)
    assert not sequence.look(memoryview(SMALL_AV1C[4:] + frame))
    assert sequence.look(memoryview(b"\x0a\x01\x00" + frame))
    with pytest.raises(MalformedMedia):
        sequence.settle()
    assert sequence.track is None


@pytest.mark.parametrize("pixels", ["yuv420p", "yuv420p10le"])
def test_a_configuration_is_what_svt_av1_writes(tmp_path: Path, pixels: str) -> None:
    made = clips.encode(tmp_path / "made.mp4", *clips.AV1, "-pix_fmt", pixels, "-frames:v", "1")
    (track,) = clips.demux(made).tracks
    (header,) = [payload for kind, payload in av1.obus(memoryview(track.config)[4:]) if kind == 1]
    assert av1.build_config(header) == track.config


@pytest.mark.parametrize("pixels", ["yuv420p", "yuv422p", "yuv444p"])
def test_a_configuration_is_what_libx265_writes(tmp_path: Path, pixels: str) -> None:
    made = clips.encode(tmp_path / "made.mp4", *clips.H265, "-pix_fmt", pixels, "-frames:v", "1")
    (track,) = clips.demux(made).tracks
    sets = {kind: units for kind, units in h265.parse_config(track.config).units if kind != 39}
    built = h265.build_config(sets[32], sets[33], sets[34])
    assert h265.codec_string(built) == track.codec_string
    assert h265.parse_config(built).units == tuple(sets.items())
    # profile to level, then chroma format and bit depths; libx265 names layers and frame rate as it likes
    assert (built[:13], built[16:19]) == (track.config[:13], track.config[16:19])


@pytest.mark.parametrize("missing", range(3))
def test_h265_without_one_kind_of_set_is_none(missing: int) -> None:
    units = dict(h265.parse_config(HVCC).units)
    sets = [units[32], units[33], units[34]]
    sets[missing] = ()
    with pytest.raises(MalformedMedia):
        h265.build_config(*sets)
