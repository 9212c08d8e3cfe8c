"""What a connection makes of messages. To test here: a `Publisher` sends bytes, and reads events and our answers."""

import struct

import pytest

from ingest.rtmp.amf0 import encode
from ingest.rtmp.errors import MisuseError
from ingest.rtmp.events import (
    EndReason,
    MediaReceived,
    MetadataReceived,
    PublishEnded,
    PublishRequested,
    TrackConfigured,
    UnsupportedCodec,
)
from ingest.rtmp.limits import MAX_HELD_BYTES, MAX_NET_STREAMS, MAX_STRANGER_BYTES
from ingest.rtmp.states import State
from tests.ingest.rtmp.publisher import Publisher
from tests.kit import rtmp_bytes as wire

NAL = b"\0\0\0\x02\x65\x88"


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


def test_bytes_are_acknowledged_by_the_peers_window_once_all_is_read(publishing: Publisher) -> None:
    window = wire.message(5, struct.pack(">I", 10_000), chunk_stream=2)
    publishing.say(window)
    received, acknowledged = len(wire.opening()) + len(window), 0
    for _ in range(10):
        publishing.media(wire.VIDEO, wire.avc_frame(bytes(2995)))
        received += 12 + 3000
        assert publishing.heard() == [], "there may be more to read"
        publishing.connection.acknowledge()
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
        (wire.message(20, b"\x11\x12"), "AMF3"),
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
