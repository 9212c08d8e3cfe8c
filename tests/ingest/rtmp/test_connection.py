"""A whole connection in memory. To test here: a `Publisher` sends bytes, and reads the events and our answers."""

import struct

import pytest

from ingest.rtmp.amf0 import Value, decode, encode
from ingest.rtmp.chunks import ChunkReader, Message
from ingest.rtmp.connection import RtmpConnection
from ingest.rtmp.errors import MisuseError
from ingest.rtmp.events import (
    EndReason,
    Event,
    MediaReceived,
    MetadataReceived,
    PublishEnded,
    PublishRequested,
    TrackConfigured,
    UnsupportedCodec,
)
from ingest.rtmp.limits import MAX_HELD_BYTES, MAX_NET_STREAMS, MAX_STRANGER_BYTES, Timeouts
from ingest.rtmp.states import State
from tests.kit import rtmp_bytes as wire

NAL = b"\0\0\0\x02\x65\x88"


class Publisher:
    """An encoder and the connection it talks to, with a clock that is moved by hand."""

    def __init__(self, timeouts: Timeouts | None = None) -> None:
        self.now = 100.0
        self.connection = RtmpConnection(self.now, timeouts, random=bytes(1528))
        self._reader = ChunkReader({})
        self._skip = 1 + 2 * 1536
        self.sent = b""

    def say(self, data: bytes) -> list[Event]:
        return self.connection.receive(data, self.now)

    def heard(self) -> list[Message]:
        """The server's messages since the last call."""
        data = self.connection.data_to_send()
        self.sent += data
        skipped, data = data[: self._skip], data[self._skip :]
        self._skip -= len(skipped)
        return list(self._reader.receive(data))

    def answers(self) -> list[list[Value]]:
        """The commands among them."""
        return [decode(message.payload) for message in self.heard() if message.kind == 20]

    def statuses(self) -> list[tuple[Value, Value]]:
        """(code, description) of each onStatus."""
        found = []
        for name, _, *values in self.answers():
            if name == "onStatus" and isinstance(values[1], dict):
                found.append((values[1]["code"], values[1]["description"]))
        return found

    def media(self, kind: int, payload: bytes, time: int = 0) -> list[Event]:
        return self.say(wire.message(kind, payload, time=time, stream_id=1, chunk_stream=6, chunk_bytes=4096))

    def tell(self, name: str, transaction: float, *values: Value, stream_id: int = 1) -> list[Event]:
        return self.say(wire.command(name, transaction, *values, stream_id=stream_id, chunk_bytes=4096))


@pytest.fixture
def opened() -> Publisher:
    """Connected, with a stream, nothing published."""
    publisher = Publisher()
    publisher.say(wire.handshake() + wire.connect() + wire.set_chunk_size(4096))
    publisher.tell("createStream", 2.0, None, stream_id=0)
    publisher.heard()
    return publisher


@pytest.fixture
def publishing() -> Publisher:
    """Admitted, no media yet."""
    return accepted(Publisher())


def accepted(publisher: Publisher) -> Publisher:
    publisher.say(wire.opening())
    assert publisher.connection.accept_publish(1, publisher.now) == []
    publisher.heard()
    return publisher


# The dialogue


def test_connect_is_answered_in_order() -> None:
    publisher = Publisher()
    publisher.say(wire.handshake() + wire.connect(objectEncoding=3.0))
    window, bandwidth, begin, result = publisher.heard()
    assert (window.kind, bytes(window.payload).hex()) == (5, "002625a0")
    assert (bandwidth.kind, bytes(bandwidth.payload).hex()) == (6, "002625a002")
    assert bytes.fromhex("02 000000 000004 01 00000000 00001000") in publisher.sent
    assert (begin.kind, bytes(begin.payload).hex()) == (4, "000000000000")
    name, transaction, _, information = decode(result.payload)
    assert (name, transaction) == ("_result", 1.0)
    assert isinstance(information, dict)
    assert (information["code"], information["objectEncoding"]) == ("NetConnection.Connect.Success", 0.0)
    assert "fourCcList" not in information


def test_enhanced_capabilities_are_told_to_who_asks() -> None:
    publisher = Publisher()
    publisher.say(wire.handshake() + wire.connect(fourCcList=["hvc1", "av01", "vp09"]))
    ((_, _, _, information),) = publisher.answers()
    assert isinstance(information, dict)
    assert information["fourCcList"] == ["avc1", "hvc1", "av01", "mp4a", "Opus"]
    assert information["videoFourCcInfoMap"] == {"avc1": 4.0, "hvc1": 4.0, "av01": 4.0}


def test_publish_asks_the_owner() -> None:
    publisher = Publisher()
    (event,) = publisher.say(wire.opening(key="SECRET?x=1"))
    assert event == PublishRequested(1, "live", "SECRET", "FMLE/3.0 (compatible; test)", "rtmp://127.0.0.1/live")
    assert "SECRET" not in repr(event)
    assert publisher.connection.state is State.DECIDING
    names = [(name, transaction) for name, transaction, *_ in publisher.answers()]
    assert names == [("_result", 1.0), ("_result", 2.0), ("_result", 3.0), ("_result", 4.0)]


def test_acceptance_is_told_in_both_dialects() -> None:
    publisher = Publisher()
    publisher.say(wire.opening())
    publisher.heard()
    publisher.connection.accept_publish(1, publisher.now)
    notice, begin, status = publisher.heard()
    assert decode(notice.payload)[0] == "onFCPublish"
    assert (begin.kind, bytes(begin.payload).hex()) == (4, "000000000001")
    assert (status.kind, status.stream_id) == (20, 1)
    name, _, _, information = decode(status.payload)
    assert (name, isinstance(information, dict) and information["code"]) == ("onStatus", "NetStream.Publish.Start")


def test_refusal_says_why_and_closes() -> None:
    publisher = Publisher()
    publisher.say(wire.opening())
    publisher.connection.refuse_publish(1, "NetStream.Publish.BadName", "No such stream key.")
    assert publisher.statuses() == [("NetStream.Publish.BadName", "No such stream key.")]
    assert publisher.connection.closed
    assert publisher.say(b"more") == []
    assert publisher.connection.next_deadline() is None


@pytest.mark.parametrize("app", ["live/KEY", "live?key=KEY"])
def test_a_key_in_the_app(app: str) -> None:
    (event,) = Publisher().say(wire.opening(app=app, key=""))
    assert isinstance(event, PublishRequested)
    assert (event.app, event.key) == ("live", "KEY")


def test_a_publish_without_any_key_is_refused() -> None:
    publisher = Publisher()
    assert publisher.say(wire.opening(key="")) == []
    assert publisher.statuses() == [("NetStream.Publish.Denied", "The stream key is missing.")]
    assert publisher.connection.closed


def test_a_second_publish_on_the_connection_is_refused_and_the_first_unharmed(publishing: Publisher) -> None:
    publishing.tell("createStream", 6.0, None, stream_id=0)
    assert publishing.tell("publish", 7.0, None, "OTHER", "live", stream_id=2) == []
    assert [code for code, _ in publishing.statuses()] == ["NetStream.Publish.BadName"]
    assert isinstance(publishing.media(wire.VIDEO, wire.avc_configuration())[0], TrackConfigured)


def test_amf3_commands_are_understood() -> None:
    publisher = Publisher()
    publisher.say(wire.handshake() + wire.connect())
    publisher.heard()
    publisher.say(wire.message(17, b"\0" + encode("createStream", 2.0, None)))
    assert publisher.answers() == [["_result", 2.0, None, 1.0]]


@pytest.mark.parametrize(("name", "answer"), [("_checkbw", None), ("releaseStream", None), ("getStreamLength", 0.0)])
def test_small_talk_is_answered(opened: Publisher, name: str, answer: Value) -> None:
    opened.tell(name, 9.0, None, "KEY")
    assert opened.answers() == [["_result", 9.0, None, answer]]
    opened.tell(name, 0.0, None, "KEY")
    assert opened.answers() == []


def test_unknown_calls_get_an_error_and_answers_none(opened: Publisher) -> None:
    opened.tell("dance", 9.0, None)
    ((name, transaction, _, information),) = opened.answers()
    assert (name, transaction) == ("_error", 9.0)
    assert isinstance(information, dict)
    assert information["description"] == "dance is not known here."
    opened.tell("_result", 9.0, None)
    opened.tell("dance", 0.0, None)
    assert opened.answers() == []
    assert not opened.connection.closed


def test_players_are_told_to_go(opened: Publisher) -> None:
    opened.tell("play", 0.0, None, "KEY")
    assert opened.statuses() == [("NetStream.Play.Failed", "This server only receives.")]


@pytest.mark.parametrize(
    ("name", "values"),
    [("FCUnpublish", (None, "KEY")), ("deleteStream", (None, 1.0)), ("closeStream", (None,))],
)
def test_each_goodbye_ends_the_publish_once(publishing: Publisher, name: str, values: tuple[Value, ...]) -> None:
    assert publishing.tell(name, 8.0, *values) == [PublishEnded(EndReason.UNPUBLISHED)]
    assert ("NetStream.Unpublish.Success", "Ended.") in publishing.statuses()
    assert publishing.tell(name, 8.0, *values) == []
    assert publishing.media(wire.VIDEO, wire.avc_configuration()) == []  # frames that were on their way
    assert publishing.connection.state is State.IDLE
    assert publishing.connection.disconnected() == []


@pytest.mark.parametrize("number", [7.0, float("nan"), float("inf"), -1.0, None, "1"])
def test_deleting_another_stream_is_nothing(publishing: Publisher, number: Value) -> None:
    assert publishing.tell("deleteStream", 8.0, None, number) == []
    assert publishing.connection.state is State.PUBLISHING


def test_publishing_again_on_the_same_connection(publishing: Publisher) -> None:
    publishing.media(wire.VIDEO, wire.avc_configuration())
    publishing.tell("FCUnpublish", 8.0, None, "KEY")
    publishing.tell("deleteStream", 9.0, None, 1.0)
    publishing.tell("createStream", 10.0, None, stream_id=0)
    (event,) = publishing.tell("publish", 11.0, None, "KEY2", "live")
    assert isinstance(event, PublishRequested)
    publishing.connection.accept_publish(1, publishing.now)
    assert isinstance(publishing.media(wire.VIDEO, wire.avc_configuration())[0], TrackConfigured)  # told anew


# Media


def test_media_becomes_tracks_and_packets(publishing: Publisher) -> None:
    (metadata,) = publishing.media(wire.DATA, wire.metadata(width=320.0, encoder="Lavf"))
    assert metadata == MetadataReceived({"width": 320.0, "encoder": "Lavf"})
    (video,) = publishing.media(wire.VIDEO, wire.avc_configuration())
    (audio,) = publishing.media(wire.AUDIO, wire.aac_configuration())
    assert isinstance(video, TrackConfigured)
    assert isinstance(audio, TrackConfigured)
    (frame,) = publishing.media(wire.VIDEO, wire.avc_frame(NAL, key=True, offset_ms=40), 20)
    assert isinstance(frame, MediaReceived)
    packet = frame.packet
    assert (packet.track, packet.dts, packet.pts, packet.keyframe) == (video.track, 1800, 5400, True)
    assert bytes(packet.data) == NAL
    (sound,) = publishing.media(wire.AUDIO, wire.aac_frame(b"raw"), 21)
    assert isinstance(sound, MediaReceived)
    assert (sound.packet.track, sound.packet.dts, bytes(sound.packet.data)) == (audio.track, 1008, b"raw")


def test_metadata_without_the_frame_and_in_amf3(publishing: Publisher) -> None:
    plain = encode("onMetaData", {"width": 1.0})
    assert publishing.media(wire.DATA, plain) == [MetadataReceived({"width": 1.0})]
    assert publishing.media(15, b"\0" + plain) == [MetadataReceived({"width": 1.0})]
    assert publishing.media(wire.DATA, encode("@clearDataFrame", "onMetaData")) == []
    assert publishing.media(wire.DATA, encode("onTextData", {"text": "x"})) == []


def test_aggregates_are_taken_apart(publishing: Publisher) -> None:
    parts = [(9, 0, wire.avc_configuration()), (8, 0, wire.aac_configuration()), (9, 40, wire.avc_frame(NAL))]
    events = publishing.media(wire.AGGREGATE, wire.tags(parts), 1000)
    assert [type(event) for event in events] == [TrackConfigured, TrackConfigured, MediaReceived]
    assert isinstance(events[2], MediaReceived)
    assert events[2].packet.dts == 1040 * 90


def test_media_behind_an_undecided_publish_waits_for_it() -> None:
    publisher = Publisher()
    early = wire.message(9, wire.avc_configuration(), stream_id=1, chunk_bytes=4096)
    (event,) = publisher.say(wire.opening() + early)
    assert isinstance(event, PublishRequested)
    (track,) = publisher.connection.accept_publish(1, publisher.now)
    assert isinstance(track, TrackConfigured)


def test_a_key_frame_behind_an_undecided_publish_is_read_under_a_publishers_limits() -> None:
    """An encoder that does not wait for answers, and a frame larger than a stranger's messages may be."""
    publisher = Publisher()
    media = [(9, wire.avc_configuration()), (9, wire.avc_frame(bytes(200_000), key=True))]
    early = b"".join(wire.message(kind, payload, stream_id=1, chunk_bytes=4096) for kind, payload in media)
    (asked,) = publisher.say(wire.opening() + early[:180_000])
    assert isinstance(asked, PublishRequested)
    assert publisher.say(early[180_000:]) == []
    track, frame = publisher.connection.accept_publish(1, publisher.now)
    assert isinstance(track, TrackConfigured)
    assert isinstance(frame, MediaReceived)
    assert len(frame.packet.data) == 200_000


def test_a_goodbye_behind_an_undecided_publish_waits_too() -> None:
    publisher = Publisher()
    goodbye = wire.command("deleteStream", 6.0, None, 1.0, chunk_bytes=4096)
    publisher.say(wire.opening() + goodbye)
    assert publisher.connection.accept_publish(1, publisher.now) == [PublishEnded(EndReason.UNPUBLISHED)]


def test_an_unsupported_codec_is_told_to_encoder_and_owner(publishing: Publisher) -> None:
    events = publishing.media(wire.AUDIO, b"\x2f\xff\xfb")
    assert events == [
        UnsupportedCodec("MP3", "Audio as MP3 is not supported. Send AAC (or Opus by Enhanced RTMP)."),
        PublishEnded(EndReason.UNSUPPORTED),
    ]
    assert publishing.statuses() == [("NetStream.Publish.Failed", events[0].reason)]  # type: ignore[union-attr]
    assert publishing.connection.closed


def test_what_follows_an_unsupported_codec_in_one_read_is_not_reported(publishing: Publisher) -> None:
    bad = wire.message(8, b"\x2f\xff\xfb", stream_id=1, chunk_bytes=4096)
    good = wire.message(9, wire.avc_configuration(), stream_id=1, chunk_bytes=4096)
    assert len(publishing.say(bad + good)) == 2


def test_closing_from_our_side(publishing: Publisher) -> None:
    assert publishing.connection.close_publish("NetStream.Publish.Failed", "Ended by the teacher.") == [
        PublishEnded(EndReason.CLOSED)
    ]
    assert publishing.statuses() == [("NetStream.Publish.Failed", "Ended by the teacher.")]
    assert publishing.connection.closed


def test_the_peer_going_away(publishing: Publisher) -> None:
    assert publishing.connection.disconnected() == [PublishEnded(EndReason.DISCONNECTED)]
    assert publishing.connection.disconnected() == []
    assert Publisher().connection.disconnected() == []


# Control


def test_ping_is_answered(opened: Publisher) -> None:
    opened.say(wire.message(4, bytes.fromhex("000600001234"), chunk_stream=2))
    (pong,) = opened.heard()
    assert (pong.kind, bytes(pong.payload).hex()) == (4, "000700001234")


def test_bytes_are_acknowledged_by_the_peers_window(publishing: Publisher) -> None:
    window = wire.message(5, struct.pack(">I", 10_000), chunk_stream=2)
    publishing.say(window)
    received, acknowledged = len(wire.opening()) + len(window), 0
    for _ in range(10):
        publishing.media(wire.VIDEO, wire.avc_frame(bytes(2995)))
        received += 12 + 3000
        counts = [int(message.payload.hex(), 16) for message in publishing.heard() if message.kind == 3]
        assert counts == ([received] if received - acknowledged >= 10_000 else [])
        acknowledged = (counts or [acknowledged])[0]
    assert acknowledged > 20_000


# Rules broken


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (wire.command("createStream", 1.0, None), "createStream before connect"),
        (wire.command("connect", 1.0, None), "connect without its properties"),
        (wire.connect() + wire.connect(), "connect while idle"),
        (wire.connect() + wire.command("publish", 2.0, None, "KEY", "live", stream_id=1), "was not created"),
        (wire.connect() + wire.command("createStream", 2.0, None) * (MAX_NET_STREAMS + 1), "more than 16 streams"),
        (wire.message(20, b"\x11"), "AMF3"),
        (b"\xff", "chunk stream 63 begins with"),
        (wire.message(4, b"\0"), "user control"),
        (wire.header(0, 6, 0, 100_000, 9, 1), "allowed are 65536"),
    ],
)
def test_broken_rules_end_the_connection_and_say_which(data: bytes, reason: str) -> None:
    publisher = Publisher()
    assert publisher.say(wire.handshake() + data) == []
    assert publisher.connection.closed
    assert reason in str(publisher.connection.error)


def test_events_before_the_broken_rule_are_kept(publishing: Publisher) -> None:
    good = wire.message(9, wire.avc_configuration(), stream_id=1, chunk_bytes=4096)
    bad = wire.message(8, b"\xaf", stream_id=1, chunk_bytes=4096)
    events = publishing.say(good + bad)
    assert [type(event) for event in events] == [TrackConfigured, PublishEnded]
    assert events[1] == PublishEnded(EndReason.BROKE_RULES)
    assert publishing.statuses() == [("NetStream.Publish.Failed", "audio message of 1 bytes.")]


def test_a_stranger_may_say_only_so_much() -> None:
    publisher = Publisher()
    publisher.say(wire.handshake() + wire.connect())
    ping = wire.message(4, bytes(6), chunk_stream=2)
    for _ in range(MAX_STRANGER_BYTES // len(ping)):
        publisher.say(ping)
    assert publisher.connection.closed
    assert "before a publish" in str(publisher.connection.error)


def test_what_waits_behind_an_undecided_publish_is_bounded() -> None:
    publisher = Publisher()
    publisher.say(wire.opening())
    for _ in range(MAX_HELD_BYTES // 60_000):
        publisher.media(wire.VIDEO, bytes(60_000))
        assert publisher.connection.state is State.DECIDING
    publisher.media(wire.VIDEO, bytes(60_000))
    assert publisher.connection.closed
    assert "not decided" in str(publisher.connection.error)


# Our own mistakes


def test_answers_out_of_turn_are_our_mistake(opened: Publisher) -> None:
    with pytest.raises(MisuseError):
        opened.connection.accept_publish(1, opened.now)
    with pytest.raises(MisuseError):
        opened.connection.refuse_publish(1, "NetStream.Publish.BadName", "no")
    with pytest.raises(MisuseError):
        opened.connection.close_publish("NetStream.Publish.Failed", "no")
    opened.tell("publish", 5.0, None, "KEY", "live")
    with pytest.raises(MisuseError):
        opened.connection.accept_publish(2, opened.now)


# Time

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


def test_while_we_do_not_read_the_peer_is_not_silent() -> None:
    publisher = accepted(Publisher(TIMES))
    publisher.connection.reading_paused()
    assert publisher.connection.next_deadline() is None
    assert publisher.connection.handle_timer(500.0) == []
    publisher.connection.reading_resumed(500.0)
    assert publisher.connection.next_deadline() == 508
    publisher.now = 501.0
    publisher.media(wire.VIDEO, wire.avc_configuration())
    publisher.connection.reading_paused()
    publisher.connection.reading_resumed(600.0)
    assert publisher.connection.next_deadline() == 610


def test_after_a_publish_the_next_one_has_its_time() -> None:
    publisher = accepted(Publisher(TIMES))
    publisher.now = 200.0
    publisher.tell("closeStream", 0.0, None)
    assert publisher.connection.next_deadline() == 215
