"""Players of others on a class that is live in a real process: GStreamer, and hls.js and Shaka Player in Chromium at
low latency.
"""

import asyncio
from collections.abc import Callable
from itertools import pairwise
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.kit.hls.lines import read_media
from tests.peers import by_gstreamer
from tests.peers.conftest import LiveClass
from tests.peers.pages import PLAYERS, Player, player

pytestmark = [pytest.mark.anyio, pytest.mark.long, pytest.mark.timeout(180)]

PLAYED_SECONDS = 6
PACED_SECONDS = 15
MOST_BEHIND_SECONDS = 3.0
MOST_STILL_SECONDS = 1.5  # Shaka keeps a part or two: a machine under load makes it wait for one
RATE = 30


@pytest.mark.parametrize("by", [by_gstreamer.by_hlsdemux, by_gstreamer.by_playbin3])
async def test_gstreamer(live: LiveClass, by: Callable[[str], list[str]]) -> None:
    """Pictures are decoded one after the other, each a frame later than the one before, without a complaint."""
    url = live.media_url if by is by_gstreamer.by_hlsdemux else live.url
    times, complaints = await by_gstreamer.decoded(by(url), PLAYED_SECONDS * RATE)
    assert complaints == []
    assert len(times) == PLAYED_SECONDS * RATE, "it ended by itself"
    assert {round(later - earlier, 2) for earlier, later in pairwise(times)} == {0.03}


@pytest.mark.parametrize("name", PLAYERS)
async def test_at_the_low_latency_edge(live: LiveClass, name: str) -> None:
    """It asks for parts and is held for playlists, each a step on from the one before."""
    async with player(name, live.url) as playing:
        await playing.play(live.url, live=True)
        playing.asked.clear()
        await playing.plays_on(PLAYED_SECONDS)
        asked = list(playing.asked)
    assert len([one for one in asked if "/part-" in one]) >= PLAYED_SECONDS
    held = [parse_qs(urlsplit(one).query) for one in asked if "_HLS_msn" in one]
    steps = [(int(one["_HLS_msn"][0]), int(one.get("_HLS_part", ["-1"])[0])) for one in held]
    assert len(steps) >= PLAYED_SECONDS
    assert steps == sorted(steps)
    assert any("_HLS_part" in one for one in held)


@pytest.mark.parametrize("name", PLAYERS)
async def test_keeps_pace_with_the_class(live: LiveClass, name: str) -> None:
    async with player(name, live.url) as playing:
        await playing.play(live.url, live=True)
        await playing.plays_on(2)  # what it does to be in step
        await playing.watched()
        await playing.plays_on(PACED_SECONDS)
        at = await playing.watched()
        behind = await seconds_behind(live, playing)
    passed, played = at[-1][0] - at[0][0], at[-1][1] - at[0][1]
    assert 0.9 < played / passed < 1.1
    moved = [one for one, later in pairwise(at) if later[1] > one[1]]
    assert max(later[0] - one[0] for one, later in pairwise(moved)) < MOST_STILL_SECONDS
    assert 0 < behind < MOST_BEHIND_SECONDS


async def seconds_behind(live: LiveClass, playing: Player) -> float:
    """From what is shown to the end of what the playlist lists."""
    edge = await playing.beginning() + sum(one.seconds for one in read_media(await live.playlist()).all)
    return edge - await playing.position()


@pytest.mark.parametrize("name", PLAYERS)
async def test_back_to_the_first_second_and_to_the_edge_again(live: LiveClass, name: str) -> None:
    async with player(name, live.url) as playing:
        await playing.play(live.url, live=True)
        await playing.plays_on(1)
        edge = await playing.position()
        await playing.seek(await playing.beginning() + 0.5)
        await playing.plays_on(2)
        assert await playing.position() < edge
        await playing.seek(edge + 2)
        await playing.plays_on(2)


@pytest.mark.parametrize("name", PLAYERS)
async def test_over_an_encoder_that_was_lost(live: LiveClass, name: str) -> None:
    """At the edge the player waits and goes on by itself; sought back to, the break plays through."""
    async with player(name, live.url) as playing:
        await playing.play(live.url, live=True)
        await playing.plays_on(2)
        await live.drop()
        await asyncio.sleep(3)
        await live.publish(3)
        await playing.plays_on(2)
        segments = read_media(await live.playlist()).segments
        until_break = sum(one.seconds for one in segments if one.breaks == 0)
        assert {one.breaks for one in segments} == {0, 1}
        breaks_at = await playing.beginning() + until_break
        await playing.seek(breaks_at - 1.5)
        await playing.reaches(breaks_at + 2)
        await playing.plays_on(1)
