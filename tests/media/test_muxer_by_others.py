"""Whatever valid packets the muxer gets, other readers find the same frames at the same times: PyAV, ffmpeg, mp4box.js.

`random_media` makes the packets; PyAV judges many, the others, which are processes, some at once.
"""

import hashlib
import json
import shutil
import subprocess
from pathlib import Path

import av
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from media.fragments import packets
from media.packet import Packet
from tests.media import clips
from tests.media.random_media import RandomMedia, random_media
from tests.media.test_fragments_by_ffmpeg import same_packets

ROOT = Path(__file__).resolve().parents[2]
MP4BOX = ROOT / "web" / "node_modules" / "mp4box" / "dist" / "mp4box.all.cjs"
READER = Path(__file__).with_name("read_by_mp4box.mjs")


@pytest.fixture(scope="module")
def sources(tmp_path_factory: pytest.TempPathFactory, lecture: Path) -> list[clips.Demuxed]:
    folder = tmp_path_factory.mktemp("sources")
    hevc = clips.encode(folder / "hevc.mp4", *clips.H265, *clips.OPUS)
    av1 = clips.encode(folder / "av1.mp4", *clips.AV1)
    return [clips.demux(path) for path in (lecture, hevc, av1)]


def decoded(lane: list[Packet]) -> list[tuple[int | None, bytes]]:
    """Time and hash of each picture, from a decoder that saw no file of ours."""
    track = lane[0].track
    context = av.CodecContext.create({"h264": "h264", "h265": "hevc", "av1": "libdav1d"}[track.codec], "r")
    assert isinstance(context, av.VideoCodecContext)
    context.extradata = track.config
    frames = []
    for one in [*lane, None]:
        packet = None
        if one is not None:
            packet = av.Packet(bytes(one.data))
            packet.pts, packet.dts = one.pts, one.dts
        frames += [(frame.pts, clips.picture_hash(frame)) for frame in context.decode(packet)]
    return frames


def check(made: RandomMedia, path: Path) -> None:
    path.write_bytes(made.file)
    expected = [packet for lane in made.packets for packet in lane]
    same_packets(packets(made.file, made.file), expected)
    same_packets(clips.demux(path).packets, expected)
    video = made.packets[0]
    if video[0].track.kind == "video":
        assert clips.decode(path) == decoded(video)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32))
def test_every_frame_and_time_by_pyav(
    sources: list[clips.Demuxed], tmp_path_factory: pytest.TempPathFactory, seed: int
) -> None:
    check(random_media(seed, sources), tmp_path_factory.getbasetemp() / "random.mp4")


def test_every_packet_and_time_by_ffmpeg(sources: list[clips.Demuxed], tmp_path: Path) -> None:
    for seed in range(8):
        made, path = random_media(seed, sources), tmp_path / f"{seed}.mp4"
        path.write_bytes(made.file)
        # Steps that no encoder would make are worth a warning to it, which is none of ours.
        told = clips.ffprobe("-v", "error", "-of", "json", "-show_packets", "-show_data_hash", "md5", path)
        rows = json.loads(told)["packets"]
        for index, lane in enumerate(made.packets):
            found = [
                (p["dts"], p["pts"], p["flags"][0] == "K", p["data_hash"]) for p in rows if p["stream_index"] == index
            ]
            assert found == [(p.dts, p.pts, p.keyframe, f"MD5:{hashlib.md5(p.data).hexdigest()}") for p in lane]


@pytest.mark.skipif(not MP4BOX.exists() or shutil.which("node") is None, reason="needs node and web/node_modules")
def test_every_sample_and_time_by_mp4box(sources: list[clips.Demuxed], tmp_path: Path) -> None:
    made = [random_media(seed, sources, early=seed % 2 == 1) for seed in range(40)]
    files = [tmp_path / f"{number}.mp4" for number in range(len(made))]
    for one, path in zip(made, files, strict=True):
        path.write_bytes(one.file)
    command = ["node", str(READER), str(MP4BOX), *map(str, files)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    for one, tracks in zip(made, json.loads(done.stdout), strict=True):
        assert len(tracks) == len(one.packets)
        for lane, end, found in zip(one.packets, one.ends, tracks, strict=True):
            track = lane[0].track
            assert (found["codec"].lower(), found["timescale"]) == (track.codec_string.lower(), track.timescale)
            following = [*(p.dts for p in lane[1:]), end]
            assert found["samples"] == [
                [p.dts, p.pts, later - p.dts, p.keyframe, hashlib.sha1(p.data).hexdigest()]
                for p, later in zip(lane, following, strict=True)
            ]
