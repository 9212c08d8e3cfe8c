"""The dialogue from connect to goodbye. To test here: a `Publisher` sends commands and reads our answers."""

import pytest

from ingest.rtmp.amf0 import Value, decode, encode
from ingest.rtmp.events import EndReason, PublishEnded, PublishRequested, TrackConfigured
from ingest.rtmp.states import State
from tests.ingest.rtmp.publisher import Publisher
from tests.kit import rtmp_bytes as wire


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
    assert information["capsEx"] == 1 + 4 + 8, "reconnect, modifiers and nanoseconds, but not several tracks"


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


@pytest.mark.parametrize(("app", "left"), [("live/KEY", "live"), ("live?key=KEY", "live"), ("KEY", "")])
def test_a_key_in_the_app(app: str, left: str) -> None:
    (event,) = Publisher().say(wire.opening(app=app, key=""))
    assert isinstance(event, PublishRequested)
    assert (event.app, event.key) == (left, "KEY")


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


def test_a_connect_of_flash_in_amf3() -> None:
    """Kind 17, properties as an AMF3 object that says live twice, the second time by reference; an AMF3 number."""
    text = b"\x09live"
    properties = b"\x11\x0a\x0b\x01" + b"\x07app\x06" + text + b"\x0btcUrl\x06\x02" + b"\x01"
    name = encode("connect") + b"\x11\x04\x01"
    publisher = Publisher()
    publisher.say(wire.handshake() + wire.message(17, b"\0" + name + properties))
    ((answer, transaction, *_),) = publisher.answers()
    assert (answer, transaction) == ("_result", 1.0)
    assert publisher.connection.state is State.IDLE
    publisher.say(wire.message(17, b"\0" + encode("createStream", 2.0, None)))
    publish = b"\0" + encode("publish", 3.0, None) + b"\x11\x06\x07KEY"
    (event,) = publisher.say(wire.message(17, publish, stream_id=1))
    assert isinstance(event, PublishRequested)
    assert (event.app, event.key, event.tc_url) == ("live", "KEY", "live")


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


Call = tuple[str, float, tuple[Value, ...], int]  # name, transaction, arguments, stream

PREPARED: list[Call] = [
    ("releaseStream", 2, (None, "KEY"), 0),
    ("FCPublish", 3, (None, "KEY"), 0),
    ("createStream", 4, (None,), 0),
]
UNANSWERED: list[Call] = [("releaseStream", 0, (None, "KEY"), 0), ("FCPublish", 0, (None, "KEY"), 0)]
DIALECTS: dict[str, tuple[list[Call], list[Call]]] = {
    "ffmpeg": (
        [*PREPARED, ("publish", 5, (None, "KEY", "live"), 1)],
        [("FCUnpublish", 6, (None, "KEY"), 0), ("deleteStream", 7, (None, 1.0), 0)],
    ),
    "OBS": (
        [*PREPARED, ("_checkbw", 5, (None,), 0), ("publish", 6, (None, "KEY", "live"), 1)],
        [("FCUnpublish", 7, (None, "KEY"), 0), ("deleteStream", 8, (None, 1.0), 0)],
    ),
    "GStreamer": (  # asks for no answers, and deletes its stream by name
        [*UNANSWERED, ("createStream", 2, (None,), 0), ("publish", 0, (None, "KEY", "live"), 1)],
        [("FCUnpublish", 0, (None, "KEY"), 0), ("deleteStream", 0, (None, "KEY"), 0)],
    ),
    "Wirecast": (  # as FMLE: wants its notices, says getStreamLength and _checkbw
        [
            ("releaseStream", 2, (None, "KEY"), 0),
            ("FCPublish", 3, (None, "KEY"), 0),
            ("createStream", 4, (None,), 0),
            ("_checkbw", 5, (None,), 0),
            ("getStreamLength", 6, (None, "KEY"), 0),
            ("publish", 7, (None, "KEY", "live"), 1),
        ],
        [("FCUnpublish", 8, (None, "KEY"), 0), ("closeStream", 0, (None,), 1), ("deleteStream", 9, (None, 1.0), 0)],
    ),
    "vMix": (  # opens its stream before it announces it, and hangs up without a word about it
        [("createStream", 2, (None,), 0), *UNANSWERED, ("publish", 3, (None, "KEY", "live"), 1)],
        [("deleteStream", 0, (None, 1.0), 0)],
    ),
    "Flash": (  # the specification's own order (§7.3.1), and a stream that is closed
        [("createStream", 2, (None,), 0), ("getStreamLength", 3, (None, "KEY"), 0), ("publish", 0, (None, "KEY"), 1)],
        [("closeStream", 0, (None,), 1), ("deleteStream", 0, (None, 1.0), 0)],
    ),
}


@pytest.mark.parametrize("dialect", DIALECTS)
def test_dialects(dialect: str) -> None:
    hello, goodbye = DIALECTS[dialect]
    publisher = Publisher()
    publisher.say(wire.handshake() + wire.connect() + wire.set_chunk_size(4096))
    asked = [
        event
        for name, number, values, stream in hello
        for event in publisher.tell(name, number, *values, stream_id=stream)
    ]
    assert [type(event) for event in asked] == [PublishRequested]
    answered = [transaction for name, transaction, *_ in publisher.answers() if name == "_result"]
    assert answered == [1, *(number for name, number, *_ in hello if number and name != "publish")]
    publisher.connection.accept_publish(1, publisher.now)
    assert publisher.statuses() == [("NetStream.Publish.Start", "Publishing.")]
    said = [
        event
        for name, number, values, stream in goodbye
        for event in publisher.tell(name, number, *values, stream_id=stream)
    ]
    assert said == [PublishEnded(EndReason.UNPUBLISHED)]
    assert publisher.connection.error is None
