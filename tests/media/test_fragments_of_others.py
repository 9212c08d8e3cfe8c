"""Files that other muxers write, read by ours: PyAV is the judge of what is in them.

Workers read what ffmpeg writes; an upload or a phone's recording may use every freedom the standard leaves.
"""

from itertools import pairwise
from pathlib import Path

import pytest

from media.fragments import edit_start, packets, read_fragments, read_init
from media.movie import parse_movie
from media.packet import Packet
from tests.media import clips

FRAGMENTED = "+frag_keyframe+empty_moov"
RAW = {"ignore_editlist": "1"}  # times as stored


def rows(stream: list[Packet], codec: str, shift: int = 0) -> list[tuple[int, int, bool, bytes]]:
    """What must be equal in the packets of one track."""
    return [(p.dts - shift, p.pts - shift, p.keyframe, bytes(p.data)) for p in stream if p.track.codec == codec]


def mux_by_ffmpeg(lecture: Path, made: Path, flags: str, *more: str) -> bytes:
    clips.ffmpeg("-i", lecture, "-c", "copy", "-movflags", flags, *more, "-f", "mp4", made)
    return made.read_bytes()


@pytest.mark.parametrize(
    ("flags", "more"),
    [
        (FRAGMENTED + "+default_base_moof", ()),
        (FRAGMENTED, ()),  # base-data-offset in every tfhd
        (FRAGMENTED + "+omit_tfhd_offset", ()),  # offsets from the moof and from the track before
        (FRAGMENTED + "+default_base_moof", ("-frag_duration", "300000")),
        (FRAGMENTED + "+separate_moof", ()),
        ("+cmaf+frag_keyframe+delay_moov", ()),
        ("+dash+frag_keyframe+empty_moov", ()),  # sidx boxes between
        (FRAGMENTED + "+delay_moov+negative_cts_offsets+default_base_moof", ()),
        (FRAGMENTED + "+default_base_moof+global_sidx", ()),
        (FRAGMENTED + "+default_base_moof", ("-brand", "isml", "-write_tmcd", "0")),
    ],
)
def test_what_ffmpeg_writes(lecture: Path, tmp_path: Path, flags: str, more: tuple[str, ...]) -> None:
    made = tmp_path / "made.mp4"
    data = mux_by_ffmpeg(lecture, made, flags, *more)
    found, judge = packets(data, data), clips.demux(made, **RAW)
    assert read_init(data) == judge.tracks
    shift = 0
    if "negative" in flags or "cmaf" in flags:  # libavformat adds its largest negative offset to every pts
        shift = max(0, *(p.dts - p.pts for p in found))
    assert rows(found, "aac") == rows(judge.packets, "aac")
    assert [(d, p + shift, *rest) for d, p, *rest in rows(found, "h264")] == [
        (d, p, *rest) for d, p, *rest in rows(judge.packets, "h264")
    ]
    assert len(rows(found, "h264")) == 25 * clips.SECONDS


def test_edit_lists_are_told(tmp_path: Path) -> None:
    made = tmp_path / "made.mp4"
    flags = "+frag_keyframe+empty_moov+delay_moov+default_base_moof"
    clips.encode(made, *clips.H264, *clips.AAC, container=("-movflags", flags, "-f", "mp4"))
    data = made.read_bytes()
    found, judge = packets(data, data), clips.demux(made)
    starts = [edit_start(data, track_id) for track_id in (1, 2)]
    assert starts[0] > 0, "B-frames make the first picture later than the first decode time"
    assert rows(found, "h264", starts[0]) == rows(judge.packets, "h264")
    assert rows(found, "aac", starts[1]) == rows(judge.packets, "aac")


def test_an_empty_edit_delays_a_track(lecture: Path, tmp_path: Path) -> None:
    late = tmp_path / "late.mp4"
    clips.ffmpeg("-i", lecture, "-itsoffset", "0.5", "-i", lecture, "-map", "0:v", "-map", "1:a", "-c", "copy", late)
    data = late.read_bytes()
    assert edit_start(data, 1) == packets_start(late, "h264")
    assert edit_start(data, 2) == -24_000


def packets_start(path: Path, codec: str) -> int:
    """By how much PyAV moves a track because of its edit list."""
    stored, shown = (rows(clips.demux(path, **options).packets, codec)[0][1] for options in (RAW, {}))
    return stored - shown


def test_a_whole_file_without_fragments_has_tracks_but_no_fragments(lecture: Path) -> None:
    data = lecture.read_bytes()
    assert [track.codec for track in read_init(data)] == ["h264", "aac"]
    assert packets(data, data) == []


def test_fragments_know_their_place(lecture: Path, tmp_path: Path) -> None:
    data = mux_by_ffmpeg(lecture, tmp_path / "made.mp4", FRAGMENTED + "+default_base_moof")
    found = read_fragments(data, parse_movie(data))
    assert len(found) == clips.SECONDS
    assert [fragment.sequence_number for fragment in found] == [1, 2, 3]
    for fragment, following in pairwise(found):
        assert fragment.end == following.start
        for run, after in zip(fragment.runs, following.runs, strict=True):
            assert run.base_decode_time + sum(s.duration for s in run.samples) == after.base_decode_time
    alone = data[found[1].start : found[1].end]
    again = read_fragments(alone, read_init(data))
    assert [run.base_decode_time for run in again[0].runs] == [run.base_decode_time for run in found[1].runs]
    assert [bytes(s.data) for s in again[0].runs[0].samples] == [bytes(s.data) for s in found[1].runs[0].samples]


def test_what_an_encoding_worker_writes(tmp_path: Path, lecture: Path) -> None:
    made = tmp_path / "made.mp4"
    clips.ffmpeg(
        *("-i", lecture, "-c:v", "libx264", "-preset", "ultrafast", "-bf", "2", "-g", "25", "-threads", "1"),
        *(*clips.OPUS, "-movflags", FRAGMENTED + "+default_base_moof", "-f", "mp4", made),
    )
    data = made.read_bytes()
    found, judge = packets(data, data), clips.demux(made, **RAW)
    assert [track.codec for track in read_init(data)] == ["h264", "opus"]
    assert rows(found, "h264") == rows(judge.packets, "h264")
    assert rows(found, "opus") == rows(judge.packets, "opus")
