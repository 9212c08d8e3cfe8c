"""A server that stops asks encoders to move (Enhanced RTMP's reconnect request); those that cannot are told the end."""

import asyncio

import pytest

from ingest.rtmp.amf0 import Value, decode
from tests.ingest.rtmp.publisher import Publisher, accepted
from tests.ingest.rtmp.recorder import PATIENCE_SECONDS, Recorder, serving
from tests.kit import rtmp_bytes as wire

ELSEWHERE = "rtmp://other.test:1935/live"
REQUEST = b"NetConnection.Connect.ReconnectRequest"


def connected(**properties: Value) -> Publisher:
    publisher = Publisher()
    publisher.say(wire.handshake() + wire.connect("live", **properties))
    publisher.heard()
    return publisher


@pytest.mark.parametrize("address", [ELSEWHERE, ""])
def test_the_request_is_onstatus_of_the_connection(address: str) -> None:
    publisher = connected(capsEx=1.0)
    assert publisher.connection.ask_to_move(address)
    (message,) = publisher.heard()
    name, transaction, nothing, information = decode(message.payload)
    assert (message.stream_id, name, transaction, nothing) == (0, "onStatus", 0.0, None)
    assert isinstance(information, dict)
    assert information["code"] == REQUEST.decode()
    assert information.get("tcUrl", "") == address


@pytest.mark.parametrize("properties", [{}, {"capsEx": 14.0}, {"capsEx": "1"}, {"capsEx": float("nan")}])
def test_who_does_not_say_it_can_is_not_asked(properties: dict[str, Value]) -> None:
    publisher = connected(**properties)
    assert not publisher.connection.ask_to_move(ELSEWHERE)
    assert publisher.heard() == []


def test_nobody_is_asked_before_connect_or_after_the_end() -> None:
    assert not Publisher().connection.ask_to_move(ELSEWHERE)
    publisher = accepted(Publisher())
    publisher.connection.disconnected()
    assert not publisher.connection.ask_to_move(ELSEWHERE)


def hello(**properties: Value) -> bytes:
    opening = wire.opening()
    return wire.handshake() + wire.connect("live", **properties) + opening[len(wire.handshake() + wire.connect()) :]


@pytest.mark.anyio
async def test_stopping_lets_an_encoder_move_and_takes_what_it_still_sends() -> None:
    recorder, other = Recorder(), Recorder()
    async with serving(other) as next_node:
        elsewhere = f"rtmp://127.0.0.1:{next_node.port}/live"
        async with serving(recorder, reconnect_url=elsewhere, reconnect_seconds=20) as server:
            reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
            writer.write(hello(capsEx=1.0))
            await reader.readuntil(b"NetStream.Publish.Start")
            plain, other_writer = await asyncio.open_connection("127.0.0.1", server.port)
            other_writer.write(hello())
            await plain.readuntil(b"NetStream.Publish.Start")
            stopping = asyncio.create_task(server.stop())
            async with asyncio.timeout(PATIENCE_SECONDS):
                assert b"The server is stopping" in await plain.read(), "who cannot move is told at once"
                await reader.readuntil(REQUEST)
                await reader.readuntil(elsewhere.encode())
                assert not stopping.done()
                media = wire.message(9, wire.avc_configuration(), stream_id=1, chunk_bytes=4096)
                media += wire.message(9, wire.avc_frame(b"\0\0\0\x01\x65"), stream_id=1, chunk_bytes=4096)
                writer.write(media)
                await recorder.until(lambda: recorder.takes[0].packets)
                again, again_writer = await asyncio.open_connection("127.0.0.1", next_node.port)
                again_writer.write(hello(capsEx=1.0))
                await again.readuntil(b"NetStream.Publish.Start")
                writer.close()
                await stopping
            again_writer.close()
            other_writer.close()
    assert [take.ends for take in recorder.takes] == [["disconnected"], ["closed"]]
    assert len(other.takes) == 1


@pytest.mark.anyio
async def test_who_does_not_move_is_hung_up() -> None:
    recorder = Recorder()
    async with serving(recorder, reconnect_seconds=0.1) as server:
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        writer.write(hello(capsEx=1.0))
        await reader.readuntil(b"NetStream.Publish.Start")
        await asyncio.wait_for(asyncio.gather(server.stop(), _until_hung_up(reader, writer)), PATIENCE_SECONDS)
    assert recorder.takes[0].ends == ["closed"]


async def _until_hung_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    said = await reader.read()
    assert said.index(REQUEST) < said.index(b"The server is stopping, connect again in a moment.")
    writer.close()
