"""A real encoder's clip through time line and packager, judged by ffmpeg: every frame, every time, without a
message.
"""

from itertools import pairwise
from pathlib import Path

import pytest

from ingest.cuts import cut_rule
from ingest.events import Init, Part, SegmentClosed
from ingest.packager import Packager
from ingest.timeline import Timeline
from media.packet import Packet
from tests.media import clips


def in_milliseconds(packets: list[Packet]) -> list[Packet]:
    """As RTMP would bring them."""
    return [
        Packet(
            p.track,
            round(p.dts * 1000 / p.track.timescale) * p.track.timescale // 1000,
            round(p.pts * 1000 / p.track.timescale) * p.track.timescale // 1000,
            p.keyframe,
            p.data,
        )
        for p in packets
    ]


@pytest.fixture(scope="module")
def lecture(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """H.264 with B-frames and AAC, 25 frames a second, a key frame each second."""
    return clips.encode(tmp_path_factory.mktemp("clips") / "lecture.mp4", *clips.H264, *clips.AAC)


@pytest.mark.parametrize("rounded", [False, True])
def test_a_clip_is_decoded_the_same_after_packaging(lecture: Path, tmp_path: Path, rounded: bool) -> None:
    source = clips.demux(lecture)
    stream = sorted(source.packets, key=lambda p: p.dts / p.track.timescale)
    line, packager = Timeline(0), Packager(cut_rule(0.5, 2.0, 6))
    events = [
        event
        for packet in (in_milliseconds(stream) if rounded else stream)
        for event in packager.packet(line.place(packet))
    ]
    events += packager.flush()
    init = next(event for event in events if isinstance(event, Init))
    parts = [event for event in events if isinstance(event, Part)]
    made, sound = tmp_path / "made.mp4", tmp_path / "sound.mp4"
    made.write_bytes(init.muxed + b"".join(part.muxed for part in parts))
    assert init.audio is not None
    sound.write_bytes(init.audio + b"".join(part.audio or b"" for part in parts))
    assert [frame for _, frame in clips.decode(made)] == [frame for _, frame in clips.decode(lecture)]
    assert line.repairs.total <= 1, "the clip's sound has a pause behind its first frame"
    expected = clips.packet_hashes(lecture)
    found = clips.packet_hashes(made)
    if rounded:  # 25 frames a second fall on whole milliseconds, the sound gets its exact times back
        assert [row[-1] for row in found] == [row[-1] for row in expected]
    else:
        assert [row[:3] + row[4:] for row in found] == [row[:3] + row[4:] for row in expected]
    heard = [row for row in clips.packet_hashes(lecture) if row[0] == "1"]
    alone = clips.packet_hashes(sound)
    assert [row[-1] for row in alone] == [row[-1] for row in heard]
    assert {int(b[1]) - int(a[1]) for a, b in pairwise(alone[1:])} == {1024}
    assert [event.duration for event in events if isinstance(event, SegmentClosed)][:1] == [180_000]
