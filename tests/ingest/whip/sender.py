"""An aiortc peer that publishes what is encoded already: the test knows every byte that must arrive.

aiortc sends what a track's `recv` returns: an av.Packet is packetized (H.264 in Annex B, Opus) and not encoded.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

import av
import httpx
from aiortc import (
    MediaStreamTrack,
    RTCConfiguration,
    RTCPeerConnection,
    RTCRtpReceiver,
    RTCRtpTransceiver,
    RTCSessionDescription,
)
from aiortc.mediastreams import MediaStreamError


@dataclass(frozen=True)
class Clip:
    """Encoded packets in order, with seconds."""

    video: list[tuple[float, bytes]]
    audio: list[tuple[float, bytes]]


def read_clip(video: Path, audio: Path) -> Clip:
    """An Annex B stream of 30 pictures a second and an Ogg Opus file."""
    with av.open(str(video), format="h264") as container:
        pictures = [bytes(packet) for packet in container.demux() if packet.size]
    with av.open(str(audio)) as container:
        sounds = [bytes(packet) for packet in container.demux() if packet.size]
    return Clip(
        [(n / 30, data) for n, data in enumerate(pictures)],
        [(n / 50, data) for n, data in enumerate(sounds)],
    )


class EncodedTrack(MediaStreamTrack):
    """Gives packets at their times, as fast as `speed` says, then waits until it is stopped."""

    def __init__(self, kind: str, packets: list[tuple[float, bytes]], speed: float) -> None:
        super().__init__()
        self.kind = kind
        self._packets = iter(packets)
        self._speed = speed
        self._started: float | None = None

    async def recv(self) -> "av.Packet[Any]":
        loop = asyncio.get_running_loop()
        if self._started is None:
            self._started = loop.time()
        at, data = next(self._packets, (None, b""))
        if at is None or self.readyState != "live":
            await asyncio.Event().wait()
            raise MediaStreamError
        await asyncio.sleep(max(0.0, self._started + at / self._speed - loop.time()))
        packet = av.Packet(data)
        packet.pts = packet.dts = round(at * 90_000)
        packet.time_base = Fraction(1, 90_000)
        return packet


def prefer(transceiver: RTCRtpTransceiver, *mime_types: str) -> None:
    offered = RTCRtpReceiver.getCapabilities(transceiver.kind)
    assert offered is not None
    transceiver.setCodecPreferences([codec for codec in offered.codecs if codec.mimeType in mime_types])


@dataclass
class Published:
    """A connected sender."""

    peer: RTCPeerConnection
    resource: str
    answer: str


@asynccontextmanager
async def publishing(
    client: httpx.AsyncClient, url: str, key: str, clip: Clip, *, speed: float = 1.0, rtx: bool = True
) -> AsyncIterator[Published]:
    """Offers, is answered, sends; closed at the end."""
    peer = RTCPeerConnection(RTCConfiguration(iceServers=[]))
    try:
        if clip.video:
            again = ("video/rtx",) if rtx else ()
            track = EncodedTrack("video", clip.video, speed)
            prefer(peer.addTransceiver(track, direction="sendonly"), "video/H264", *again)
        if clip.audio:
            track = EncodedTrack("audio", clip.audio, speed)
            prefer(peer.addTransceiver(track, direction="sendonly"), "audio/opus")
        await peer.setLocalDescription(await peer.createOffer())
        headers = {"authorization": f"Bearer {key}", "content-type": "application/sdp"}
        answer = await client.post(url, content=peer.localDescription.sdp, headers=headers)
        assert answer.status_code == 201, answer.text
        await peer.setRemoteDescription(RTCSessionDescription(answer.text, "answer"))
        yield Published(peer, urljoin(url, answer.headers["location"]), answer.text)
    finally:
        await peer.close()
