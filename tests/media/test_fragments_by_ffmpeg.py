"""Our fragments judged by ffmpeg: every frame and every time of a real clip, without one message.

Each test muxes packets that PyAV read from a real encoder's file, and lets ffmpeg and PyAV read the result.
"""

import json
from pathlib import Path

import pytest

from media.fragments import fragment, init_segment, packets, track_run
from media.packet import Packet, Track
from tests.media import clips


def mux(source: clips.Demuxed, part_seconds: float) -> tuple[bytes, list[bytes]]:
    """Init and fragments of `part_seconds` each, all tracks in each."""
    tracks, stream = source.tracks, source.packets
    parts: dict[int, dict[int, list[Packet]]] = {}
    for packet in stream:
        track_id = tracks.index(packet.track) + 1
        number = int(packet.dts / packet.track.timescale / part_seconds)
        parts.setdefault(number, {}).setdefault(track_id, []).append(packet)
    ends = {number: _next_times(source, track) for number, track in enumerate(tracks, 1)}
    fragments = []
    for number, by_track in sorted(parts.items()):
        runs = [track_run(key, group, ends[key][group[-1].dts]) for key, group in sorted(by_track.items())]
        head, payloads = fragment(number + 1, runs)
        fragments.append(head + b"".join(payloads))
    return init_segment(tracks), fragments


def _next_times(source: clips.Demuxed, track: Track) -> dict[int, int]:
    times = [packet.dts for packet in source.packets if packet.track == track]
    return dict(zip(times, [*times[1:], source.ends[source.tracks.index(track)]], strict=True))


def same_packets(found: list[Packet], expected: list[Packet]) -> None:
    """Equal packets of every track, in each track's order."""
    for track in {packet.track for packet in expected}:
        rows = [
            [(p.dts, p.pts, p.keyframe, bytes(p.data)) for p in stream if p.track == track]
            for stream in (found, expected)
        ]
        assert rows[0] == rows[1]


@pytest.mark.parametrize("part_seconds", [0.5, 0.33, 60])
def test_every_frame_and_time_of_a_lecture(lecture: Path, tmp_path: Path, part_seconds: float) -> None:
    source = clips.demux(lecture)
    init, fragments = mux(source, part_seconds)
    made = tmp_path / "made.mp4"
    made.write_bytes(init + b"".join(fragments))
    expected = clips.frame_hashes(lecture)
    assert len(expected) > 75 + 140
    assert any(packet.pts > packet.dts for packet in source.packets), "the clip must have B-frames"
    assert clips.frame_hashes(made) == expected
    assert clips.packet_hashes(made) == clips.packet_hashes(lecture)
    same_packets(packets(init, b"".join(fragments)), source.packets)


def test_a_player_that_joins_late_gets_the_right_times(lecture: Path, tmp_path: Path) -> None:
    source = clips.demux(lecture)
    init, fragments = mux(source, 1.0)
    made = tmp_path / "late.mp4"
    made.write_bytes(init + b"".join(fragments[1:]))
    found = clips.demux(made)
    late = [p for p in source.packets if p.dts >= p.track.timescale]
    assert late[0].dts > 0
    same_packets(found.packets, late)


def test_one_track_to_a_file(lecture: Path, tmp_path: Path) -> None:
    source = clips.demux(lecture)
    for track in source.tracks:
        own = [packet for packet in source.packets if packet.track == track]
        alone = clips.Demuxed([track], own, [source.ends[source.tracks.index(track)]])
        init, fragments = mux(alone, 0.5)
        assert b"cmfc" in init[:40]
        made = tmp_path / f"{track.kind}.mp4"
        made.write_bytes(init + b"".join(fragments))
        found = clips.demux(made)
        assert found.tracks == [track]
        same_packets(found.packets, own)
        assert len(clips.frame_hashes(made)) == len(own)


@pytest.mark.parametrize(("codec", "name"), [(clips.H265, "hevc"), (clips.AV1, "av1")])
def test_other_video_codecs(tmp_path: Path, codec: tuple[str, ...], name: str) -> None:
    lecture = clips.encode(tmp_path / "source.mp4", *codec)
    source = clips.demux(lecture)
    init, fragments = mux(source, 0.5)
    made = tmp_path / "made.mp4"
    made.write_bytes(init + b"".join(fragments))
    stream = json.loads(clips.ffprobe("-of", "json", "-show_streams", made))["streams"][0]
    assert (stream["codec_name"], stream["width"], stream["height"]) == (name, 320, 180)
    assert clips.packet_hashes(made) == clips.packet_hashes(lecture)
    # By PyAV, since Lectern's ffmpeg has no AV1 decoder in software.
    assert clips.decode(made) == clips.decode(lecture)


def test_negative_composition_offsets(lecture: Path, tmp_path: Path) -> None:
    source = clips.demux(lecture)
    video = source.tracks[0]
    shift = next(p.pts - p.dts for p in source.packets if p.track == video)
    assert shift > 0
    moved = [Packet(video, p.dts, p.pts - shift, p.keyframe, p.data) for p in source.packets if p.track == video]
    assert min(p.pts - p.dts for p in moved) < 0
    init, fragments = mux(clips.Demuxed([video], moved, source.ends[:1]), 0.5)
    made = tmp_path / "made.mp4"
    made.write_bytes(init + b"".join(fragments))
    same_packets(packets(init, b"".join(fragments)), moved)
    # libavformat wants pts ≥ dts and moves the whole track by its largest negative offset; the distances must hold.
    late = max(p.dts - p.pts for p in moved)
    assert [(p.dts, p.pts - late) for p in clips.demux(made).packets] == [(p.dts, p.pts) for p in moved]
    assert [int(row[2]) - late for row in clips.frame_hashes(made)] == sorted(p.pts for p in moved)


def test_a_track_may_be_absent_from_a_fragment(lecture: Path, tmp_path: Path) -> None:
    source = clips.demux(lecture)
    kept = [p for p in source.packets if p.track.kind == "video" or not 1 <= p.dts / p.track.timescale < 2]
    init, fragments = mux(clips.Demuxed(source.tracks, kept, source.ends), 0.5)
    made = tmp_path / "made.mp4"
    made.write_bytes(init + b"".join(fragments))
    same_packets(clips.demux(made).packets, kept)
    same_packets(packets(init, b"".join(fragments)), kept)
