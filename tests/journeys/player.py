"""The player on a page, asked as a viewer would judge it: does the picture come, does time go on, how far is it."""

from playwright.sync_api import Page

PATIENCE_MS = 20_000
GOES_ON_SECONDS = 1.0
# The playlist that plays, as its own page fetched it last.
BREAKS = """() => {
  const entries = performance.getEntriesByType('resource').filter(one => one.name.includes('/live/'))
  const last = entries.filter(one => /(main|video)[^/]*\\.m3u8/.test(one.name)).at(-1)
  return fetch(last.name.split('?')[0]).then(one => one.text())
    .then(text => text.split('#EXT-X-DISCONTINUITY\\n').length - 1)
}"""


class Player:
    """The video element of a page; where there are two, the first."""

    def __init__(self, page: Page) -> None:
        self._page = page
        self._video = page.locator("video").first

    def plays(self) -> None:
        """Frames are there (readyState ≥ 3) and at least a second goes by."""
        self._until("video.readyState >= 3 && !video.paused && video.videoWidth > 0")
        self.reaches(self.position() + GOES_ON_SECONDS)

    def reaches(self, seconds: float) -> None:
        """Playback gets to this second of the media."""
        self._until(f"video.currentTime >= {seconds}")

    def becomes_high(self, pixels: int) -> None:
        """The picture is of this height."""
        self._until(f"video.videoHeight === {pixels}")

    def position(self) -> float:
        """Seconds of media."""
        return float(self._video.evaluate("video => video.currentTime"))

    def edge(self) -> float:
        """How far the media reaches that is there."""
        return float(self._video.evaluate("video => video.buffered.end(video.buffered.length - 1)"))

    def size(self) -> tuple[int, int]:
        """Of the picture that is shown, in pixels."""
        width, height = self._video.evaluate("video => [video.videoWidth, video.videoHeight]")
        return width, height

    def discontinuities(self) -> int:
        """Breaks in the media playlist that is being played."""
        return int(self._page.evaluate(BREAKS))

    def _until(self, condition: str) -> None:
        self._page.wait_for_function(
            f"() => {{ const video = document.querySelector('video'); return video && {condition} }}",
            timeout=PATIENCE_MS,
        )
