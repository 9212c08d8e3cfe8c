"""Every kind of media that an encoder may send, from a real one: every frame and every time is there afterwards.

The judges are PyAV and ffmpeg, on the source and on what the packager made of it.
"""

import shutil
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import pytest

from ingest.rtmp.events import MediaReceived
from ingest.rtmp.flv import MediaReader
from ingest.timeline import LEAD
from media.codecs import aac, h264, h265, nal
from media.packet import Packet, Track, audio_track
from tests.ingest.real_media import in_order, package, pictures, shifted, sounds
from tests.ingest.test_packager_by_ffmpeg import in_milliseconds
from tests.media import clips

Clip = Callable[..., Path]


@pytest.fixture(scope="session")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Clip:
    """A clip by its codecs, each encoded once."""
    folder = tmp_path_factory.mktemp("real-media")
    made: dict[object, Path] = {}

    def encoded(*codecs: str, video: str = clips.VIDEO) -> Path:
        wanted = (codecs, video)
        if wanted not in made:
            made[wanted] = clips.encode(folder / f"{len(made)}.mp4", *codecs, video=video)
        return made[wanted]

    return encoded


def x264(parameters: str, *more: str) -> tuple[str, ...]:
    return ("-c:v", "libx264", "-preset", "veryfast", "-pix_fmt", "yuv420p", "-threads", "1",
            "-x264-params", f"keyint=25:scenecut=0:{parameters}", *more)  # fmt: skip


def x265(parameters: str) -> tuple[str, ...]:
    return ("-c:v", "libx265", "-preset", "ultrafast", "-tag:v", "hvc1",
            "-x265-params", f"log-level=none:keyint=25:scenecut=0:pools=1:{parameters}")  # fmt: skip


VIDEOS = {
    "no B-frames": x264("bframes=0"),
    "B-frames as references": x264("bframes=4:b-pyramid=normal:b-adapt=0"),
    "open groups of pictures": x264("bframes=3:b-adapt=0:open-gop=1"),
    "eight slices": x264("bframes=2:slices=8"),
    "slices of bytes": x264("bframes=0:slice-max-size=400"),
    "interlaced": x264("bframes=2:tff=1:weightp=0"),
    "refreshed column by column": x264("bframes=0:intra-refresh=1"),
    "baseline": x264("bframes=0", "-profile:v", "baseline"),
    "HEVC": x265("bframes=3"),
    "HEVC, open groups": x265("bframes=3:b-adapt=0:open-gop=1:radl=0"),
    "HEVC, eight slices": x265("bframes=2:slices=3"),
    "AV1": clips.AV1,
}


@pytest.mark.parametrize("kind", VIDEOS)
def test_every_picture_and_its_time(kind: str, clip: Clip, tmp_path: Path) -> None:
    source = clip(*VIDEOS[kind])
    packaged = package(clips.demux(source).packets)
    (stretch,) = packaged.stretches
    made = stretch.write(tmp_path / "made.mp4")
    expected = pictures(source)
    assert len(expected) == 25 * clips.SECONDS
    assert pictures(made) == shifted(expected, LEAD / 90_000)
    assert packaged.line.repairs.total == 0
    if kind != "AV1":  # Lectern's ffmpeg decodes no AV1 in software
        assert [row[-1] for row in clips.frame_hashes(made)] == [row[-1] for row in clips.frame_hashes(source)]
    assert [row[-1] for row in clips.packet_hashes(made)] == [row[-1] for row in clips.packet_hashes(source)]
    if kind.endswith(("open groups", "open groups of pictures")):
        assert any(later.pts < earlier.pts for earlier, later in pairwise(clips.demux(source).packets))
        assert len(packaged.opened) > 1, "a segment begins at an open group too"


AUDIOS = {
    "AAC": clips.AAC,
    "AAC, one channel of 44.1 kHz": ("-c:a", "aac", "-b:a", "64k", "-ac", "1", "-ar", "44100"),
    "AAC, six channels": ("-c:a", "aac", "-b:a", "256k", "-ac", "6"),
    "Opus": clips.OPUS,
    "Opus, frames of 60 ms": ("-c:a", "libopus", "-b:a", "32k", "-ac", "1", "-frame_duration", "60"),
    "Opus, frames of 2.5 ms": (
        "-c:a",
        "libopus",
        "-b:a",
        "96k",
        "-ac",
        "2",
        "-frame_duration",
        "2.5",
        "-application",
        "lowdelay",
    ),
}


@pytest.mark.parametrize("kind", AUDIOS)
def test_every_sound_and_its_time(kind: str, clip: Clip, tmp_path: Path) -> None:
    source = clip(*clips.H264, *AUDIOS[kind])
    demuxed = clips.demux(source)
    packaged = package(in_order(demuxed.packets))
    (stretch,) = packaged.stretches
    made, alone = stretch.write(tmp_path / "made.mp4"), stretch.write_sound(tmp_path / "alone.mp4")
    expected = shifted(sounds(source), _shift(in_order(demuxed.packets)))
    assert sum(samples for _, samples, _ in expected) >= 2.9 * demuxed.tracks[1].timescale
    for found in (sounds(made), sounds(alone)):
        assert [one[1:] for one in found] == [one[1:] for one in expected]
        errors = [abs(one[0] - two[0]) for one, two in zip(found, expected, strict=True)]
        # The clip's sound has a pause behind its first frame, which a time line takes for jitter at first.
        assert max(errors) <= 1.5 * max(samples for _, samples, _ in expected) / demuxed.tracks[1].timescale
        assert max(errors[-len(errors) // 10 :]) < 0.001
    assert [one[1] for one in pictures(made)] == [one[1] for one in pictures(source)]
    heard = [row[-1] for row in clips.packet_hashes(source) if row[0] == "1"]
    assert [row[-1] for row in clips.packet_hashes(alone)] == heard


def _shift(packets: list[Packet]) -> float:
    first = packets[0]
    return LEAD / 90_000 - first.dts / first.track.timescale


def test_high_efficiency_aac_is_timed_by_what_is_heard(clip: Clip, tmp_path: Path) -> None:
    """HE-AAC whose frames carry no high band: as every decoder must, PyAV's doubles the rate of the core."""
    source = clips.demux(clip(*clips.H264, "-c:a", "aac", "-b:a", "48k", "-ac", "2", "-ar", "24000"))
    core = source.tracks[1]
    config = (5 << 35 | 6 << 31 | 2 << 27 | 3 << 23 | aac.LC << 18 | 0 << 15).to_bytes(5, "big")
    high = audio_track("aac", config)
    assert (high.timescale, high.codec_string) == (48_000, "mp4a.40.5")
    packets = [
        p if p.track != core else Packet(high, 2 * p.dts, 2 * p.pts, p.keyframe, p.data)
        for p in in_order(source.packets)
    ]
    packaged = package(packets)
    (stretch,) = packaged.stretches
    found = sounds(stretch.write(tmp_path / "made.mp4"))
    assert {samples for _, samples, _ in found} == {2048}
    assert len(found) == sum(1 for p in packets if p.track == high)
    steps = [round((later[0] - earlier[0]) * 48_000) for earlier, later in pairwise(found)]
    assert steps.count(2048) >= len(steps) - 1, "the clip's sound has a pause behind its first frame"
    assert packaged.line.repairs.total <= 1


def test_sound_alone(clip: Clip, tmp_path: Path) -> None:
    source = clip(*clips.H264, *clips.AAC)
    own = [p for p in clips.demux(source).packets if p.track.kind == "audio"]
    (stretch,) = package(own).stretches
    found = sounds(stretch.write(tmp_path / "made.mp4"))
    assert [one[1:] for one in found] == [one[1:] for one in sounds(source)]
    assert all(part.independent and part.audio is part.muxed for part in stretch.parts)


def test_sound_that_starts_late(clip: Clip, tmp_path: Path) -> None:
    """The pictures are all there; the sound from the first key frame after its beginning."""
    source = clip(*clips.H264, *clips.AAC)
    late = 1.5
    packets = [p for p in in_order(clips.demux(source).packets) if p.track.kind == "video" or p.dts >= late * 48_000]
    packaged = package(packets)
    first, second = packaged.stretches
    assert [track.kind for track in first.init.tracks] == ["video"]
    whole = [*pictures(first.write(tmp_path / "1.mp4")), *pictures(second.write(tmp_path / "2.mp4"))]
    assert whole == shifted(pictures(source), LEAD / 90_000)
    heard = sounds(second.write(tmp_path / "2.mp4"))
    assert heard[0][0] == pytest.approx(LEAD / 90_000 + 2.0, abs=0.022)
    assert len(heard) + packaged.packager.dropped["audio"] == sum(1 for p in packets if p.track.kind == "audio")


@pytest.mark.parametrize(
    ("kind", "second", "size"),
    [
        ("size", VIDEOS["B-frames as references"], "640x360"),
        ("reference frames and entropy coder alone", x264("bframes=0:cabac=0:ref=4"), "320x180"),
        ("codec", VIDEOS["HEVC"], "320x180"),
    ],
)
def test_a_change_of_parameter_sets_in_mid_stream(
    kind: str, second: tuple[str, ...], size: str, clip: Clip, tmp_path: Path
) -> None:
    del kind
    sources = [clip(*clips.H264, *clips.AAC), clip(*second, *clips.AAC, video=f"testsrc2=size={size}:rate=25")]
    packets = list(in_order(clips.demux(sources[0]).packets))
    video_end = 90_000 * clips.SECONDS
    for p in in_order(clips.demux(sources[1]).packets):
        moved = video_end * p.track.timescale // 90_000
        track = packets[0].track if p.track == packets[0].track else p.track
        packets.append(Packet(track, p.dts + moved, p.pts + moved, p.keyframe, p.data))
    packaged = package(in_order(packets))
    found = [pictures(stretch.write(tmp_path / "made.mp4")) for stretch in packaged.stretches]
    assert len(found) == 2
    for number, (frames, source) in enumerate(zip(found, sources, strict=True)):
        assert frames == shifted(pictures(source), LEAD / 90_000 + number * clips.SECONDS)
    change = next(opened for opened in packaged.opened if opened.init_number == 2)
    assert change.discontinuity
    assert change.start == LEAD + video_end
    assert packaged.packager.dropped.total() == 0


REPEATED = {"h264": VIDEOS["B-frames as references"], "h265": VIDEOS["HEVC, open groups"], "av1": clips.AV1}


def own_sets(track: Track) -> bytes:
    """Its parameter sets as encoders repeat them before a key frame."""
    if track.codec == "av1":
        return b""  # SVT-AV1 repeats its sequence header by itself
    if track.codec == "h264":
        config = h264.parse_config(track.config)
        return nal.join_lengths([*config.sps, *config.pps])
    return nal.join_lengths(
        unit for kind, units in h265.parse_config(track.config).units if kind < 39 for unit in units
    )


def configuration(track: Track) -> memoryview:
    """The video message that says it: by FLV's old layout, AV1 by the enhanced one."""
    head = {"h264": b"\x17\x00\x00\x00\x00", "h265": b"\x1c\x00\x00\x00\x00", "av1": b"\x90av01"}[track.codec]
    return memoryview(head + track.config)


def message(p: Packet) -> memoryview:
    """The same of a frame; a key frame has parameter sets of its own."""
    if p.track.codec == "av1":
        return memoryview((b"\x91av01" if p.keyframe else b"\xa1av01") + bytes(p.data))
    kind = (0x10 if p.keyframe else 0x20) | {"h264": 7, "h265": 12}[p.track.codec]
    head = bytes((kind, 1)) + ((p.pts - p.dts) // 90).to_bytes(3, "big")
    return memoryview(head + (own_sets(p.track) if p.keyframe else b"") + bytes(p.data))


@pytest.mark.parametrize("codec", REPEATED)
def test_parameter_sets_that_change_in_the_pictures_alone(codec: str, clip: Clip, tmp_path: Path) -> None:
    """By RTMP: one configuration at the beginning, none at the change; the key frames bring their own."""
    sources = [clip(*REPEATED[codec]), clip(*REPEATED[codec], video="testsrc2=size=640x360:rate=25")]
    demuxed = [clips.demux(source) for source in sources]
    reader, packets, changed = MediaReader(), [], 0
    assert reader.video(configuration(demuxed[0].tracks[0]), 0)
    for number, source in enumerate(demuxed):
        for p in source.packets:
            event = reader.video(message(p), p.dts // 90 + number * clips.SECONDS * 1000)
            assert isinstance(event, MediaReceived)
            packets.append(event.packet)
            changed += reader.changed is not None
            reader.changed = None
    # SVT-AV1's header in the stream is not quite the one before it: the first key frame corrects that.
    assert changed == (2 if codec == "av1" else 1)
    packaged = package(packets)
    assert [stretch.init.tracks[0].width for stretch in packaged.stretches] == [320, 640]
    for number, (stretch, file) in enumerate(zip(packaged.stretches, sources, strict=True)):
        made = pictures(stretch.write(tmp_path / "made.mp4"))
        assert made == shifted(pictures(file), LEAD / 90_000 + number * clips.SECONDS)
    assert next(opened for opened in packaged.opened if opened.init_number == 2).discontinuity
    assert packaged.packager.dropped.total() == 0
    assert packaged.line.repairs.total == 0


def test_a_group_of_twenty_seconds_is_cut_at_six(tmp_path: Path) -> None:
    path = tmp_path / "long.mp4"
    clips.ffmpeg(
        "-f", "lavfi", "-i", "testsrc2=size=160x90:rate=15", "-f", "lavfi", "-i", "sine=sample_rate=48000", "-t", "45",
        "-c:v", "libx264", "-preset", "ultrafast", "-bf", "2", "-g", "300", "-sc_threshold", "0", "-pix_fmt", "yuv420p",
        *clips.AAC, *clips.PLAIN, path,
    )  # fmt: skip
    packaged = package(in_order(clips.demux(path).packets))
    (stretch,) = packaged.stretches
    made = stretch.write(tmp_path / "made.mp4")
    assert [one[1] for one in pictures(made)] == [one[1] for one in pictures(path)]
    assert [one[1:] for one in sounds(made)] == [one[1:] for one in sounds(path)]
    assert [round(seconds, 1) for seconds in packaged.seconds] == [6.0, 6.0, 6.0, 2.0] * 2 + [5.0]
    assert sum(part.independent for part in stretch.parts) == 3
    shutil.rmtree(tmp_path)


def test_milliseconds_of_thirty_frames_a_second(clip: Clip, tmp_path: Path) -> None:
    """As RTMP brings them: pictures within half a millisecond of their time, sound where its samples put it."""
    source = clip(*clips.H264, *clips.AAC, video="testsrc2=size=320x180:rate=30")
    exact = in_order(clips.demux(source).packets)
    (stretch,) = package(in_milliseconds(exact)).stretches
    made = stretch.write(tmp_path / "made.mp4")
    expected = shifted(pictures(source), _shift(exact))
    for found, wanted in zip(pictures(made), expected, strict=True):
        assert found[1] == wanted[1]
        assert abs(found[0] - wanted[0]) <= 0.0011
    assert [one[1:] for one in sounds(made)] == [one[1:] for one in sounds(source)]
