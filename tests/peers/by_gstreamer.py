"""GStreamer as a player: the pictures that it decodes, each by its time and width, and what it complains of."""

import asyncio
import os
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

_PICTURE = re.compile(r"chain .*?pts: (\d+):(\d+):([\d.]+)")
_SHAPE = re.compile(r"identity\d+\.GstPad:sink: caps = video/x-raw.*? width=\(int\)(\d+)")
_COMPLAINT = re.compile(r"\b(?:WARN|ERROR)\b")
# -v cannot print what souphttpsrc shares with its neighbours.
_ITS_OWN = "No value transform to serialize field 'session'"
BY_HLSDEMUX = "souphttpsrc location={} ! hlsdemux ! qtdemux ! h264parse ! avdec_h264 ! identity silent=false ! fakesink"
BY_PLAYBIN3 = (
    "playbin3 uri={} audio-sink=fakesink",
    "video-sink=identity silent=false ! fakesink sync=false",
)


@dataclass
class Shown:
    """Each picture's time in seconds and width, one after the other; warnings and errors."""

    times: list[float] = field(default_factory=list)
    widths: list[int] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)
    _width: int = 0

    def read(self, text: str) -> bool:
        """A line of what gst-launch says. Whether it tells of a picture."""
        if found := _PICTURE.search(text):
            self.times.append(int(found[1]) * 3600 + int(found[2]) * 60 + float(found[3]))
            self.widths.append(self._width)
            return True
        if found := _SHAPE.search(text):
            self._width = int(found[1])
        elif _COMPLAINT.search(text) and _ITS_OWN not in text:
            self.complaints.append(text.strip())
        return False


async def decoded(arguments: Sequence[str], most: int, seconds: float = 60) -> tuple[list[float], list[str]]:
    """Times of up to so many pictures, to the end of what there is; warnings and errors."""
    seen = await shown(arguments, lambda one: len(one.times) == most, seconds)
    return seen.times, seen.complaints


async def shown(arguments: Sequence[str], enough: Callable[[Shown], bool], seconds: float = 60) -> Shown:
    """What it shows until that is `enough` (asked at each picture), or to the end of what there is."""
    process = await asyncio.create_subprocess_exec(
        "gst-launch-1.0", "-v", *arguments, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
        env={**os.environ, "GST_DEBUG": "2", "GST_DEBUG_NO_COLOR": "1"}, limit=1 << 20,
    )  # fmt: skip
    seen = Shown()
    try:
        assert process.stdout is not None
        async with asyncio.timeout(seconds):
            async for line in process.stdout:
                if seen.read(line.decode(errors="replace")) and enough(seen):
                    break
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()
    return seen


def by_hlsdemux(url: str) -> list[str]:
    """The older demuxer, in a chain by hand, on a media playlist."""
    return BY_HLSDEMUX.format(url).split()


def by_playbin3(url: str) -> list[str]:
    """The newer one, as the player of applications has it, on any playlist."""
    return [*BY_PLAYBIN3[0].format(url).split(), BY_PLAYBIN3[1]]
