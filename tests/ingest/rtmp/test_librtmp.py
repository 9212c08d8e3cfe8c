"""librtmp publishes: the dialect of OBS and of GStreamer's rtmpsink (type 1 headers first, chunks of 128 bytes)."""

import asyncio
import ctypes.util
import sys
from pathlib import Path

import pytest

from domain.refusals import Refusal
from ingest.rtmp.certificate import Certificate
from ingest.rtmp.server import RtmpServer
from ingest.rtmp.settings import RtmpSettings
from tests.ingest.rtmp import librtmp_publisher
from tests.ingest.rtmp.recorder import PATIENCE_SECONDS, Recorder, demuxed, received, serving
from tests.kit.certificates import write_pair

LIBRARY = ctypes.util.find_library("rtmp")
pytestmark = [
    pytest.mark.anyio,
    pytest.mark.skipif(LIBRARY is None, reason="librtmp is not on this machine (Debian's librtmp1)"),
]


async def publish(url: str, clip: Path) -> int:
    """Its exit code."""
    program = (sys.executable, "-P", librtmp_publisher.__file__, str(LIBRARY), url, str(clip))
    process = await asyncio.create_subprocess_exec(*program)
    try:
        return await asyncio.wait_for(process.wait(), PATIENCE_SECONDS)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def test_every_packet_and_time_equals_the_source(clip: Path) -> None:
    source = demuxed(clip)
    recorder = Recorder()
    async with serving(recorder) as server:
        assert await publish(f"rtmp://127.0.0.1:{server.port}/live/KEY", clip) == 0
        await recorder.until(lambda: recorder.takes[0].ends)
    (take,) = recorder.takes
    assert (take.request.app, take.request.key, take.ends) == ("live", "KEY", ["unpublished"])
    assert received(take, "video") == source["video"]
    assert received(take, "audio") == source["audio"]


async def test_rtmps(clip: Path, tmp_path: Path) -> None:
    """It reads a session ticket of TLS 1.3 as an error: none is sent."""
    recorder = Recorder()
    settings = RtmpSettings(hosts=("127.0.0.1",), port=0, tls_port=0, linger_seconds=1.0)
    server = RtmpServer(settings, recorder, Certificate(*write_pair(tmp_path)))
    await server.start()
    try:
        assert await publish(f"rtmps://127.0.0.1:{server.tls_port}/live/KEY", clip) == 0
        await recorder.until(lambda: recorder.takes[0].ends)
    finally:
        await server.stop()
    (take,) = recorder.takes
    assert (take.request.secure, take.ends) == (True, ["unpublished"])
    assert received(take, "video") == demuxed(clip)["video"]


async def test_a_refusal_ends_it(clip: Path) -> None:
    recorder = Recorder()
    recorder.refusal = Refusal("unknown_key")
    async with serving(recorder) as server:
        assert await publish(f"rtmp://127.0.0.1:{server.port}/live/KEY", clip) == 4
