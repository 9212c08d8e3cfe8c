"""Players of others through a cut: they follow into the holding picture and back into the class by themselves."""

import asyncio
from collections.abc import AsyncIterator
from itertools import groupby, pairwise
from pathlib import Path

import pytest
from playwright.async_api import async_playwright

from bench.latency import HLS
from bench.page import CHROMIUM, FLAGS, served
from ingest.service import IngestService
from ingest.settings import IngestSettings
from storage.catalogue.transaction import Catalogue
from storage.embedded import valkey as embedded_valkey
from storage.objects.store import ObjectStore
from tests.ingest.classroom import Lesson, encoder, ingest, lesson, order
from tests.ingest.wired import segments
from tests.peers.by_ffmpeg import decoded

pytestmark = [pytest.mark.anyio, pytest.mark.long, pytest.mark.timeout(120)]

PLAYED_SECONDS = 4.0
CUT_SECONDS = 8.0
CLASS_WIDTH, HOLDING_WIDTH = 320, 1280
PAGE = """<!doctype html><video id="video" muted autoplay playsinline></video>
<script src="hls.js"></script><script>
const video = document.getElementById('video')
window.told = { at: [], failures: [] }
setInterval(() => told.at.push([performance.now() / 1000, video.currentTime, video.videoWidth]), 50)
window.play = url => {
  const hls = new Hls({ lowLatencyMode: true })
  hls.on(Hls.Events.ERROR, (_, data) => told.failures.push((data.fatal ? 'fatal ' : '') + data.details))
  hls.loadSource(url); hls.attachMedia(video); video.play()
}
</script>"""


@pytest.fixture
async def live(
    tmp_path: Path, catalogue: Catalogue, object_store: ObjectStore, valkey: embedded_valkey.Running
) -> AsyncIterator[tuple[IngestService, Lesson, str]]:
    """A class that is live, at the pace of a real one, and the address of its multivariant playlist."""
    settings = IngestSettings(spool_folder=tmp_path / "spool", rtmp_port=0, http_port=0)
    told = await lesson(catalogue)
    async with (
        ingest(settings, catalogue, object_store, valkey.url) as service,
        encoder(service, told.key, speed=1.0, group=50),
    ):
        await segments(service, told, 4)
        assert service.http is not None
        yield (
            service,
            told,
            f"http://127.0.0.1:{service.http.port}/live/{told.session_id}/{told.token()}/index.m3u8",
        )


async def cut_and_resume(catalogue: Catalogue, told: Lesson) -> None:
    await asyncio.sleep(PLAYED_SECONDS)
    await order(catalogue, told.session_id, "cut", "误入")
    await asyncio.sleep(CUT_SECONDS)
    await order(catalogue, told.session_id, "resume")
    await asyncio.sleep(PLAYED_SECONDS)


async def test_hls_js_at_low_latency(live: tuple[IngestService, Lesson, str], catalogue: Catalogue) -> None:
    _, told, url = live
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=[*FLAGS])
        with served(PAGE, {"hls.js": HLS}) as page_url:
            page = await browser.new_page()
            await page.goto(page_url)
            await page.evaluate("url => window.play(url)", url)
            await page.wait_for_function("() => document.querySelector('video').currentTime > 0", timeout=30_000)
            await asyncio.sleep(2)
            await page.evaluate("told.at = []")
            await cut_and_resume(catalogue, told)
            await asyncio.sleep(4)  # the key frame, and what the player holds back
            at, failures = await page.evaluate("[told.at, told.failures]")
        await browser.close()
    assert [width for width, _ in groupby(one[2] for one in at)] == [CLASS_WIDTH, HOLDING_WIDTH, CLASS_WIDTH]
    assert not [one for one in failures if one.startswith("fatal")]
    moved = [one for one, later in pairwise(at) if later[1] > one[1]]
    standstill = max(later[0] - one[0] for one, later in pairwise(moved))
    assert standstill < 0.5, (standstill, failures)
    passed, played = at[-1][0] - at[0][0], at[-1][1] - at[0][1]
    assert played > 0.9 * passed


async def test_ffmpeg(live: tuple[IngestService, Lesson, str], catalogue: Catalogue) -> None:
    """Every picture is decoded, of the class as of what is shown meanwhile; the clock of the stream never goes back."""
    service, told, url = live
    reading = asyncio.create_task(decoded(url, PLAYED_SECONDS * 2 + CUT_SECONDS))
    await cut_and_resume(catalogue, told)
    times, complaints = await reading
    steps = [later - earlier for earlier, later in pairwise(times)]
    assert complaints == ""
    assert min(steps) > 0
    frames = (0.03, 0.04)  # of the picture, of the class
    assert len([step for step in steps if round(step, 2) not in frames]) <= 2, "where it was cut, and where it went on"
    assert max(steps) < 3, "to the next key frame at most"
    window = service.lives.sessions[told.session_id].window
    assert [held for held, _ in groupby(one.holding for one in window.segments)] == [False, True, False]
