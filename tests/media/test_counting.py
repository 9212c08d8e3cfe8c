"""Counts of a stretch, against what PyAV finds in the clip it was made of."""

from itertools import pairwise
from pathlib import Path

import pytest

from media.counting import Pause, count, count_run, frame_rate, joined, summed
from media.fragments import read_fragments, read_init
from media.malformed import MalformedMedia
from tests.media import clips
from tests.media.test_fragments_by_ffmpeg import mux


def test_frames_key_frames_and_times_are_those_of_the_source(lecture: Path) -> None:
    source = clips.demux(lecture)
    init, fragments = mux(source, 0.5)
    found = count(init, fragments)
    assert [one.kind for one in found] == [track.kind for track in source.tracks]
    for one, track, end in zip(found, source.tracks, source.ends, strict=True):
        own = [packet for packet in source.packets if packet.track == track]
        assert (one.frames, one.keyframes) == (len(own), sum(packet.keyframe for packet in own))
        assert (one.start, one.end, one.timescale) == (own[0].dts, end, track.timescale)
        assert one.pauses == []
    assert count(init, [b"".join(fragments)]) == found, "how it is cut into pieces says nothing"


def test_a_missing_fragment_is_a_pause_of_each_track(lecture: Path) -> None:
    source = clips.demux(lecture)
    init, fragments = mux(source, 0.5)
    whole = count(init, fragments)
    holed = count(init, [*fragments[:2], *fragments[3:]])
    missing = count(init, [fragments[2]])
    for one, all_, gone in zip(holed, whole, missing, strict=True):
        assert one.pauses == [Pause(gone.start, gone.end - gone.start)]
        assert one.frames == all_.frames - gone.frames
        assert (one.start, one.end) == (all_.start, all_.end)


def test_one_track_alone_and_none_at_all(lecture: Path) -> None:
    source = clips.demux(lecture)
    sound = [packet for packet in source.packets if packet.track.kind == "audio"]
    init, fragments = mux(clips.Demuxed([sound[0].track], sound, source.ends[1:]), 0.5)
    (only,) = count(init, fragments)
    assert (only.kind, only.frames) == ("audio", len(sound))
    assert {later.dts - earlier.dts for earlier, later in pairwise(sound[1:])} == {1024}
    assert count(init, []) == []


def test_torn_media_is_malformed_never_a_smaller_count(lecture: Path) -> None:
    init, fragments = mux(clips.demux(lecture), 0.5)
    with pytest.raises(MalformedMedia):
        count(init, [fragments[0][:-1]])


def test_frames_a_second_where_stamps_were_rounded_to_milliseconds() -> None:
    assert [frame_rate(frames, seconds) for frames, seconds in ((48, 1.999), (60, 2.001), (50, 2.0))] == [24, 30, 25]
    assert frame_rate(60, 2.002) == pytest.approx(29.97, abs=0.001)


def test_runs_counted_where_they_are_made_say_what_is_counted_from_their_bytes(lecture: Path) -> None:
    init, fragments = mux(clips.demux(lecture), 0.5)
    tracks = dict(enumerate(read_init(init), 1))
    for kept in (fragments, [*fragments[:2], *fragments[3:]], fragments[:0]):
        read = [one for piece in kept for one in read_fragments(piece, list(tracks.values()))]
        runs = [count_run(run) for one in read for run in one.runs]
        assert summed(runs, tracks) == summed(joined(runs), tracks) == count(init, kept)


def test_runs_that_go_on_are_one_and_others_are_not(lecture: Path) -> None:
    init, fragments = mux(clips.demux(lecture), 0.5)
    runs = [count_run(run) for piece in fragments for one in read_fragments(piece, read_init(init)) for run in one.runs]
    assert [run.track_id for run in joined(runs)] == [1, 2]
    assert [run.track_id for run in joined([*runs[:4], *runs[6:]])] == [1, 2, 1, 2]
