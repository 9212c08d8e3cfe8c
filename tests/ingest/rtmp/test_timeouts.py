"""Waits and their ends, by a clock that is moved by hand: `Publisher.now`, `next_deadline`, `handle_timer`."""

from ingest.rtmp.events import EndReason, Event, PublishEnded
from ingest.rtmp.limits import Timeouts
from ingest.rtmp.states import State
from tests.ingest.rtmp.publisher import Publisher, accepted
from tests.kit import rtmp_bytes as wire

TIMES = Timeouts(handshake_seconds=5, publish_seconds=15, first_frame_seconds=8, silence_seconds=30, ping_seconds=10)


def test_the_handshake_and_the_publish_have_their_time() -> None:
    publisher = Publisher(TIMES)
    connection = publisher.connection
    assert connection.next_deadline() == 105
    assert connection.handle_timer(104.9) == []
    assert connection.state is State.HANDSHAKE
    publisher.say(wire.handshake() + wire.connect())
    assert connection.next_deadline() == 115
    publisher.now = 114.0
    publisher.say(b"\x02")  # a byte now and then moves nothing
    assert connection.next_deadline() == 115
    assert connection.handle_timer(115.0) == []
    assert connection.closed
    assert "idle" in str(connection.error)
    assert connection.next_deadline() is None


def test_a_slow_handshake_is_cut() -> None:
    publisher = Publisher(TIMES)
    publisher.say(wire.handshake()[:100])
    publisher.connection.handle_timer(105.0)
    assert publisher.connection.closed


def test_the_owners_time_to_decide_is_not_the_peers() -> None:
    publisher = Publisher(TIMES)
    publisher.say(wire.opening())
    assert publisher.connection.next_deadline() is None
    assert publisher.connection.handle_timer(1000.0) == []
    publisher.connection.accept_publish(1, 1000.0)
    assert publisher.connection.next_deadline() == 1008


def test_no_first_frame_ends_the_publish() -> None:
    publisher = accepted(Publisher(TIMES))
    publisher.now = 107.0
    publisher.media(wire.DATA, wire.metadata(width=1.0))  # metadata is no frame
    assert publisher.connection.next_deadline() == 108
    assert publisher.connection.handle_timer(108.0) == [PublishEnded(EndReason.SILENT)]
    assert publisher.statuses() == [("NetStream.Publish.Failed", "no audio or video in time.")]


def test_silence_is_pinged_and_then_ends_the_publish() -> None:
    publisher = accepted(Publisher(TIMES))
    publisher.media(wire.VIDEO, wire.avc_configuration())
    for ping_at in (110.0, 120.0):
        assert publisher.connection.next_deadline() == ping_at
        assert publisher.connection.handle_timer(ping_at) == []
        (ping,) = publisher.heard()
        assert (ping.kind, ping.payload.hex()) == (4, f"0006{int(ping_at * 1000):08x}")
    assert publisher.connection.next_deadline() == 130
    assert publisher.connection.handle_timer(130.0) == [PublishEnded(EndReason.SILENT)]
    assert publisher.connection.closed


def test_a_dribble_of_bytes_is_still_silence() -> None:
    publisher = accepted(Publisher(TIMES))
    publisher.media(wire.VIDEO, wire.avc_configuration())
    frame = wire.message(9, bytes(4000), stream_id=1, chunk_stream=6, chunk_bytes=4096)
    events: list[Event] = []
    for byte in range(60):
        publisher.now += 1
        events += publisher.say(frame[byte : byte + 1])
        events += publisher.connection.handle_timer(publisher.now)
    assert events == [PublishEnded(EndReason.SILENT)]


def test_after_a_publish_the_next_one_has_its_time() -> None:
    publisher = accepted(Publisher(TIMES))
    publisher.now = 200.0
    publisher.tell("closeStream", 0.0, None)
    assert publisher.connection.next_deadline() == 215
