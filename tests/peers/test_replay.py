"""Players of others on a whole replay: all of it, at every quality, over the break between two takes that differ."""

from collections.abc import AsyncIterator
from itertools import pairwise
from urllib.parse import urljoin

import httpx
import pytest

from tests.kit.hls import rules
from tests.kit.hls.lines import read_media
from tests.kit.hls.master import Held, avc, of_master
from tests.peers import by_ffmpeg, by_gstreamer
from tests.peers.pages import PLAYERS, player
from tests.peers.recorded import ALIKE, HEIGHTS, UNLIKE, Recorded, recorded

pytestmark = [pytest.mark.anyio, pytest.mark.long, pytest.mark.timeout(240)]

RENDITIONS = ("source", *(f"{height}p" for height in HEIGHTS))
SLACK_SECONDS = 0.1


@pytest.fixture(scope="module")
async def alike() -> AsyncIterator[Recorded]:
    """An encoder that was lost and came back."""
    async with recorded(ALIKE) as made:
        yield made


@pytest.fixture(scope="module")
async def unlike() -> AsyncIterator[Recorded]:
    """Another encoder that went on: its picture's shape and rate, and its sound's rate, are others."""
    async with recorded(UNLIKE) as made:
        yield made


@pytest.mark.parametrize("name", PLAYERS)
async def test_in_a_browser(unlike: Recorded, name: str) -> None:
    """Quality chosen while it plays, over the break, to the end, and back."""
    first, whole_seconds = unlike.seconds[0], sum(unlike.seconds)
    async with player(name, unlike.url) as playing:
        await playing.play(unlike.url, live=False)
        assert sorted(await playing.page.evaluate("window.heights()")) == sorted(HEIGHTS)
        start = await playing.beginning()
        for height in (*HEIGHTS, *reversed(HEIGHTS)):
            await playing.page.evaluate("height => window.choose(height)", height)
            await playing.until(f"video.videoHeight === {height}")
            await playing.seek(start + 0.5)
        await playing.seek(start + first - 1.5)
        await playing.reaches(start + first + 1.5)
        await playing.until("Math.abs(video.videoWidth / video.videoHeight - 4 / 3) < 0.02")
        assert await playing.page.evaluate("video.duration") >= whole_seconds - SLACK_SECONDS
        await playing.seek(await playing.page.evaluate("video.duration") - 1.5)
        await playing.until("video.ended")
        await playing.seek(start + 1)
        await playing.page.evaluate("video.play()")
        await playing.plays_on(1)


@pytest.mark.parametrize("rendition", RENDITIONS)
async def test_by_ffmpeg(alike: Recorded, rendition: str) -> None:
    """Of takes that are alike: its demuxer keeps to the first EXT-X-MAP and says "duplicated MOOV" of any other."""
    times, complaints = await by_ffmpeg.decoded(alike.media_url(rendition), 100)
    assert complaints == ""
    one_by_one(alike, times)


@pytest.mark.parametrize("rendition", RENDITIONS)
async def test_by_gstreamer(unlike: Recorded, rendition: str) -> None:
    times, complaints = await by_gstreamer.decoded(by_gstreamer.by_playbin3(unlike.media_url(rendition)), 10_000)
    assert complaints == []
    one_by_one(unlike, times)


@pytest.mark.parametrize("rendition", RENDITIONS)
async def test_by_gstreamers_older_demuxer(alike: Recorded, rendition: str) -> None:
    """In a chain by hand, whose qtdemux keeps to the first init too."""
    times, complaints = await by_gstreamer.decoded(by_gstreamer.by_hlsdemux(alike.media_url(rendition)), 10_000)
    assert complaints == []
    one_by_one(alike, times)


def one_by_one(whole: Recorded, times: list[float]) -> None:
    """Every picture, each its time after the one before, but at the break."""
    assert len(times) == sum(whole.frames)
    for rate, (first, last) in zip(whole.rates, pairwise((0, whole.frames[0], sum(whole.frames))), strict=True):
        steps = [later - earlier for earlier, later in pairwise(times[first:last])]
        assert max(abs(step - 1 / rate) for step in steps) < 0.002


async def test_by_the_rules(unlike: Recorded) -> None:
    """RFC 8216bis, the multivariant playlist beside what is really in its variants."""
    async with httpx.AsyncClient(timeout=20) as client:

        async def get(name: str) -> httpx.Response:
            return (await client.get(urljoin(unlike.url, name))).raise_for_status()

        texts = {name: (await get(f"{name}.m3u8")).text for name in (*RENDITIONS, "audio")}
        held = {}
        for name, text in texts.items():
            assert rules.of_media(text, date_slack_ms=50) == []
            media = read_media(text)
            lengths = [(one.seconds, len((await get(one.uri)).content)) for one in media.segments]
            if name == "audio":
                held["audio.m3u8"] = Held(frozenset({"mp4a.40.2"}), lengths, media.target)
                continue
            inits = [(await get(one)).content for one in sorted({one.map_uri or "" for one in media.segments})]
            codecs = frozenset({"mp4a.40.2", *map(avc, inits)})
            height = 360 if name == "source" else int(name[:-1])
            held[f"{name}.m3u8"] = Held(codecs, lengths, media.target, (height * 16 // 9, height), max(unlike.rates))
        source = held.pop("source.m3u8")
        assert len(source.codecs) == 3, "the encoders' formats differ"
        assert of_master((await get("index.m3u8")).text, held) == []
    segments = [[(one.breaks, one.seconds, one.date) for one in read_media(text).segments] for text in texts.values()]
    assert all(one == segments[0] for one in segments), "6.2.4: renditions match"
