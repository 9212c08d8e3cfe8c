"""The handshake's bytes and its refusals."""

import hmac

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


@pytest.mark.parametrize("scheme", [8, 772])
@pytest.mark.parametrize("filling", [0x00, 0xA5, 0xFF])
def test_a_signed_block_is_answered_by_a_signed_one(scheme: int, filling: int) -> None:
    """Checked as a client does: S1's digest by Flash Media Server's key, S2's by one made from C1's digest."""
    block = wire.signed_block(scheme, filling)
    handshake = Handshake(RANDOM)
    assert handshake.receive(b"\x03" + block + bytes(1536)) == b""
    reply = handshake.take_reply()
    assert (reply[:1], len(reply)) == (b"\x03", 1 + 2 * 1536)
    own, said = reply[1:1537], reply[1537:]
    assert own[4] >= 3, "a version that ffmpeg checks"
    place = scheme + 4 + sum(own[scheme : scheme + 4]) % 728
    key = b"Genuine Adobe Flash Media Server 001"
    assert own[place : place + 32] == hmac.digest(key, own[:place] + own[place + 32 :], "sha256")
    common = bytes.fromhex("f0eec24a8068bee82e00d0d1029e7e576eec5d2d29806fab93b8e636cfeb31ae")
    asked = scheme + 4 + sum(block[scheme : scheme + 4]) % 728
    derived = hmac.digest(key + common, block[asked : asked + 32], "sha256")
    assert said[-32:] == hmac.digest(derived, said[:-32], "sha256")


def test_a_block_that_is_not_signed_is_echoed_whatever_version_it_says() -> None:
    block = bytearray(wire.signed_block(8))
    block[1000] ^= 1
    for asked in (bytes(block), wire.signed_block(772, version=bytes(4))):
        handshake = Handshake(RANDOM)
        handshake.receive(b"\x03" + asked)
        reply = handshake.take_reply()
        assert reply[1:9] == bytes(8)
        assert reply[1537:] == asked
