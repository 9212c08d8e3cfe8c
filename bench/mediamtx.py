"""A second peer, where its binary is at hand: MediaMTX with RTMP in, low-latency HLS of the same lengths out and its
recorder on, in fragmented MP4 files as long as our reels.
"""

import contextlib
import os
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path

from bench.house import answers
from bench.peer import Peer
from bench.processes import running, until
from ingest.settings import IngestSettings
from lectern.complaint import Complaint
from storage.embedded.ports import LOOPBACK, free_ports

VARIABLE = "LECTERN_BENCH_MEDIAMTX"
READY_SECONDS = 10.0
# `hlsAlwaysRemux` packages without a viewer, as the other two do; segments lie on the disk, as theirs.
SETTINGS = """
logLevel: warn
api: yes
apiAddress: {host}:{api}
rtsp: no
webrtc: no
srt: no
rtmp: yes
rtmpAddress: {host}:{rtmp}
hls: yes
hlsAddress: {host}:{hls}
hlsAlwaysRemux: yes
hlsVariant: lowLatency
hlsSegmentDuration: 2s
hlsPartDuration: 500ms
hlsDirectory: {content}
pathDefaults:
  record: yes
  recordFormat: fmp4
  recordPath: {recordings}/%path/%Y-%m-%d_%H-%M-%S-%f
  recordPartDuration: 1s
  recordSegmentDuration: {reel_seconds}s
authInternalUsers:
  - user: any
    permissions: [{{action: publish}}, {{action: read}}, {{action: api}}]
paths:
  all_others:
"""


def binary() -> str | None:
    """The program that the variable names."""
    return os.environ.get(VARIABLE) or None


def version() -> str:
    """What it says of itself."""
    program = binary()
    if program is None or not os.access(program, os.X_OK):
        raise Complaint(f"{VARIABLE}={program} is no program")
    return subprocess.run([program, "--version"], capture_output=True, text=True, check=True).stdout.strip()


@contextlib.asynccontextmanager
async def rtmp(folder: Path) -> AsyncIterator[Peer]:
    """A MediaMTX that packages what is published to rtmp://…/live/NAME."""
    program = binary()
    assert program is not None
    content = folder / "content"
    content.mkdir(parents=True)
    recordings = folder / "recordings"
    api, port, hls = free_ports(3)
    settings = folder / "mediamtx.yml"
    settings.write_text(
        SETTINGS.format(
            host=LOOPBACK, api=api, rtmp=port, hls=hls, content=content, recordings=recordings,
            reel_seconds=int(IngestSettings().reel_seconds),
        )
    )  # fmt: skip
    async with running([program, settings], folder / "mediamtx.log") as started:
        url = f"http://{LOOPBACK}:{api}/v3/paths/list"
        await until(lambda: answers(url), READY_SECONDS, "starting MediaMTX", [started])
        yield Peer(port, started.pid, content)
