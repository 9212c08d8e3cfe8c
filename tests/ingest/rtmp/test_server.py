"""The server and its peers by plain sockets: limits, waits, failures of our own.

To test here: a `Line` is a socket that speaks the bytes of `rtmp_bytes`; what must happen is awaited as bytes, as the
end of the stream, or by the recorder.
"""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from ingest.rtmp.limits import Timeouts
from ingest.rtmp.server import RtmpServer
from ingest.rtmp.settings import RtmpSettings
from media.packet import Packet, Track
from tests.ingest.rtmp.recorder import PATIENCE_SECONDS, Recorder, Take, serving
from tests.kit import rtmp_bytes as wire

pytestmark = pytest.mark.anyio
NAL = b"\0\0\0\x02\x65\x88"


class Line:
    """A client's socket."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer

    def say(self, data: bytes) -> None:
        self._writer.write(data)

    async def hear(self, text: str) -> None:
        """Reads until `text` comes."""
        await asyncio.wait_for(self._reader.readuntil(text.encode()), PATIENCE_SECONDS)

    async def rest(self) -> bytes:
        """All until the server hangs up."""
        return await asyncio.wait_for(self._reader.read(), PATIENCE_SECONDS)

    def say_frames(self, first: int, count: int) -> None:
        for number in range(first, first + count):
            self.say(wire.message(9, wire.avc_frame(NAL), time=number * 40, stream_id=1, chunk_bytes=4096))

    async def opened(self) -> None:
        """Publishing, configured."""
        self.say(wire.opening())
        await self.hear("NetStream.Publish.Start")
        self.say(wire.message(9, wire.avc_configuration(), stream_id=1, chunk_bytes=4096))


@asynccontextmanager
async def line(server: RtmpServer, host: str = "127.0.0.1") -> AsyncIterator[Line]:
    reader, writer = await asyncio.open_connection(host, server.port)
    try:
        yield Line(reader, writer)
    finally:
        writer.close()


@pytest.fixture
def recorder() -> Recorder:
    return Recorder()


async def test_ipv4_and_ipv6_on_the_same_port(recorder: Recorder) -> None:
    async with serving(recorder, hosts=("127.0.0.1", "::1")) as server:
        for host in ("127.0.0.1", "::1"):
            async with line(server, host) as client:
                await client.opened()
                await recorder.until(lambda: recorder.takes and recorder.takes[-1].tracks)
                assert recorder.takes[-1].request.address == host


async def test_a_port_that_is_taken_opens_nothing(recorder: Recorder) -> None:
    async with serving(recorder) as server:
        other = RtmpServer(RtmpSettings(hosts=("127.0.0.1",), port=server.port), recorder)
        with pytest.raises(OSError, match=str(server.port)):
            await other.start()
        await other.stop()


async def test_the_slow_are_cut(recorder: Recorder) -> None:
    times = Timeouts(handshake_seconds=0.2, publish_seconds=0.4, first_frame_seconds=0.3, silence_seconds=0.3)
    async with serving(recorder, timeouts=times) as server:
        async with line(server) as silent, line(server) as halfway, line(server) as idle:
            halfway.say(wire.handshake()[:2000])
            idle.say(wire.handshake() + wire.connect())
            assert await silent.rest() == b""
            assert len(await halfway.rest()) == 1 + 2 * 1536
            assert b"Connect.Success" in await idle.rest()
        async with line(server) as frameless:
            frameless.say(wire.opening())
            assert b"no audio or video in time" in await frameless.rest()
        async with line(server) as stopped:
            await stopped.opened()
            assert b"no audio or video in time" in await stopped.rest()
    assert [take.ends for take in recorder.takes] == [["silent"], ["silent"]]


async def test_connections_are_limited_by_address_and_in_all(recorder: Recorder) -> None:
    limits = {"connections_per_address": 2, "connections": 3}
    async with (
        serving(recorder, **limits, hosts=("127.0.0.1", "::1")) as server,
        line(server) as one,
        line(server) as two,
        line(server) as three,
    ):
        assert await three.rest() == b""
        await two.opened()
        async with line(server, "::1") as other, line(server, "::1") as last:
            await other.opened()
            assert await last.rest() == b""
        await one.opened()
        await recorder.until(lambda: len([take for take in recorder.takes if take.tracks]) == 3)


async def test_who_does_not_speak_rtmp_is_hung_up(recorder: Recorder) -> None:
    async with serving(recorder) as server, line(server) as client:
        client.say(b"GET / HTTP/1.1\r\n\r\n")
        assert await client.rest() == b""


async def test_a_handler_that_fails_is_told_as_our_fault(recorder: Recorder) -> None:
    recorder.refusal = RuntimeError("catalogue away")
    async with serving(recorder) as server, line(server) as client:
        client.say(wire.opening())
        said = await client.rest()
    assert b"NetStream.Publish.Failed" in said
    assert b"The server failed, try again." in said
    assert b"catalogue" not in said


async def test_a_decision_that_takes_too_long_is_told(recorder: Recorder) -> None:
    recorder.gate = asyncio.Event()
    async with serving(recorder, admission_seconds=0.1) as server, line(server) as client:
        client.say(wire.opening())
        assert b"too busy" in await client.rest()
    assert recorder.takes == []


async def test_an_encoder_that_left_before_the_decision_ends_its_take(recorder: Recorder) -> None:
    recorder.gate = asyncio.Event()
    async with serving(recorder) as server:
        async with line(server) as client:
            client.say(wire.opening())
            await client.hear("_result")
        recorder.gate.set()
        await recorder.until(lambda: recorder.takes and recorder.takes[0].ends)
    assert recorder.takes[0].ends == ["disconnected"]


async def test_a_sink_that_fails_loses_its_publish_only(recorder: Recorder) -> None:
    def fail(take: Take, packet: Packet) -> None:
        if take is recorder.takes[0]:
            raise RuntimeError("disk")

    async with serving(recorder) as server, line(server) as one, line(server) as two:
        await one.opened()
        await two.opened()
        recorder.on_packet = fail
        one.say_frames(0, 5)
        assert b"The server failed." in await one.rest()
        two.say_frames(0, 5)
        await recorder.until(lambda: len(recorder.takes[1].packets) == 5)
        await recorder.until(lambda: recorder.takes[0].ends)
        assert [take.ends for take in recorder.takes] == [["closed"], []]


async def test_closing_before_the_decision_refuses(recorder: Recorder) -> None:
    """A takeover or a stop that comes while a publish is being admitted."""

    class Closing(Recorder):
        async def admit(self, request: object) -> Take:
            take = await super().admit(request)  # type: ignore[arg-type]
            take.request.close("NetStream.Publish.Failed", "Not now.")
            await asyncio.sleep(0)  # let the loop make the call, as any await of a real handler does
            return take

    closing = Closing()
    async with serving(closing) as server, line(server) as client:
        client.say(wire.opening())
        assert b"Not now." in await client.rest()
        assert closing.takes[0].ends == ["closed"]


async def test_the_handle_of_a_publish_that_is_over_does_nothing(recorder: Recorder) -> None:
    async with serving(recorder) as server, line(server) as client:
        await client.opened()
        client.say(wire.command("closeStream", 0.0, None, stream_id=1, chunk_bytes=4096))
        await client.hear("NetStream.Unpublish.Success")
        client.say(wire.command("publish", 9.0, None, "KEY2", "live", stream_id=1, chunk_bytes=4096))
        await client.hear("NetStream.Publish.Start")
        first = recorder.takes[0].request
        first.close("NetStream.Publish.Failed", "late")
        client.say(wire.message(9, wire.avc_configuration(), stream_id=1, chunk_bytes=4096))
        client.say_frames(0, 3)
        await recorder.until(lambda: len(recorder.takes[1].packets) == 3)
        assert [take.ends for take in recorder.takes] == [["unpublished"], []]


async def test_what_came_behind_the_end_does_not_reset_the_answer(recorder: Recorder) -> None:
    """The encoder goes on sending after we said why we end: it still reads the reason."""
    async with serving(recorder) as server, line(server) as client:
        await client.opened()
        client.say_frames(0, 10)
        await recorder.until(lambda: len(recorder.takes[0].packets) == 10)
        recorder.takes[0].request.close("NetStream.Publish.Failed", "Ended by the teacher.")
        await recorder.until(lambda: recorder.takes[0].ends)
        client.say_frames(10, 2000)
        assert b"Ended by the teacher." in await client.rest()
    assert len(recorder.takes[0].packets) == 10


async def test_who_never_reads_our_answers_is_hung_up(recorder: Recorder) -> None:
    ping = wire.message(4, bytes.fromhex("000600000001"), chunk_stream=2)
    async with serving(recorder) as server:
        loop = asyncio.get_running_loop()
        with socket.socket() as client:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            client.setblocking(False)
            await loop.sock_connect(client, ("127.0.0.1", server.port))
            await loop.sock_sendall(client, wire.opening())
            await recorder.until(lambda: recorder.takes)

            async def flood() -> None:
                while True:
                    await loop.sock_sendall(client, ping * 1000)

            with pytest.raises((ConnectionResetError, BrokenPipeError)):
                await asyncio.wait_for(flood(), PATIENCE_SECONDS)
            await recorder.until(lambda: recorder.takes[0].ends)
    assert recorder.takes[0].ends == ["disconnected"]


async def test_tracks_are_told_before_their_packets(recorder: Recorder) -> None:
    seen: list[Track] = []
    recorder.on_packet = lambda take, packet: seen.append(take.tracks[-1])
    async with serving(recorder) as server, line(server) as client:
        await client.opened()
        client.say_frames(0, 2)
        await recorder.until(lambda: len(recorder.takes[0].packets) == 2)
    assert seen == [packet.track for packet in recorder.takes[0].packets]


async def test_silence_shorter_than_the_other_waits_is_noticed_in_its_time(recorder: Recorder) -> None:
    times = Timeouts(first_frame_seconds=60, silence_seconds=0.2, ping_seconds=60)
    async with serving(recorder, timeouts=times) as server, line(server) as client:
        await client.opened()
        assert b"no audio or video in time" in await client.rest()
