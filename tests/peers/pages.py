"""Players of others in Chromium, each on a bare page: what a test may ask of hls.js and of Shaka Player alike."""

import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from urllib.parse import urljoin

from playwright.async_api import Page, async_playwright

from bench.page import CHROMIUM, FLAGS, SCRIPTS

PATIENCE_MS = 30_000
_PAGE = """<!doctype html><video id="video" muted autoplay playsinline width="640" height="360"></video>
<script src="peers-player.js"></script><script>
const video = document.getElementById('video')
window.told = { failures: [], at: [] }
setInterval(() => window.told.at.push([performance.now() / 1000, video.currentTime, video.videoWidth]), 50)
%s
</script>"""
# As web/src/parts/player/engine.ts sets it, which says why holes are no part of a replay's buffer.
_HLS = """
let hls
window.play = (url, live) => {
  const replay = { startPosition: 0, maxBufferHole: 0.01 }
  hls = new Hls({ lowLatencyMode: live, maxBufferLength: 20, ...(live ? {} : replay) })
  hls.on(Hls.Events.ERROR, (_, data) => window.told.failures.push((data.fatal ? 'fatal ' : '') + data.details))
  hls.loadSource(url); hls.attachMedia(video); video.play()
}
window.beginning = () => hls.levels[hls.loadLevel].details.fragments[0].start
window.heights = () => hls.levels.map(one => one.height)
window.choose = height => { hls.nextLevel = hls.levels.findIndex(one => one.height === height) }
"""
# Shaka 5.2 moves a live time line to zero by an offset below zero, which it then takes for a new one at every part: it
# calls abort(), and Chromium drops what follows up to the next key frame. Mended behind 5.2.12; till then its people
# advise sequence mode (github.com/shaka-project/shaka-player/issues/10589 and pull/10559).
# A live playlist's past is for it as long as when it came, by the clock: a class is listed from its first second on.
_SHAKA = """
let player
window.play = async (url, live) => {
  shaka.polyfill.installAll()
  player = new shaka.Player()
  const failed = error => {
    // A hinted part that a cut withdrew is a 404, which it calls critical and asks for again; what it throws by
    // mistake has no severity.
    const { Severity, Code } = shaka.util.Error
    const fatal = error.severity !== Severity.RECOVERABLE && error.code !== Code.BAD_HTTP_STATUS
    window.told.failures.push(`${fatal ? 'fatal ' : ''}${error.code ?? error.stack} ${error.data}`)
  }
  player.addEventListener('error', event => failed(event.detail))
  const manifest = live ? { hls: { sequenceMode: true }, availabilityWindowOverride: Infinity } : {}
  player.configure({ streaming: { lowLatencyMode: live }, manifest })
  try {
    await player.attach(video)
    await player.load(url, live ? null : 0, 'application/x-mpegurl')
    await video.play()
  } catch (error) { failed(error) }
}
window.beginning = () => player.seekRange().start
window.heights = () => player.getVariantTracks().map(one => one.height)
window.choose = height => {
  player.configure('abr.enabled', false)
  // Nothing of the old is kept: behind a margin of it, a slow switch was passed over by the next step.
  player.selectVariantTrack(player.getVariantTracks().find(one => one.height === height), true)
}
"""
PLAYERS = {
    "hls.js": (_PAGE % _HLS, SCRIPTS / "hls.js" / "dist" / "hls.min.js"),
    "shaka": (_PAGE % _SHAKA, SCRIPTS / "shaka-player" / "dist" / "shaka-player.hls.js"),
}


@dataclass
class Player:
    """One player on its page; `asked` is every address that it requested, in order."""

    page: Page
    asked: list[str] = field(default_factory=list)

    async def play(self, url: str, *, live: bool) -> None:
        """Load it, and wait for the first picture that moves."""
        await self.page.evaluate("([url, live]) => { window.play(url, live) }", [url, live])
        await self.until("video.readyState >= 3 && video.currentTime > 0 && video.videoWidth > 0")

    async def position(self) -> float:
        """Seconds on its own time line."""
        return float(await self.page.evaluate("video.currentTime"))

    async def beginning(self) -> float:
        """Where the first segment lies on it."""
        return float(await self.page.evaluate("window.beginning()"))

    async def plays_on(self, seconds: float) -> None:
        """So much goes by, with pictures decoded meanwhile."""
        pictures = await self._pictures()
        await self.reaches(await self.position() + seconds)
        assert await self._pictures() - pictures > seconds * 10

    async def seek(self, to: float) -> None:
        """Go there; pictures are there when this returns."""
        await self.page.evaluate("to => { video.currentTime = to }", to)
        await self.until("!video.seeking && video.readyState >= 3")

    async def reaches(self, seconds: float) -> None:
        await self.until(f"video.currentTime >= {seconds}")

    async def watched(self) -> list[tuple[float, float, int]]:
        """Twenty times a second since the last call: a clock in seconds, its position, and how wide the picture is."""
        told: list[tuple[float, float, int]] = await self.page.evaluate("window.told.at.splice(0)")
        return told

    async def until(self, condition: str) -> None:
        """AssertionError with what the player said when it does not come true."""
        try:
            await self.page.wait_for_function(f"() => {condition}", timeout=PATIENCE_MS)
        except Exception as error:
            told = await self.page.evaluate(
                "[window.told.failures, video.currentTime, video.readyState, [...Array(video.buffered.length).keys()]"
                ".map(n => [video.buffered.start(n), video.buffered.end(n)])]"
            )
            raise AssertionError(f"{condition}: {told}, {self.asked[-6:]}") from error

    async def fatal(self) -> list[str]:
        """What it gave up for."""
        told: list[str] = await self.page.evaluate("window.told.failures")
        return [one for one in told if one.startswith("fatal")]

    async def _pictures(self) -> int:
        return int(await self.page.evaluate("video.getVideoPlaybackQuality().totalVideoFrames"))


@contextlib.asynccontextmanager
async def player(name: str, origin: str) -> AsyncIterator[Player]:
    """The player of that name in a browser of its own, on a page that seems to come from where the media does: replays
    are for the house's own pages alone.
    """
    html, script = PLAYERS[name]
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=[*FLAGS])
        page = await browser.new_page()
        await page.route("**/peers-page", lambda route: route.fulfill(body=html, content_type="text/html"))
        await page.route("**/peers-player.js", lambda route: route.fulfill(path=script))
        made = Player(page)
        await page.goto(urljoin(origin, "/peers-page"))
        page.on("request", lambda request: made.asked.append(request.url))
        yield made
        failures = await made.fatal()
        assert failures == [], failures
        await browser.close()
