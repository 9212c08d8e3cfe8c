"""The inside of messages: commands, aggregates, control values."""

import pytest

from ingest.rtmp import messages
from ingest.rtmp.amf0 import encode
from ingest.rtmp.chunks import Message
from ingest.rtmp.errors import PeerError
from ingest.rtmp.limits import MAX_AGGREGATE_TAGS
from tests.kit import rtmp_bytes as wire


def message(kind: int, payload: bytes, time: int = 0) -> Message:
    return Message(kind, 1, time, memoryview(payload))


def split(payload: bytes, time: int = 0) -> list[tuple[int, int, bytes]]:
    found = messages.split_aggregate(message(messages.AGGREGATE, payload, time))
    assert {part.stream_id for part in found} <= {1}
    return [(part.kind, part.timestamp, bytes(part.payload)) for part in found]


def test_a_command_and_its_arguments() -> None:
    command = messages.read_command(message(20, encode("publish", 5.0, None, "KEY", "live")))
    assert (command.name, command.transaction, command.arguments) == ("publish", 5.0, [None, "KEY", "live"])
    assert (command.argument(1), command.argument(7)) == ("KEY", None)


@pytest.mark.parametrize("lead", [b"\0", b""])
def test_a_command_in_the_amf3_wrapper(lead: bytes) -> None:
    assert messages.read_command(message(17, lead + encode("createStream", 2.0, None))).name == "createStream"


@pytest.mark.parametrize(
    "payload", [b"", encode("connect"), encode(1.0, "connect"), encode("connect", "1"), b"\x02\x00"]
)
def test_what_is_no_command(payload: bytes) -> None:
    with pytest.raises(PeerError):
        messages.read_command(message(20, payload))


def test_aggregate_times_begin_with_the_aggregates_own() -> None:
    payload = wire.tags([(8, 100, b"a"), (9, 140, b"bb"), (8, 0x0100_0000, b"")])
    assert split(payload, 1000) == [(8, 1000, b"a"), (9, 1040, b"bb"), (8, 0x0100_0000 + 900, b"")]


def test_aggregate_times_wrap() -> None:
    assert split(wire.tags([(8, 10, b"a"), (8, 30, b"b")]), 0xFFFF_FFFF) == [(8, 0xFFFF_FFFF, b"a"), (8, 19, b"b")]


def test_aggregate_without_the_last_back_pointer() -> None:
    assert split(wire.tags([(8, 0, b"a")])[:-4]) == [(8, 0, b"a")]


def test_aggregates_hold_media_and_data_only() -> None:
    inner = wire.tags([(8, 7, b"a")])
    parts = [(22, 5, inner), (20, 5, b"command"), (1, 5, b"\0\0\0\1"), (9, 9, b"v"), (18, 9, b"d")]
    assert split(wire.tags(parts), 5) == [(9, 9, b"v"), (18, 9, b"d")]


@pytest.mark.parametrize("cut", [1, 5, 12, 17])
def test_aggregates_that_end_within_a_tag(cut: int) -> None:
    with pytest.raises(PeerError, match="ends within"):
        split(
            wire.tags([(8, 0, b"audio"), (9, 0, b"video")])[: 20 + cut - 5]
            if cut > 5
            else wire.tags([(8, 0, b"au")])[:cut]
        )


def test_aggregates_have_a_number_of_tags() -> None:
    split(wire.tags([(8, 0, b"")] * MAX_AGGREGATE_TAGS))
    with pytest.raises(PeerError, match="more than"):
        split(wire.tags([(8, 0, b"")] * (MAX_AGGREGATE_TAGS + 1)))


def test_control_values() -> None:
    assert messages.uint32(2_500_000).hex() == "002625a0"
    assert messages.read_uint32(memoryview(b"\0\x26\x25\xa0")) == 2_500_000
    assert messages.user_control(messages.PING_REQUEST, 258).hex() == "000600000102"
    assert messages.read_user_control(memoryview(b"\0\x06\0\0\1\2")) == (6, 258)
    assert messages.read_user_control(memoryview(b"\0\x1a\x01")) == (26, 0)
    for read in (messages.read_uint32, messages.read_user_control):
        with pytest.raises(PeerError, match="control message"):
            read(memoryview(b"\1"))
