"""A real peer over loopback, ICE and DTLS and all: what arrives is what was sent, and every way it may end."""

import asyncio
import socket
from itertools import pairwise

import pytest

from ingest.rtmp.limits import BitRateLimits
from media.codecs import h264
from tests.ingest.rtmp.recorder import PATIENCE_SECONDS, Take
from tests.ingest.whip.sender import Clip, publishing
from tests.ingest.whip.serving import KEY, Whip, serving

pytestmark = pytest.mark.anyio


@pytest.fixture(params=[True, False], ids=["uvloop", "asyncio"])
def anyio_backend(request: pytest.FixtureRequest) -> tuple[str, dict[str, object]]:
    return "asyncio", {"use_uvloop": request.param}


def pictures_sent(clip: Clip) -> list[bytes]:
    """As the packager wants them: lengths, and on key frames no parameter sets."""
    sent = []
    for _, data in clip.video:
        units = h264.split_annexb(data)
        if h264.is_keyframe(units):
            units = [unit for unit in units if unit[0] & 0x1F not in (h264.NAL_SPS, h264.NAL_PPS)]
        sent.append(h264.join_avcc(units))
    return sent


def data_of(take: Take, kind: str) -> list[bytes]:
    return [bytes(packet.data) for packet in take.of(kind)]


def kinds(whip: Whip) -> set[str]:
    return {packet.track.kind for take in whip.recorder.takes for packet in take.packets}


async def test_every_packet_arrives_as_it_was_sent(whip: Whip, clip: Clip) -> None:
    async with publishing(whip.client, whip.url, KEY, clip) as published:
        assert "a=recvonly" in published.answer
        await whip.recorder.until(lambda: whip.recorder.takes and len(whip.recorder.takes[0].of("video")) >= 89)
        await whip.recorder.until(lambda: len(whip.recorder.takes[0].of("audio")) >= 140)
        reply = await whip.client.delete(published.resource, headers={"authorization": f"Bearer {KEY}"})
        assert reply.status_code == 200
    (take,) = whip.recorder.takes
    assert take.ends == ["unpublished"]
    sent = pictures_sent(clip)
    received = data_of(take, "video")
    assert received == sent[: len(received)]
    assert [p.keyframe for p in take.of("video")][:31] == [True, *[False] * 29, True]
    sounds, heard = [data for _, data in clip.audio], data_of(take, "audio")
    first = sounds.index(heard[0])  # sound before the first picture is left out
    assert heard == sounds[first : first + len(heard)]
    assert {b.dts - a.dts for a, b in pairwise(take.of("audio"))} == {960}
    # The picture may be moved towards the sound, by an eighth of each step.
    assert all(2625 <= b.dts - a.dts <= 3375 for a, b in pairwise(take.of("video")))
    assert all(packet.pts == packet.dts for packet in take.packets)
    track = take.of("video")[0].track
    assert (track.width, track.height, track.timescale) == (320, 180, 90_000)


async def test_without_retransmission_payloads(whip: Whip, clip: Clip) -> None:
    async with publishing(whip.client, whip.url, KEY, clip, rtx=False) as published:
        assert "rtx" not in published.answer
        await whip.recorder.until(lambda: kinds(whip) == {"video", "audio"})


@pytest.mark.parametrize("kind", ["video", "audio"])
async def test_one_kind_alone(whip: Whip, clip: Clip, kind: str) -> None:
    alone = Clip(clip.video if kind == "video" else [], clip.audio if kind == "audio" else [])
    async with publishing(whip.client, whip.url, KEY, alone):
        await whip.recorder.until(lambda: kinds(whip) == {kind})


async def test_a_peer_that_hangs_up_ends_its_take(whip: Whip, clip: Clip) -> None:
    async with publishing(whip.client, whip.url, KEY, clip):
        await whip.recorder.until(lambda: whip.recorder.takes and whip.recorder.takes[0].packets)
    await whip.recorder.until(lambda: whip.recorder.takes[0].ends)
    assert whip.recorder.takes[0].ends == ["unpublished"]


async def test_a_peer_that_falls_silent_is_given_up(clip: Clip) -> None:
    async with serving(silence_seconds=0.5) as whip, publishing(whip.client, whip.url, KEY, clip) as published:
        await whip.recorder.until(lambda: whip.recorder.takes and whip.recorder.takes[0].packets)
        for transceiver in published.peer.getTransceivers():
            transceiver.sender.transport.transport._connection._nominated.clear()  # its line is cut: nothing goes out
        await whip.recorder.until(lambda: whip.recorder.takes[0].ends)
        assert whip.recorder.takes[0].ends == ["disconnected"]


async def test_a_peer_that_sends_far_too_much_for_long_is_ended(clip: Clip) -> None:
    limits = BitRateLimits(soft_megabits=0.05, burst_seconds=1.0)
    async with serving(bit_rate=limits) as whip, publishing(whip.client, whip.url, KEY, clip):
        await whip.recorder.until(lambda: whip.recorder.takes and whip.recorder.takes[0].ends)
        assert whip.recorder.takes[0].ends == ["broke_rules"]


async def test_a_peer_that_connects_and_sends_nothing_is_given_up(clip: Clip) -> None:
    late = Clip([(3600.0, clip.video[0][1])], [])
    async with serving(first_media_seconds=0.5) as whip, publishing(whip.client, whip.url, KEY, late):
        await whip.recorder.until(lambda: whip.recorder.takes[0].ends)
        assert whip.recorder.takes[0].ends == ["silent"]


async def test_a_peer_that_never_connects_is_given_up(clip: Clip) -> None:
    async with serving(connect_seconds=0.3) as whip:
        async with publishing(whip.client, whip.url, KEY, Clip(clip.video, [])) as published:
            offer = published.peer.localDescription.sdp
        await whip.recorder.until(lambda: whip.recorder.takes[0].ends)
        assert (await whip.post(offer)).status_code == 201  # a peer that is closed already
        await whip.recorder.until(lambda: whip.recorder.takes[1].ends)
        assert whip.recorder.takes[1].ends == ["disconnected"]
        await whip.endpoint.stop()
        assert whip.endpoint.publishing == 0


async def test_kicked_from_within_the_sink(whip: Whip, clip: Clip) -> None:
    def kick(take: Take, packet: object) -> None:
        take.request.publish.close("NetStream.Publish.Denied", "This publish was ended.")  # type: ignore[attr-defined]

    whip.recorder.on_packet = kick
    async with publishing(whip.client, whip.url, KEY, clip) as published:
        closed = asyncio.Event()
        published.peer.on("signalingstatechange", closed.set)  # aiortc closes itself when DTLS says goodbye
        await whip.recorder.until(lambda: whip.recorder.takes and whip.recorder.takes[0].ends)
        assert whip.recorder.takes[0].ends == ["closed"]
        await asyncio.wait_for(closed.wait(), PATIENCE_SECONDS)
        gone = await whip.client.delete(published.resource, headers={"authorization": f"Bearer {KEY}"})
        assert (gone.status_code, gone.json()["code"]) == (410, "publish_ended"), "who asks is told not to come back"
    assert len(whip.recorder.takes[0].packets) == 1


async def test_one_that_the_server_had_to_let_go_may_come_back(whip: Whip, clip: Clip) -> None:
    async with publishing(whip.client, whip.url, KEY, clip) as published:
        await whip.recorder.until(lambda: whip.recorder.takes and whip.recorder.takes[0].packets)
        stopping = ("NetStream.Publish.Failed", "The server is stopping.")
        whip.recorder.takes[0].request.publish.close(*stopping)  # type: ignore[attr-defined]
        await whip.recorder.until(lambda: whip.recorder.takes[0].ends)
        gone = await whip.client.delete(published.resource, headers={"authorization": f"Bearer {KEY}"})
        assert gone.status_code in (200, 404), "closing, or closed"


async def test_a_sink_that_fails_ends_its_own_publish(whip: Whip, clip: Clip) -> None:
    def fail(take: Take, packet: object) -> None:
        raise RuntimeError("a sink's fault")

    whip.recorder.on_packet = fail
    async with publishing(whip.client, whip.url, KEY, clip):
        await whip.recorder.until(lambda: whip.recorder.takes and whip.recorder.takes[0].ends)
    assert whip.recorder.takes[0].ends == ["closed"]


async def test_the_second_is_refused_and_the_first_unharmed(whip: Whip, clip: Clip) -> None:
    async with publishing(whip.client, whip.url, KEY, clip) as published:
        await whip.recorder.until(lambda: whip.recorder.takes and whip.recorder.takes[0].packets)
        refused = await whip.post(published.peer.localDescription.sdp)
        assert (refused.status_code, refused.json()["code"]) == (409, "key_in_use")
        before = len(whip.recorder.takes[0].packets)
        await whip.recorder.until(lambda: len(whip.recorder.takes[0].packets) > before + 10)
    assert len(whip.recorder.takes) == 1


async def test_media_comes_to_the_ports_that_are_set(clip: Clip) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    settings = {"port_first": port, "port_last": port, "announced_hosts": ("192.0.2.77",)}
    async with serving(**settings) as whip, publishing(whip.client, whip.url, KEY, clip) as published:
        told = [line.split()[4:6] for line in published.answer.splitlines() if line.startswith("a=candidate")]
        assert told == [["127.0.0.1", str(port)], ["192.0.2.77", str(port)]]
        await whip.recorder.until(lambda: whip.recorder.takes[0].packets)
        other = await whip.client.post(
            whip.url.rsplit("/", 1)[0] + "/0193f2a0-0000-7000-8000-000000000000",
            content=published.peer.localDescription.sdp,
            headers={"authorization": f"Bearer {KEY}", "content-type": "application/sdp"},
        )
        assert other.status_code == 503  # its only port is taken
        await whip.recorder.until(lambda: whip.recorder.takes[1].ends == ["closed"])
