"""`bench latency`: how far behind a viewer's screen is, from a clock burnt into the picture, read back in Chromium.

A real encoder (x264) publishes over RTMP into a real `lectern ingest`; hls.js plays with the settings of Lectern's own
player. At every animation frame the page reads the clock from what the video element shows and compares it with the
machine's: encoder, packaging, delivery, the player's buffer, decoder and display are all in it. `llhls_p95_ms` is over
all frames shown after the player has settled; a stalled picture grows older with every frame, so stalls count by
themselves, and are told beside it.
"""

import asyncio
import dataclasses
import importlib.metadata
from dataclasses import dataclass
from typing import Any

import httpx
from playwright.async_api import async_playwright

from bench import burnt_clock, lessons
from bench.house import House, house, run_folder
from bench.listening import address
from bench.page import CHROMIUM, FLAGS, SCRIPTS, served
from bench.processes import Program, until
from bench.report import Figure, Report
from lectern.complaint import Complaint
from lectern.settings import Settings
from storage.embedded.ports import LOOPBACK

GOAL_MS = 1800
STARTING_SECONDS = 30.0
SETTLE_SECONDS = 8.0
LEAST_SAMPLES = 100
NO_REEL_SECONDS = 3600.0
HLS = SCRIPTS / "hls.js" / "dist" / "hls.min.js"
# As web/src/parts/player/engine.ts sets it for a live session.
SETTINGS = """{
  lowLatencyMode: true, enableWorker: true, backBufferLength: 60, maxBufferLength: 20, maxLiveSyncPlaybackRate: 1.08,
  liveDurationInfinity: true, capLevelToPlayerSize: false, startLevel: -1,
}"""
PAGE = """<!doctype html><video id="video" muted autoplay playsinline width="640" height="360"></video>
<script src="hls.js"></script><script>
const video = document.getElementById('video'), canvas = document.createElement('canvas')
canvas.width = 640; canvas.height = 80
const context = canvas.getContext('2d', { willReadFrequently: true })
window.told = { samples: [], waiting: 0, failures: [], parts: 0 }
video.addEventListener('waiting', () => window.told.waiting++)
function look() {
  requestAnimationFrame(look)
  if (video.readyState < 2 || !video.videoWidth) return
  context.drawImage(video, 0, 0, 640, 80, 0, 0, 640, 80)
  const pixels = context.getImageData(0, 0, 640, 80).data, now = Date.now()
  let stamp = 0
  for (let bit = 0; bit < 32; bit++) {
    const x = (bit % 16) * 40 + 20, y = (bit >> 4) * 40 + 20
    stamp = stamp * 2 + (pixels[4 * (y * 640 + x)] > 127 ? 1 : 0)
  }
  window.told.samples.push(((now % 4294967296) - stamp + 4294967296) % 4294967296)
}
window.play = url => {
  const hls = new Hls(SETTINGS)
  hls.on(Hls.Events.ERROR, (_, data) => window.told.failures.push((data.fatal ? 'fatal ' : '') + data.details))
  hls.on(Hls.Events.FRAG_LOADED, (_, data) => { if (data.part) window.told.parts++ })
  hls.loadSource(url); hls.attachMedia(video); video.play(); look()
}
window.afresh = () => { window.told.samples = []; window.told.waiting = 0; window.told.parts = 0 }
</script>""".replace("SETTINGS", SETTINGS)


@dataclass(frozen=True)
class Size:
    """How much is measured: seconds of each viewer, and viewers one after the other, who come at different moments."""

    window_seconds: float
    viewers: int


QUICK = Size(20.0, 1)
WHOLE = Size(60.0, 4)


@dataclass(frozen=True)
class Seen:
    """What one viewer's page told: ages of what was on the screen (ms), in order of time."""

    ages_ms: list[float]
    waiting: int
    parts: int
    failures: list[str]


def run(*, quick: bool) -> Report:
    """Measure, quick or whole."""
    return asyncio.run(measure(QUICK if quick else WHOLE, quick=quick))


async def measure(size: Size, *, quick: bool) -> Report:
    """Complaint where Chromium or hls.js is missing, or the page reads no clock."""
    if not CHROMIUM.exists() or not HLS.exists():
        raise Complaint("Chromium or hls.js is not installed (`make setup`)")
    with run_folder() as folder:
        async with house(folder) as home, home.ingest("latency", reel_seconds=NO_REEL_SECONDS) as (own, settings):
            seen, browser = await _watch(home, own, settings, size)
    versions = {"lectern": importlib.metadata.version("lectern"), "chromium": browser}
    return Report("latency", quick, _figures(seen), versions, (), [dataclasses.asdict(one) for one in seen])


async def _watch(home: House, own: Program, settings: Settings, size: Size) -> tuple[list[Seen], str]:
    (lesson,) = await lessons.plan(home.catalogue, settings, 1)
    url = f"{settings.ingest.control_url}{address(settings, lesson.session_id)}/index.m3u8"
    to = f"rtmp://{LOOPBACK}:{settings.ingest.rtmp_port}/live/{lesson.key}"
    with burnt_clock.encoder(to), served(PAGE, {"hls.js": HLS}) as page_url:
        async with httpx.AsyncClient(timeout=20) as client:

            async def is_there() -> bool:
                return (await client.get(url.replace("index", "main"))).text.count("#EXTINF") >= 2

            await until(is_there, STARTING_SECONDS, "starting the stream", [own])
        async with async_playwright() as playwright:
            browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=[*FLAGS])
            seen = [await _view(browser, page_url, url, size.window_seconds) for _ in range(size.viewers)]
            version = browser.version
            await browser.close()
    return seen, version


async def _view(browser: Any, page_url: str, url: str, seconds: float) -> Seen:
    page = await browser.new_page()
    try:
        await page.goto(page_url)
        await page.evaluate("url => window.play(url)", url)
        await asyncio.sleep(SETTLE_SECONDS)
        await page.evaluate("window.afresh()")
        await asyncio.sleep(seconds)
        told: dict[str, Any] = await page.evaluate("window.told")
    finally:
        await page.close()
    if len(told["samples"]) < LEAST_SAMPLES:
        raise Complaint(f"the page read the clock {len(told['samples'])} times in {seconds:.0f} s: {told['failures']}")
    return Seen(told["samples"], told["waiting"], told["parts"], told["failures"])


def _figures(seen: list[Seen]) -> list[Figure]:
    ages = sorted(age for one in seen for age in one.ages_ms)
    p50, p95 = ages[len(ages) // 2], ages[len(ages) * 95 // 100]
    stalls = sum(one.waiting for one in seen)
    parts = sum(one.parts for one in seen)
    told = f"{len(ages)} frames of the screen, {parts} parts"
    return [
        Figure("llhls_p50_ms", round(p50), own=f"{ages[0]:.0f} to {ages[-1]:.0f} ms"),
        Figure("llhls_p95_ms", round(p95), GOAL_MS, own=told),
        Figure("stalls", stalls),
    ]
