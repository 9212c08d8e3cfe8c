"""Players of others on a class that is live in a real process: GStreamer, and hls.js in Chromium at low latency."""

import asyncio
import re
from collections.abc import AsyncIterator
from itertools import pairwise
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from playwright.async_api import async_playwright

from bench import clip, lessons
from bench.encoders import Encoders
from bench.house import house, run_folder
from bench.latency import HLS, PAGE
from bench.listening import address
from bench.page import CHROMIUM, FLAGS, served
from bench.processes import until

pytestmark = [pytest.mark.anyio, pytest.mark.long, pytest.mark.timeout(180)]

PLAYED_SECONDS = 6


@pytest.fixture
async def live() -> AsyncIterator[str]:
    """The address of a class's multivariant playlist, with a few segments in it."""
    source = await asyncio.to_thread(clip.made, clip.SEMINAR)
    with run_folder() as folder:
        async with house(folder) as home, home.ingest("live") as (program, settings):
            (lesson,) = await lessons.plan(home.catalogue, settings, 1)
            base = f"{settings.ingest.control_url}{address(settings, lesson.session_id)}"
            to = f"rtmp://127.0.0.1:{settings.ingest.rtmp_port}/live/{lesson.key}"
            encoders = await Encoders.publish(source, [to], folder / "to-live")

            async def is_there() -> bool:
                async with httpx.AsyncClient(timeout=20) as client:
                    return (await client.get(f"{base}/main.m3u8")).text.count("#EXTINF") >= 3

            try:
                await until(is_there, 60, "starting the stream", [program])
                yield f"{base}/index.m3u8"
            finally:
                await encoders.kill()


async def test_gstreamer(live: str) -> None:
    """Pictures are decoded one after the other, each a frame later than the one before."""
    command = [
        *("gst-launch-1.0", "-v", "souphttpsrc", f"location={live.replace('index', 'main')}", "!", "hlsdemux", "!"),
        *("qtdemux", "!", "h264parse", "!", "avdec_h264", "!", "identity", "silent=false", "!", "fakesink"),
    ]
    process = await asyncio.create_subprocess_exec(
        *command, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    seconds: list[float] = []
    try:
        assert process.stdout is not None
        async with asyncio.timeout(60):
            async for line in process.stdout:
                assert b"ERROR" not in line
                if found := re.search(r"chain .*?pts: (\d+):(\d+):([\d.]+)", line.decode()):
                    seconds.append(int(found[1]) * 3600 + int(found[2]) * 60 + float(found[3]))
                if len(seconds) == PLAYED_SECONDS * 30:
                    break
    finally:
        process.kill()
        await process.wait()
    assert len(seconds) == PLAYED_SECONDS * 30, "it ended by itself"
    assert {round(later - earlier, 2) for earlier, later in pairwise(seconds)} == {0.03}


async def test_hls_js_is_at_the_low_latency_edge(live: str) -> None:
    """It asks for parts and is held for playlists, each a step on from the one before."""
    asked: list[str] = []
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=[*FLAGS])
        with served(PAGE, {"hls.js": HLS}) as page_url:
            page = await browser.new_page()
            page.on("request", lambda request: asked.append(request.url))
            await page.goto(page_url)
            await page.evaluate("url => window.play(url)", live)
            await page.wait_for_function("() => document.querySelector('video').currentTime > 0", timeout=30_000)
            began = await page.evaluate("document.querySelector('video').currentTime")
            await asyncio.sleep(PLAYED_SECONDS)
            ended = await page.evaluate("document.querySelector('video').currentTime")
            failures = await page.evaluate("window.told.failures")
        await browser.close()
    assert not [one for one in failures if one.startswith("fatal")]
    assert ended - began > PLAYED_SECONDS / 2
    parts = [one for one in asked if "/part-" in one]
    assert len(parts) >= PLAYED_SECONDS
    held = [parse_qs(urlsplit(one).query) for one in asked if "_HLS_msn" in one]
    steps = [(int(one["_HLS_msn"][0]), int(one.get("_HLS_part", ["-1"])[0])) for one in held]
    assert len(steps) >= PLAYED_SECONDS
    assert steps == sorted(steps)
    assert any("_HLS_part" in one for one in held)
