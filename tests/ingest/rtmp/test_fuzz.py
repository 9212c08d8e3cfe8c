"""The connection's promise: whatever comes, in any pieces, is understood or ends the connection, in bounded memory.

Inputs that once broke it stay here as named cases.
"""

import random
import tracemalloc
from collections.abc import Iterable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.rtmp.amf0 import encode
from ingest.rtmp.connection import RtmpConnection
from ingest.rtmp.events import EndReason, Event, MediaReceived, PublishEnded, PublishRequested, TrackConfigured
from tests.ingest.rtmp.recorder import demuxed
from tests.kit import rtmp_bytes as wire

NAL = b"\0\0\0\x02\x65\x88"
Flat = list[object]


def publishing() -> RtmpConnection:
    connection = RtmpConnection(0.0, random=bytes(1528))
    (asked,) = connection.receive(wire.opening(), 0.0)
    assert isinstance(asked, PublishRequested)
    connection.accept_publish(1, 0.0)
    return connection


def outcome(connection: RtmpConnection, pieces: Iterable[bytes]) -> tuple[Flat, str]:
    """Every event flattened, and the error if any. A publish that is asked for again is admitted on the spot."""
    events: list[Event] = []
    for piece in pieces:
        for event in connection.receive(piece, 1.0):
            events.append(event)
            if isinstance(event, PublishRequested):
                events += connection.accept_publish(event.stream_id, 1.0)
        connection.data_to_send()
    events += connection.disconnected()
    return [flat(event) for event in events], str(connection.error)


def flat(event: Event) -> object:
    if isinstance(event, MediaReceived):
        packet = event.packet
        return packet.track, packet.dts, packet.pts, packet.keyframe, bytes(packet.data)
    return repr(event)


def conversation(chunk_bytes: int = 4096) -> bytes:
    """A bit of everything a publisher says after `publish`."""

    def say(kind: int, payload: bytes, time: int, chunk_stream: int = 6) -> bytes:
        return wire.message(kind, payload, time=time, stream_id=1, chunk_stream=chunk_stream, chunk_bytes=chunk_bytes)

    return b"".join(
        (
            say(wire.DATA, wire.metadata(width=320.0, height=180.0, encoder="fuzz"), 0, 4),
            say(wire.VIDEO, wire.avc_configuration(), 0),
            say(wire.AUDIO, wire.aac_configuration(), 0, 70),
            say(wire.VIDEO, wire.avc_frame(NAL * 40, key=True, offset_ms=80), 0),
            say(wire.AUDIO, wire.aac_frame(b"sound"), 21, 70),
            say(wire.AGGREGATE, wire.tags([(8, 43, wire.aac_frame(b"a")), (9, 40, wire.avc_frame(NAL))]), 43),
            say(wire.VIDEO, b"\x91avc1\0\0\x28" + NAL, 0x0100_0000),
            wire.message(4, bytes.fromhex("000600000001"), chunk_stream=2),
            wire.message(17, b"\0" + encode("_checkbw", 0.0, None), chunk_bytes=chunk_bytes),
            wire.command("FCUnpublish", 6.0, None, "KEY", chunk_bytes=chunk_bytes),
            wire.command("publish", 7.0, None, "KEY2", "live", stream_id=1, chunk_bytes=chunk_bytes),
        )
    )


def one_by_one(data: bytes) -> list[bytes]:
    return [data[place : place + 1] for place in range(len(data))]


@given(st.binary(max_size=600))
def test_noise_after_publish(data: bytes) -> None:
    assert outcome(publishing(), [data]) == outcome(publishing(), one_by_one(data))


@given(st.binary(max_size=600))
def test_noise_from_the_first_byte(data: bytes) -> None:
    pieces = [RtmpConnection(0.0), RtmpConnection(0.0)]
    assert outcome(pieces[0], [data]) == outcome(pieces[1], one_by_one(data))


@given(st.binary(max_size=300))
def test_noise_after_the_handshake(data: bytes) -> None:
    data = wire.handshake() + data
    assert outcome(RtmpConnection(0.0), [data]) == outcome(RtmpConnection(0.0), [data[:4000], *one_by_one(data[4000:])])


@given(st.data())
def test_a_conversation_with_bytes_changed(data: st.DataObject) -> None:
    """Flips, cuts and insertions in valid bytes reach deeper than noise; whole and byte by byte agree on them."""
    said = bytearray(conversation())
    for _ in range(data.draw(st.integers(1, 4))):
        place = data.draw(st.integers(0, len(said) - 1))
        match data.draw(st.sampled_from(["flip", "cut", "insert"])):
            case "flip":
                said[place] ^= 1 << data.draw(st.integers(0, 7))
            case "cut":
                del said[place : place + data.draw(st.integers(1, 40))]
            case "insert":
                said[place:place] = data.draw(st.binary(min_size=1, max_size=8))
        if not said:
            break
    whole = bytes(said)
    tracemalloc.start()
    try:
        first = outcome(publishing(), [whole])
        assert tracemalloc.get_traced_memory()[1] < 1_000_000
    finally:
        tracemalloc.stop()
    assert outcome(publishing(), one_by_one(whole)) == first


def test_the_conversation_itself_is_understood() -> None:
    for size in (4096, 128):
        connection = publishing()
        if size != 4096:
            connection.receive(wire.set_chunk_size(size, 4096), 0.0)
        events, error = outcome(connection, [conversation(size)])
        assert error == "None"
        packets = [event for event in events if isinstance(event, tuple)]
        assert [dts for _, dts, *_ in packets] == [0, 1008, 43 * 48, 40 * 90, 0x0100_0000 * 90]
        assert [event for event in events if event not in packets and "Track" not in str(event)] == [
            "MetadataReceived(metadata={'width': 320.0, 'height': 180.0, 'encoder': 'fuzz'})",
            "PublishEnded(reason=<EndReason.UNPUBLISHED: 'unpublished'>)",
            "PublishRequested(stream_id=1, app='live', encoder='FMLE/3.0 (compatible; test)')",
            "PublishEnded(reason=<EndReason.DISCONNECTED: 'disconnected'>)",
        ]


@pytest.mark.parametrize("chunk_bytes", [128, 4096, 65_536])
def test_a_real_lecture_in_any_pieces(chunk_bytes: int, clip: Path) -> None:
    """A real encoder's packets, interleaved by time, cut at random places: each packet arrives as it was."""
    source = demuxed(clip)
    tagged = [(dts, 9, wire.avc_frame(data, key=key, offset_ms=pts - dts)) for dts, pts, key, data in source["video"]]
    tagged += [(dts, 8, wire.aac_frame(data)) for dts, _, _, data in source["audio"]]
    tagged.sort(key=lambda tag: tag[0])
    configuration = [(0, 9, wire.avc_configuration()), (0, 8, wire.aac_configuration())]
    said = wire.set_chunk_size(chunk_bytes, 4096) + b"".join(
        wire.message(kind, payload, time=time, stream_id=1, chunk_stream=kind, chunk_bytes=chunk_bytes)
        for time, kind, payload in configuration + tagged
    )
    dice = random.Random(chunk_bytes)
    for longest in (1400, 65_536, len(said)):
        connection, place = publishing(), 0
        found: dict[str, list[tuple[int, int, bool, bytes]]] = {"video": [], "audio": []}
        while place < len(said):
            size = dice.randint(1, longest)
            for event in connection.receive(said[place : place + size], 1.0):
                if isinstance(event, MediaReceived):
                    packet = event.packet
                    per_ms = packet.track.timescale // 1000
                    times = packet.dts // per_ms, packet.pts // per_ms
                    found[packet.track.kind].append((*times, packet.keyframe, bytes(packet.data)))
                else:
                    assert isinstance(event, TrackConfigured)
            place += size
        assert found == source


def test_a_long_time_of_the_smallest_messages_grows_nothing() -> None:
    connection = publishing()
    batch = wire.message(8, b"", chunk_stream=5) + b"\xc5" * 1000  # a thousand empty audio messages
    connection.receive(batch, 1.0)
    tracemalloc.start()
    try:
        for _ in range(50):
            assert connection.receive(batch, 1.0) == []
            connection.data_to_send()
        assert tracemalloc.get_traced_memory()[0] < 50_000
    finally:
        tracemalloc.stop()
    assert connection.error is None
    assert connection.disconnected() == [PublishEnded(EndReason.DISCONNECTED)]
