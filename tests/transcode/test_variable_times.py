"""Frames as browsers send them: at any time, still for seconds, a tick apart, segments of one frame or of none.

Every frame of the source must be in the rendition at its own time, and the sound must be the source's.
"""

import random
from collections.abc import Callable, Sequence
from itertools import accumulate, pairwise
from pathlib import Path

import pytest

from media.codecs import opus
from media.codecs.opus import OpusConfig
from media.fragments import fragment, init_segment, packets, track_run
from media.packet import VIDEO_TIMESCALE, Packet, audio_track
from tests.media import clips
from transcode import ffmpeg
from transcode.ladder import DEFAULT_RENDITIONS, rungs
from transcode.rendition import RenditionReel, SourceReel, keyframes_seconds, mux

pytestmark = pytest.mark.anyio

BASE = VIDEO_TIMESCALE + 17
FRAMES = 60
SOUND_STEP = 960
SOUND = audio_track("opus", opus.build_config(OpusConfig(channels=2, pre_skip=312, input_rate=48_000)))


def uneven(spread: random.Random) -> list[int]:
    """A camera on a loaded machine."""
    return [spread.randint(800, 9000) for _ in range(FRAMES)]


def still(spread: random.Random) -> list[int]:
    """A screen that stands still, moves for a moment and stands still again; one picture a second meanwhile."""
    return [VIDEO_TIMESCALE + spread.randint(-900, 900) if n % 20 > 12 else 3000 for n in range(FRAMES)]


def a_tick_apart(spread: random.Random) -> list[int]:
    """After a stall a browser's clock runs back, and pictures are pressed together."""
    return [1 if n % 9 in (3, 4, 5) else spread.randint(2900, 3100) for n in range(FRAMES)]


def long_gaps(spread: random.Random) -> list[int]:
    """No picture at all for longer than a segment may be."""
    return [7 * VIDEO_TIMESCALE if n in (20, 40) else 3000 + spread.randint(-40, 40) for n in range(FRAMES)]


@pytest.fixture(scope="module")
def frames(tmp_path_factory: pytest.TempPathFactory) -> list[Packet]:
    """Pictures without B-frames, a key frame every tenth."""
    path = tmp_path_factory.mktemp("browser") / "source.mp4"
    codec = ("-c:v", "libx264", "-preset", "ultrafast", "-bf", "0", "-g", "10", "-threads", "1")
    clips.encode(path, *codec, "-sc_threshold", "0", "-pix_fmt", "yuv420p")
    return [one for one in clips.demux(path).packets if one.track.kind == "video"][:FRAMES]


def source(frames: Sequence[Packet], steps: Sequence[int]) -> SourceReel:
    """The frames with these ticks between them and sound all along, cut as the packager cuts."""
    times = list(accumulate(steps, initial=BASE))
    pictures = [Packet(one.track, at, at, one.keyframe, one.data) for one, at in zip(frames, times, strict=False)]
    media, rows = b"", []
    bounds = [*_cuts(pictures), 1 << 40]
    sound = _sound(times[-1])
    for number, (low, high) in enumerate(pairwise(bounds)):
        shown = [one for one in pictures if low <= one.dts < high]
        heard = [one for one in sound if low * 8 <= one.dts * 15 < high * 8]
        runs = [track_run(1, shown, shown[-1].dts + 3000)] if shown else []
        runs += [track_run(2, heard, heard[-1].dts + SOUND_STEP)] if heard else []
        header, payloads = fragment(number + 1, runs)
        piece = header + b"".join(payloads)
        rows.append({"msn": number, "offset": len(media), "bytes": len(piece), "duration_ms": 1000})
        media += piece
    return SourceReel(init_segment([frames[0].track, SOUND]), media, rows)


def _cuts(pictures: Sequence[Packet]) -> list[int]:
    """At every second key frame; where nothing is to be seen for long, one segment has sound alone."""
    keys = [one.dts for one in pictures if one.keyframe][::2]
    silent = [one.dts for one, following in pairwise(pictures) if following.dts - one.dts > 6 * VIDEO_TIMESCALE]
    return sorted({*keys, *(at + 3000 for at in silent), *(at + 6 * VIDEO_TIMESCALE for at in silent)})


def _sound(until: int) -> list[Packet]:
    """Packets of 20 ms, each unlike its neighbours."""
    first, last = BASE * 8 // 15, until * 8 // 15
    times = range(first, last, SOUND_STEP)
    return [Packet(SOUND, at, at, True, bytes((0xFC, n % 251))) for n, at in enumerate(times)]


async def encoded(of: SourceReel, folder: Path) -> RenditionReel:
    """As a job does it, in the smallest rendition."""
    file = folder / "source.mp4"
    file.write_bytes(of.init + of.media)
    (rung,) = rungs(DEFAULT_RENDITIONS, 320, 180)
    command = ffmpeg.ReelCommand(
        source=file, folder=folder, rungs=[rung], keyframes_seconds=keyframes_seconds(of.segment_packets()),
        still_seconds=5, threads=1, preset="ultrafast",
    )  # fmt: skip
    await ffmpeg.run(command.arguments(), timeout_seconds=60)
    return mux(of, folder / f"{rung.name}.mp4")


@pytest.mark.parametrize("steps", [uneven, still, a_tick_apart, long_gaps])
async def test_every_frame_keeps_its_time(
    steps: Callable[[random.Random], list[int]], frames: list[Packet], tmp_path: Path
) -> None:
    of = source(frames, steps(random.Random(3)))
    made = await encoded(of, tmp_path)
    wanted, found = packets(of.init, of.media), packets(made.init, made.media)
    for kind in ("video", "audio"):
        times = [[one.pts for one in side if one.track.kind == kind] for side in (wanted, found)]
        assert sorted(times[1]) == sorted(times[0]), kind
        assert len(times[0]) > FRAMES // 2
    sound = [[bytes(one.data) for one in side if one.track.kind == "audio"] for side in (wanted, found)]
    assert sound[1] == sound[0]
    for row in made.segments:
        piece = packets(made.init, memoryview(made.media)[row["offset"] : row["offset"] + row["bytes"]])
        shown = [one for one in piece if one.track.kind == "video"]
        assert not shown or shown[0].keyframe
