"""Whatever valid packets a take brings, decoders find the same frames at the same times in what is packaged of them.

Real encoders' frames: pictures with composition offsets of any depth, each shown for any time; sound that begins before
them or after. RTMP's rounding is not among it: every tick must be there. (Pictures that are shown before they are
decoded libav moves as it likes; what mp4box.js makes of them `tests/media/test_muxer_by_others.py` looks at.)
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.crawl import LOOK_FRAMES, MOST_FRAMES
from ingest.events import CLOCK
from ingest.timeline import LEAD
from media.packet import Packet
from tests.ingest.real_media import Packaged, in_order, package
from tests.media import clips
from tests.media.random_media import pictures
from tests.media.test_muxer_by_others import decoded

FRAME = {"aac": 1024, "opus": 960}


@dataclass(frozen=True)
class Brought:
    """One take's packets, by track, and in the order they come."""

    video: list[Packet]
    audio: list[Packet]

    @property
    def packets(self) -> list[Packet]:
        return in_order(self.video, self.audio)


LEAST_SPAN = LOOK_FRAMES * CLOCK // MOST_FRAMES


@pytest.fixture(scope="module")
def sources(tmp_path_factory: pytest.TempPathFactory) -> list[clips.Demuxed]:
    folder = tmp_path_factory.mktemp("sources")
    deep = ("-c:v", "libx264", "-preset", "veryfast", "-pix_fmt", "yuv420p", "-threads", "1",
            "-x264-params", "keyint=25:scenecut=0:bframes=8:b-adapt=0:b-pyramid=normal")  # fmt: skip
    made = [(*deep, *clips.AAC), (*clips.H265, *clips.OPUS), (*clips.AV1, *clips.AAC)]
    return [clips.demux(clips.encode(folder / f"{n}.mp4", *codecs)) for n, codecs in enumerate(made)]


def brought(seed: int, sources: Sequence[clips.Demuxed]) -> Brought:
    random = Random(seed)
    video_of, audio_of = random.choice(sources), random.choice(sources)
    video = pictures(random, [p for p in video_of.packets if p.track == video_of.tracks[0]], early=False)
    if any(later.dts - one.dts < LEAST_SPAN for one, later in zip(video, video[LOOK_FRAMES:], strict=False)):
        video = []  # no camera's: such stamps are not followed
    sound = [p for p in audio_of.packets if p.track == audio_of.tracks[1]]
    if random.random() < 0.1:
        video = []
    elif random.random() < 0.1:
        sound = []
    scale = audio_of.tracks[1].timescale
    starts = random.choice([0.0, random.uniform(-LEAD / CLOCK + 0.1, 0.9), random.uniform(1.1, 3.0)])
    first = max(0, round((video[0].dts / CLOCK if video else 5) + starts)) * scale + random.randrange(scale // 2)
    times = [first + n * FRAME[audio_of.tracks[1].codec] for n in range(len(sound))]
    return Brought(video, [Packet(p.track, at, at, True, p.data) for p, at in zip(sound, times, strict=True)])


def check(packaged: Packaged, sent: Brought, folder: Path) -> list[tuple[Path, list[Packet]]]:
    """Each stretch as a file, with the packets that must be in it."""
    assert packaged.line.repairs.total == 0
    shift = _shift(sent)
    dropped = packaged.packager.dropped
    expected = {
        "video": [_moved(p, shift) for p in sent.video],
        "audio": [_moved(p, shift) for p in sent.audio][dropped["audio"] :],
    }
    assert not dropped["video"], "it begins with a key frame"
    files = []
    for number, stretch in enumerate(packaged.stretches):
        file = stretch.write(folder / f"{number}.mp4")
        found = clips.demux(file).packets
        for kind, lane in expected.items():
            here = [p for p in found if p.track.kind == kind]
            assert [_flat(p) for p in here] == [_flat(p) for p in lane[: len(here)]]
            del lane[: len(here)]
            if kind == "video" and here:
                assert clips.decode(file) == decoded(here)
        files.append((file, found))
    assert expected == {"video": [], "audio": []}, "nothing is missing"
    return files


def _shift(sent: Brought) -> int:
    """Of the first packet, in ticks of the line: all are moved by it."""
    first = sent.packets[0]
    return LEAD - first.dts * CLOCK // first.track.timescale


def _moved(p: Packet, shift: int) -> Packet:
    moved = shift * p.track.timescale // CLOCK
    return Packet(p.track, p.dts + moved, p.pts + moved, p.keyframe, p.data)


def _flat(p: Packet) -> tuple[int, int, bool, bytes]:
    return p.dts, p.pts, p.keyframe, bytes(p.data)


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 2**32))
def test_every_frame_and_time(
    sources: list[clips.Demuxed], tmp_path_factory: pytest.TempPathFactory, seed: int
) -> None:
    sent = brought(seed, sources)
    if sent.packets:
        check(package(sent.packets), sent, tmp_path_factory.getbasetemp())


def test_every_packet_and_time_by_ffprobe(sources: list[clips.Demuxed], tmp_path: Path) -> None:
    for seed in range(4):
        sent = brought(seed, sources)
        for file, packets in check(package(sent.packets), sent, tmp_path):
            told = clips.ffprobe("-v", "error", "-of", "json", "-show_packets", "-show_data_hash", "md5", file)
            rows = [(p["codec_type"], p["dts"], p["pts"], p["data_hash"]) for p in json.loads(told)["packets"]]
            expected = [(p.track.kind, p.dts, p.pts, f"MD5:{hashlib.md5(p.data).hexdigest()}") for p in packets]
            assert sorted(rows) == sorted(expected)
