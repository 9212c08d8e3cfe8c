"""How a publish's socket is read: in rounds, and to its very end, on both kinds of loop."""

import asyncio
import contextlib
import socket
from itertools import pairwise

import pytest

from ingest.rtmp.connection import RtmpConnection
from ingest.rtmp.events import Event
from ingest.rtmp.limits import Timeouts
from ingest.rtmp.rounds import ROUND_SECONDS, Rounds
from tests.ingest.rtmp.recorder import Recorder, serving
from tests.kit import rtmp_bytes as wire

pytestmark = pytest.mark.anyio
FRAME = b"\0\0\x0f\xfc\x65" + bytes(4091)
FRAMES = 1500


@pytest.fixture(params=[False, True], ids=["asyncio", "uvloop"])
def anyio_backend(request: pytest.FixtureRequest) -> tuple[str, dict[str, bool]]:
    return "asyncio", {"use_uvloop": request.param}


@pytest.fixture
def recorder() -> Recorder:
    return Recorder()


def frames(first: int, count: int) -> bytes:
    return b"".join(
        wire.message(9, wire.avc_frame(FRAME), time=number * 40, stream_id=1, chunk_bytes=4096)
        for number in range(first, first + count)
    )


def publish_in_haste(port: int) -> None:
    """An encoder that sends a lecture as fast as it can, wants each 100 kB acknowledged, looks for answers between
    frames, and hangs up as soon as its kernel has taken the last byte.
    """
    with socket.create_connection(("127.0.0.1", port)) as encoder:
        encoder.sendall(wire.opening())
        heard = b""
        while b"NetStream.Publish.Start" not in heard:
            heard += encoder.recv(4096)
        encoder.sendall(wire.message(5, (100_000).to_bytes(4), chunk_stream=2, chunk_bytes=4096))
        encoder.sendall(wire.message(9, wire.avc_configuration(), stream_id=1, chunk_bytes=4096))
        for number in range(FRAMES):
            encoder.sendall(frames(number, 1))
            with contextlib.suppress(BlockingIOError):
                encoder.recv(4096, socket.MSG_DONTWAIT)


async def test_an_encoder_that_hangs_up_at_once_loses_nothing(recorder: Recorder) -> None:
    async with serving(recorder) as server:
        for _ in range(3):
            await asyncio.to_thread(publish_in_haste, server.port)
            await recorder.until(lambda: recorder.takes[-1].ends)
    assert [len(take.packets) for take in recorder.takes] == [FRAMES] * 3
    assert [take.ends for take in recorder.takes] == [["disconnected"]] * 3


async def test_what_came_before_a_reset_is_read_when_writing_fails(recorder: Recorder) -> None:
    """The encoder is gone with our pings unread, and the next ping fails before its last frames are read."""
    async with serving(recorder, timeouts=Timeouts(ping_seconds=0.001)) as server:
        with socket.create_connection(("127.0.0.1", server.port)) as encoder:
            encoder.setblocking(False)
            loop = asyncio.get_running_loop()
            media = wire.message(9, wire.avc_configuration(), stream_id=1, chunk_bytes=4096) + frames(0, 2)
            await loop.sock_sendall(encoder, wire.opening() + media)
            await recorder.until(lambda: recorder.takes and len(recorder.takes[0].packets) == 2)
            await asyncio.sleep(0.01)  # some pings
            await loop.sock_sendall(encoder, frames(2, 12))
        await recorder.until(lambda: recorder.takes[0].ends)
    assert len(recorder.takes[0].packets) == 14


async def test_what_has_arrived_is_there_before_the_end_is_said(recorder: Recorder) -> None:
    async with serving(recorder) as server:
        with socket.create_connection(("127.0.0.1", server.port)) as encoder:
            encoder.setblocking(False)
            loop = asyncio.get_running_loop()
            media = wire.message(9, wire.avc_configuration(), stream_id=1, chunk_bytes=4096) + frames(0, 2)
            await loop.sock_sendall(encoder, wire.opening() + media)
            await recorder.until(lambda: recorder.takes and len(recorder.takes[0].packets) == 2)
            encoder.send(frames(2, 5))
            request = recorder.takes[0].request
            request.catch_up()
            assert len(recorder.takes[0].packets) == 7
            request.close("NetStream.Publish.Failed", "Ended by the teacher.")
            await recorder.until(lambda: recorder.takes[0].ends)
            request.catch_up()


async def test_a_publish_is_read_in_rounds_and_nothing_of_it_is_late(recorder: Recorder) -> None:
    """An encoder's pace: a small message every few milliseconds. Each read of the socket costs more than a message."""
    loop = asyncio.get_running_loop()
    arrivals: list[float] = []
    recorder.on_packet = lambda take, packet: arrivals.append(loop.time())
    async with serving(recorder) as server:
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        writer.write(wire.opening())
        await reader.readuntil(b"NetStream.Publish.Start")
        writer.write(wire.message(9, wire.avc_configuration(), stream_id=1, chunk_bytes=4096))
        sent, until = 0, loop.time() + 0.6
        while loop.time() < until:
            writer.write(frames(sent, 1))
            sent += 1
            await asyncio.sleep(0.004)
        await recorder.until(lambda: len(arrivals) == sent)
        writer.close()
    batches = 1 + sum(later - earlier > 0.01 for earlier, later in pairwise(arrivals))
    assert batches <= sent / 3
    times = [packet.dts for packet in recorder.takes[0].packets]
    assert times == sorted(times)


async def test_rounds_ask_everybody_and_then_rest() -> None:
    loop = asyncio.get_running_loop()
    rounds, asked = Rounds(loop), []
    over = asyncio.Event()

    def full() -> bool:
        asked.append("full")
        return asked.count("full") < 3

    def last() -> bool:
        asked.append("last")
        if asked.count("last") == 2:
            for one in (full, last):
                rounds.leave(one)
            over.set()
        return False

    began = loop.time()
    rounds.join(full)
    rounds.join(last)
    await asyncio.wait_for(over.wait(), 5)
    assert asked == ["full", "last", "full", "full", "full", "last"], "who has more is asked again in the same round"
    assert loop.time() - began >= ROUND_SECONDS * 0.9
    rounds.join(last)
    over.clear()
    await asyncio.sleep(2 * ROUND_SECONDS)
    assert asked[-1] == "last", "rounds go on for who comes when there was nobody"
    rounds.leave(last)


async def test_a_fault_over_what_one_encoder_sent_ends_that_one_alone(
    recorder: Recorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    receive, poison = RtmpConnection.receive, b"poison" * 20

    def faulty(connection: RtmpConnection, data: bytes, now: float) -> list[Event]:
        if poison in data:
            message = "a fault of ours"
            raise RuntimeError(message)
        return receive(connection, data, now)

    monkeypatch.setattr(RtmpConnection, "receive", faulty)
    async with serving(recorder) as server:
        writers = []
        for count in (1, 2):
            reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
            writer.write(wire.opening() + wire.message(9, wire.avc_configuration(), stream_id=1, chunk_bytes=4096))
            writer.write(frames(0, 1))
            await reader.readuntil(b"NetStream.Publish.Start")
            await recorder.until(lambda: any(take.packets for take in recorder.takes[count - 1 :]))  # noqa: B023
            writers.append(writer)
        writers[0].write(poison)
        await recorder.until(lambda: recorder.takes[0].ends)
        writers[1].write(frames(1, 5))
        await recorder.until(lambda: len(recorder.takes[1].packets) == 6)
        assert recorder.takes[0].ends == ["disconnected"]
        assert server.publishing == 1
        for writer in writers:
            writer.close()


async def test_rounds_go_on_whatever_one_of_them_does() -> None:
    loop = asyncio.get_running_loop()
    said: list[str] = []
    loop.set_exception_handler(lambda loop, context: said.append(str(context["exception"])))
    rounds, over, asked = Rounds(loop), asyncio.Event(), []

    def faulty() -> bool:
        message = "a fault of ours"
        raise RuntimeError(message)

    def other() -> bool:
        asked.append(1)
        if len(asked) == 3:
            over.set()
        return False

    rounds.join(faulty)
    rounds.join(other)
    await asyncio.wait_for(over.wait(), 5)
    rounds.leave(faulty)
    rounds.leave(other)
    assert said[0] == "a fault of ours"
