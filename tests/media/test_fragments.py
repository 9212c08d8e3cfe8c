"""Initialization segments and fragments by literal bytes, by round trip, and with what is refused.

The literal bytes are written field by field from ISO/IEC 14496-12, so that a change of one byte must be meant.
"""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from media import fragments
from media.boxes import box, full_box, require, split
from media.codecs import aac
from media.fragments import (
    Sample,
    TrackRun,
    complete_length,
    edit_start,
    fragment,
    init_segment,
    packets,
    read_fragments,
    read_init,
    track_run,
)
from media.malformed import MalformedMedia
from media.movie import Defaults, Movie, MovieTrack
from media.packet import Packet, Track, audio_track

AUDIO = audio_track("aac", aac.build_config(48_000, 2))
SPS = bytes.fromhex("6764000cacd941419f9f0110000003001000000303 20f14299 60".replace(" ", ""))
AVCC = b"\x01\x64\x00\x0c\xff\xe1" + len(SPS).to_bytes(2, "big") + SPS + b"\x01\x00\x04\x68\xef\x8f\xcb\xfd\xf8\xf8\x00"
VIDEO = Track("video", "h264", 90_000, AVCC, width=320, height=180)


def whole(sequence_number: int, runs: list[TrackRun]) -> bytes:
    head, payloads = fragment(sequence_number, runs)
    return head + b"".join(payloads)


def test_a_fragment_of_one_steady_track() -> None:
    run = TrackRun(1, 5, [Sample(b"abc", 1024, True), Sample(b"de", 1024, True)])
    expected = (
        b"\x00\x00\x00\x68moof"
        b"\x00\x00\x00\x10mfhd\x00\x00\x00\x00\x00\x00\x00\x07"
        b"\x00\x00\x00\x50traf"
        b"\x00\x00\x00\x18tfhd\x00\x02\x00\x28\x00\x00\x00\x01\x00\x00\x04\x00\x02\x00\x00\x00"
        b"\x00\x00\x00\x14tfdt\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x05"
        b"\x00\x00\x00\x1ctrun\x01\x00\x02\x01\x00\x00\x00\x02\x00\x00\x00\x70\x00\x00\x00\x03\x00\x00\x00\x02"
        b"\x00\x00\x00\x0dmdat"
    )
    assert fragment(7, [run]) == (expected, [b"abc", b"de"])


def test_a_fragment_of_two_tracks_with_everything_per_sample() -> None:
    video = TrackRun(1, 1 << 33, [Sample(b"key", 3600, True, 7200), Sample(b"b", 3000, False, -3600)])
    sound = TrackRun(2, 9, [Sample(b"xy", 960, True)])
    expected = (
        b"\x00\x00\x00\xc4moof"
        b"\x00\x00\x00\x10mfhd\x00\x00\x00\x00\x00\x00\x00\x01"
        b"\x00\x00\x00\x60traf"
        b"\x00\x00\x00\x10tfhd\x00\x02\x00\x00\x00\x00\x00\x01"
        b"\x00\x00\x00\x14tfdt\x01\x00\x00\x00\x00\x00\x00\x02\x00\x00\x00\x00"
        b"\x00\x00\x00\x34trun\x01\x00\x0f\x01\x00\x00\x00\x02\x00\x00\x00\xcc"
        b"\x00\x00\x0e\x10\x00\x00\x00\x03\x02\x00\x00\x00\x00\x00\x1c\x20"
        b"\x00\x00\x0b\xb8\x00\x00\x00\x01\x01\x01\x00\x00\xff\xff\xf1\xf0"
        b"\x00\x00\x00\x4ctraf"
        b"\x00\x00\x00\x18tfhd\x00\x02\x00\x28\x00\x00\x00\x02\x00\x00\x03\xc0\x02\x00\x00\x00"
        b"\x00\x00\x00\x14tfdt\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x09"
        b"\x00\x00\x00\x18trun\x01\x00\x02\x01\x00\x00\x00\x01\x00\x00\x00\xd0\x00\x00\x00\x02"
        b"\x00\x00\x00\x0emdat"
    )
    assert fragment(1, [video, sound]) == (expected, [b"key", b"b", b"xy"])


def test_payloads_are_not_copied() -> None:
    data = memoryview(bytearray(b"abcdef"))
    _, payloads = fragment(1, [TrackRun(1, 0, [Sample(data[1:3], 1, True), Sample(data[3:], 1, True)])])
    assert all(isinstance(payload, memoryview) and payload.obj is data.obj for payload in payloads)


def test_runs_without_samples_are_left_out_and_a_fragment_of_nothing_is_refused() -> None:
    full = TrackRun(1, 0, [Sample(b"a", 1, True)])
    assert fragment(1, [full, TrackRun(2, 0, [])]) == fragment(1, [full])
    with pytest.raises(MalformedMedia):
        fragment(1, [TrackRun(2, 0, [])])


def test_a_fragment_too_large_for_its_offsets_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fragments, "MAX_FRAGMENT_BYTES", 3)
    fragment(1, [TrackRun(1, 0, [Sample(b"abc", 1, True)])])
    with pytest.raises(MalformedMedia):
        fragment(1, [TrackRun(1, 0, [Sample(b"abcd", 1, True)])])


def test_an_init_segment_is_what_cmaf_asks_for() -> None:
    data = init_segment([AUDIO])
    assert data[:28] == b"\x00\x00\x00\x1cftypiso6\x00\x00\x00\x00iso6mp41cmfc"
    movie = require(data, b"moov").payload
    assert [child.kind for child in split(movie)] == [b"mvhd", b"trak", b"mvex"]
    assert [child.kind for child in split(require(movie, b"trak").payload)] == [b"tkhd", b"mdia"], "no edit list"
    trex = require(movie, b"mvex", b"trex").payload
    assert bytes(trex) == bytes(4) + b"\x00\x00\x00\x01\x00\x00\x00\x01" + bytes(12)
    table = require(movie, b"trak", b"mdia", b"minf", b"stbl").payload
    assert bytes(require(table, b"stsd").payload) == (
        b"\x00\x00\x00\x00\x00\x00\x00\x01"
        b"\x00\x00\x00\x4bmp4a\x00\x00\x00\x00\x00\x00\x00\x01"
        b"\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02\x00\x10\x00\x00\x00\x00\xbb\x80\x00\x00"
        b"\x00\x00\x00\x27esds\x00\x00\x00\x00"
        b"\x03\x19\x00\x00\x00\x04\x11\x40\x15" + bytes(11) + b"\x05\x02\x11\x90\x06\x01\x02"
    )
    for empty in (b"stts", b"stsc", b"stco"):
        assert bytes(require(table, empty).payload) == bytes(8)
    assert bytes(require(table, b"stsz").payload) == bytes(12)


def test_an_init_segment_of_two_tracks() -> None:
    data = init_segment([VIDEO, AUDIO])
    assert data[:24] == b"\x00\x00\x00\x18ftypiso6\x00\x00\x00\x00iso6mp41", "CMAF's brand is for one track"
    assert read_init(data) == [VIDEO, AUDIO]
    assert (edit_start(data, 1), edit_start(data, 2)) == (0, 0)
    with pytest.raises(MalformedMedia):
        edit_start(data, 3)
    assert init_segment([VIDEO, AUDIO]) == data
    entry = require(data, b"moov", b"trak", b"mdia", b"minf", b"stbl", b"stsd").payload[8:]
    assert bytes(entry[4:8]) == b"avc1"
    assert bytes(entry[32:36]) == b"\x01\x40\x00\xb4"
    assert bytes(require(entry[86:], b"avcC").payload) == AVCC


def test_a_run_of_packets_knows_how_long_each_lasts() -> None:
    stream = [Packet(AUDIO, 10, 10, True, b"a"), Packet(AUDIO, 13, 20, False, b"b")]
    assert track_run(2, stream, 17) == TrackRun(2, 10, [Sample(b"a", 3, True, 0), Sample(b"b", 4, False, 7)])


samples = st.builds(
    Sample,
    data=st.binary(max_size=20),
    duration=st.integers(0, 2**32 - 1),
    keyframe=st.booleans(),
    composition_offset=st.integers(-(2**31), 2**31 - 1),
)
lists = st.lists(samples, min_size=1, max_size=6)
steady = st.lists(st.builds(Sample, st.binary(max_size=9), st.just(1024), st.just(True)), min_size=1, max_size=6)
times = st.integers(0, 2**63)
pairs = st.lists(
    st.tuples(st.builds(TrackRun, st.just(1), times, lists), st.builds(TrackRun, st.just(2), times, steady))
)


@given(pairs=pairs, first=st.integers(0, 2**31))
def test_fragments_come_back_as_they_went(pairs: list[tuple[TrackRun, TrackRun]], first: int) -> None:
    data = b"".join(whole(first + index, list(pair)) for index, pair in enumerate(pairs))
    found = read_fragments(data, [VIDEO, AUDIO])
    assert [one.runs for one in found] == [list(pair) for pair in pairs]
    assert [one.sequence_number for one in found] == [first + index for index in range(len(pairs))]
    assert [one.start for one in found] == [0, *(one.end for one in found[:-1])][: len(found)]
    assert complete_length(data) == len(data)


@given(pairs=pairs)
def test_packets_come_back_as_they_went(pairs: list[tuple[TrackRun, TrackRun]]) -> None:
    tracks = [VIDEO, AUDIO]
    expected = []
    for run in (run for pair in pairs for run in pair):
        dts = run.base_decode_time
        for sample in run.samples:
            pts = dts + sample.composition_offset
            expected.append(Packet(tracks[run.track_id - 1], dts, pts, sample.keyframe, sample.data))
            dts += sample.duration
    data = b"".join(whole(index, list(pair)) for index, pair in enumerate(pairs))
    assert packets(init_segment(tracks), data) == expected


@given(pair=pairs.filter(bool), cut=st.integers(1, 200))
def test_the_whole_fragments_of_a_torn_file(pair: list[tuple[TrackRun, TrackRun]], cut: int) -> None:
    parts = [whole(index, list(runs)) for index, runs in enumerate(pair)]
    torn = b"".join(parts)[:-cut] if cut < len(parts[-1]) else b"".join(parts[:-1])
    kept = complete_length(torn)
    assert kept == sum(len(part) for part in parts[:-1])
    assert complete_length(torn[:kept] + bytes(100)) == kept, "zeros that a crashed file system leaves"
    assert len(read_fragments(torn[:kept], [VIDEO, AUDIO])) == len(parts) - 1


def moof(tfhd: bytes, *boxes: bytes) -> bytes:
    return box(b"moof", full_box(b"mfhd", 0, 0, b"\x00\x00\x00\x01"), box(b"traf", tfhd, *boxes))


def movie(**defaults: int) -> Movie:
    return Movie((MovieTrack(1, AUDIO, Defaults(**defaults), 0),))


def test_defaults_come_from_trex_then_tfhd() -> None:
    trun = full_box(b"trun", 0, 0x1, b"\x00\x00\x00\x02\x00\x00\x00\x00")
    data = moof(full_box(b"tfhd", 0, 0x020000, b"\x00\x00\x00\x01"), trun)
    offset = len(data) + 8
    data = data[:-4] + offset.to_bytes(4, "big") + box(b"mdat", b"abcd")
    (found,) = read_fragments(data, movie(duration=3, size=2, flags=0x10000))
    assert found.runs == [TrackRun(1, 0, [Sample(b"ab", 3, False), Sample(b"cd", 3, False)])]
    own = full_box(b"tfhd", 0, 0x020038, b"\x00\x00\x00\x01\x00\x00\x00\x05\x00\x00\x00\x01\x02\x00\x00\x00")
    data = moof(own, trun)
    data = data[:-4] + (len(data) + 8).to_bytes(4, "big") + box(b"mdat", b"ab")
    (found,) = read_fragments(data, movie(duration=3, size=2, flags=0x10000))
    assert found.runs == [TrackRun(1, 0, [Sample(b"a", 5, True), Sample(b"b", 5, True)])]


def test_first_sample_flags_version_0_and_time_of_32_bits() -> None:
    tfhd = full_box(b"tfhd", 0, 0x020028, b"\x00\x00\x00\x01\x00\x00\x00\x05\x01\x01\x00\x00")
    tfdt = full_box(b"tfdt", 0, 0, b"\x00\x00\x00\x09")
    sizes = b"\x00\x00\x00\x01\x80\x00\x00\x00\x00\x00\x00\x02\x00\x00\x00\x01"
    trun = full_box(b"trun", 0, 0xA05, b"\x00\x00\x00\x02\x00\x00\x00\x00\x02\x00\x00\x00" + sizes)
    data = moof(tfhd, tfdt, trun)
    data = data.replace(b"\x00\x00\x00\x02\x00\x00\x00\x00\x02", b"\x00\x00\x00\x02" + _be(len(data) + 8) + b"\x02")
    (found,) = read_fragments(data + box(b"mdat", b"abc"), [AUDIO])
    assert found.runs == [TrackRun(1, 9, [Sample(b"a", 5, True, 1 << 31), Sample(b"bc", 5, False, 1)])]


def test_a_fragment_without_a_time_goes_on_where_the_last_one_ended() -> None:
    timed = whole(1, [TrackRun(1, 50, [Sample(b"a", 7, True)])])
    bare = moof(
        full_box(b"tfhd", 0, 0x020008, b"\x00\x00\x00\x01\x00\x00\x00\x03"),
        full_box(b"trun", 0, 0x201, b"\x00\x00\x00\x01" + _be(84) + b"\x00\x00\x00\x01"),
    )
    assert len(bare) == 76
    found = read_fragments(timed + bare + box(b"mdat", b"b"), [AUDIO])
    assert found[1].runs == [TrackRun(1, 57, [Sample(b"b", 3, True)])]


def test_tracks_of_other_kinds_are_passed_over() -> None:
    data = whole(1, [TrackRun(9, 0, [Sample(b"text", 1, True)]), TrackRun(1, 0, [Sample(b"a", 1, True)])])
    (found,) = read_fragments(data, [AUDIO])
    assert found.runs == [TrackRun(1, 0, [Sample(b"a", 1, True)])]


def test_samples_outside_the_file_are_refused() -> None:
    data = whole(1, [TrackRun(1, 0, [Sample(b"abc", 1, True)])])
    head, _ = fragment(1, [TrackRun(1, 0, [Sample(b"abcd", 1, True)])])
    for broken in (data[:-1], head + b"abc"):
        with pytest.raises(MalformedMedia):
            read_fragments(broken, [AUDIO])
    with pytest.raises(MalformedMedia):
        read_fragments(data.replace(_be(len(data) - 3), _be(1 << 31)), [AUDIO])


def test_a_run_that_claims_millions_of_samples_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    claim = full_box(b"trun", 0, 0x1, b"\xff\xff\xff\xff\x00\x00\x00\x00")
    data = moof(full_box(b"tfhd", 0, 0x020000, b"\x00\x00\x00\x01"), claim)
    for size in (0, 1, 1000):
        with pytest.raises(MalformedMedia):
            read_fragments(data, movie(size=size))
    monkeypatch.setattr(fragments, "MAX_SAMPLES", 3)
    few = whole(1, [TrackRun(1, 0, [Sample(b"", 1, True)] * 2)])
    assert len(read_fragments(few, [AUDIO])) == 1
    with pytest.raises(MalformedMedia):
        read_fragments(few + few, [AUDIO])


def test_tracks_that_cannot_be() -> None:
    good = init_segment([VIDEO, AUDIO])
    for broken in (
        good.replace(b"\x00\x00\x00\x02\x00\x00\x00\x00", b"\x00\x00\x00\x01\x00\x00\x00\x00"),  # one id twice
        good.replace(b"vide", b"text").replace(b"soun", b"text"),  # nothing to play
        good.replace(b"vide", b"soun"),  # H.264 that is said to be sound
        good.replace(b"avc1", b"vp08"),
        good.replace(_be(90_000), _be(0)),
    ):
        assert broken != good
        with pytest.raises(MalformedMedia):
            read_init(broken)


def test_rates_that_do_not_fit_into_the_entry_come_from_the_configuration() -> None:
    fast = audio_track("aac", aac.build_config(96_000, 1))
    assert read_init(init_segment([fast])) == [fast]
    assert read_init(init_segment([replace(AUDIO, channels=0)])) == [AUDIO]


def _be(number: int) -> bytes:
    return number.to_bytes(4, "big")
