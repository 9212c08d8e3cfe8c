"""The handshake's bytes and its refusals."""

import pytest

from ingest.rtmp.errors import PeerError
from ingest.rtmp.handshake import Handshake
from tests.kit import rtmp_bytes as wire

RANDOM = bytes(range(256)) * 5 + bytes(248)


def test_the_answer_is_version_random_and_echo() -> None:
    handshake = Handshake(RANDOM)
    sent = wire.handshake(time=7)
    assert handshake.receive(sent[:1537]) is None
    reply = handshake.take_reply()
    assert len(reply) == 1 + 2 * 1536
    assert reply[:9] == b"\x03" + bytes(8)  # version 3, time 0, and the zero that says: the plain handshake
    assert reply[9:1537] == RANDOM
    assert reply[1537:] == sent[1:1537]
    assert handshake.take_reply() == b""
    assert handshake.receive(sent[1537:]) == b""


def test_byte_by_byte_and_what_comes_behind() -> None:
    handshake = Handshake(RANDOM)
    data = wire.handshake() + b"behind"
    outcomes = [handshake.receive(data[place : place + 1]) for place in range(len(data) - 6)]
    assert outcomes[:-1] == [None] * (len(outcomes) - 1)
    assert outcomes[-1] == b""
    assert Handshake(RANDOM).receive(data) == b"behind"


@pytest.mark.parametrize(
    ("first", "reason"),
    [(b"\x06", "RTMPE"), (b"\x16\x03\x01", "TLS"), (b"GET / HTTP/1.1", "0x47"), (b"\x00", "version 3")],
)
def test_strangers_are_named_by_their_first_byte(first: bytes, reason: str) -> None:
    with pytest.raises(PeerError, match=reason):
        Handshake().receive(first)


def test_no_two_answers_are_alike() -> None:
    replies = []
    for _ in range(2):
        handshake = Handshake()
        handshake.receive(wire.handshake())
        replies.append(handshake.take_reply())
    assert replies[0] != replies[1]
