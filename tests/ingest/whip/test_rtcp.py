"""RTCP and RTP by literal bytes; arrivals as a browser reads them; reception as reports say it."""

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.whip import rtcp, rtp
from ingest.whip.arrivals import Arrivals
from ingest.whip.reception import Reception
from media.malformed import MalformedMedia


def test_a_sender_report_and_a_goodbye_are_read() -> None:
    report = bytes.fromhex("80c80006 00000001 e000000080000000 00015f90 00000005 00000064")
    description = bytes.fromhex("81ca0002 00000001 01006100")
    goodbye = bytes.fromhex("82cb0002 00000001 00000002")
    assert rtcp.read(report + description + goodbye) == [
        rtcp.SenderReport(1, 0xE000000080000000, 90_000),
        rtcp.Goodbye((1, 2)),
    ]
    assert rtcp.read(report[:-1]) == []
    assert rtcp.read(b"\x80") == []


@given(st.binary(max_size=80))
def test_no_rtcp_does_any_harm(data: bytes) -> None:
    rtcp.read(data)


def test_what_is_written() -> None:
    assert rtcp.picture_loss(1, 2) == bytes.fromhex("81ce0002 00000001 00000002")
    # 10, then 12 and 26 by its mask; 27 is one too far for it
    assert rtcp.losses(1, 2, [10, 12, 26, 27]) == bytes.fromhex("81cd0004 00000001 00000002 000a8002 001b0000")
    assert rtcp.losses(1, 2, [65_535, 65_536]) == bytes.fromhex("81cd0003 00000001 00000002 ffff0001")
    block = rtcp.ReportBlock(2, 64, -1, 0x10005, 7, 8, 9)
    report = rtcp.receiver_report(1, [block], "ab")
    assert report[:32] == bytes.fromhex("81c90007 00000001 00000002 40ffffff 00010005 00000007 00000008 00000009")
    assert report[32:] == bytes.fromhex("81ca0003 00000001 0102 6162 00000000")


def test_an_rtp_packet() -> None:
    head = bytes.fromhex("9068 0007 00000bb8 00000001 bede0001 31004200")
    packet = rtp.parse(head + b"\x65\x88", 3)
    assert (packet.payload_type, packet.marker, packet.sequence, packet.timestamp) == (104, False, 7, 3000)
    assert (packet.ssrc, packet.transport_sequence, bytes(packet.payload)) == (1, 0x0042, b"\x65\x88")
    assert rtp.parse(head + b"\x65\x88", 4).transport_sequence is None
    long = bytes.fromhex("90e8 0007 00000bb8 00000001 10000001 03020042")
    assert rtp.parse(long + b"\x65", 3).transport_sequence == 0x42
    assert rtp.parse(long, 3).marker
    padded = bytes.fromhex("a068 0007 00000bb8 00000001 00000004")
    assert bytes(rtp.parse(padded).payload) == b""
    again = rtp.parse(bytes.fromhex("8069 0001 00000bb8 00000002 0007 6588"))
    original = rtp.unwrap_retransmission(again, 104, 1)
    assert original is not None
    assert (original.sequence, original.ssrc, bytes(original.payload)) == (7, 1, b"\x65\x88")
    assert rtp.unwrap_retransmission(rtp.parse(bytes.fromhex("8069 0001 00000bb8 00000002")), 104, 1) is None


@given(st.binary(max_size=60), st.integers(0, 14))
def test_no_rtp_does_any_harm(data: bytes, extension: int) -> None:
    try:
        packet = rtp.parse(b"\x90" + data, extension)
    except MalformedMedia:
        return
    assert len(packet.payload) <= len(data)


def read_arrivals(feedback: bytes) -> tuple[int, list[float | None], int]:
    """(first number, arrival of each in seconds, count of the report): written from the draft, not from our writer."""
    first, count = struct.unpack_from("!HH", feedback)
    at = int.from_bytes(feedback[4:7], "big", signed=True) * 0.064
    symbols: list[int] = []
    position = 8
    while len(symbols) < count:
        (chunk,) = struct.unpack_from("!H", feedback, position)
        position += 2
        if chunk >> 15 == 0:
            symbols += [chunk >> 13 & 3] * (chunk & 0x1FFF)
        elif chunk >> 14 == 2:
            symbols += [chunk >> (13 - n) & 1 for n in range(14)]
        else:
            symbols += [chunk >> (12 - 2 * n) & 3 for n in range(7)]
    arrivals: list[float | None] = []
    for symbol in symbols[:count]:
        if symbol == 0:
            arrivals.append(None)
            continue
        if symbol == 1:
            step, size = feedback[position], 1
        else:
            (step,), size = struct.unpack_from("!h", feedback, position), 2
        position += size
        at += step * 0.00025
        arrivals.append(at)
    assert len(feedback) - position < 4
    assert len(feedback) % 4 == 0
    return first, arrivals, feedback[7]


def test_arrivals_by_literal_bytes() -> None:
    arrivals = Arrivals()
    for number, at in ((65_534, 6.4), (65_535, 6.401), (1, 6.5)):
        arrivals.saw(number, at)
    feedback = arrivals.report()
    # first 65534, 4 numbers, reference 100 × 64 ms; two near, one lost, one 99 ms later (396 ticks)
    assert feedback == bytes.fromhex("fffe0004 000064 00 d480 00 04 018c 0000".replace(" ", ""))[: len(feedback or b"")]
    assert feedback is not None
    assert read_arrivals(feedback)[1][2] is None
    assert arrivals.report() is None


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 400)), min_size=1, max_size=60), st.integers(0, 65_535))
def test_arrivals_read_back(packets: list[tuple[int, int]], first: int) -> None:
    arrivals, told = Arrivals(), {}
    number, at = first, 0
    for n, (skipped, later_ms) in enumerate(packets):
        number, at = number + skipped + (n > 0), at + later_ms
        arrivals.saw(number & 0xFFFF, at / 1000)
        told[number & 0xFFFF] = at / 1000
    heard: dict[int, float] = {}
    for count in range(len(packets)):
        feedback = arrivals.report()
        if feedback is None:
            break
        base, times, numbered = read_arrivals(feedback)
        assert numbered == count & 0xFF
        heard |= {(base + n) & 0xFFFF: time for n, time in enumerate(times) if time is not None}
    assert heard.keys() == told.keys()
    assert all(abs(heard[n] - told[n]) <= 0.0005 for n in told)


def test_an_hour_of_silence_does_not_break_the_report() -> None:
    arrivals = Arrivals()
    arrivals.saw(1, 0.0)
    assert arrivals.report() is not None
    arrivals.saw(30_000, 3600.0)
    feedback = arrivals.report()
    assert feedback is not None
    assert read_arrivals(feedback)[0] == 30_000


def test_reception_counts_losses_jitter_and_the_way_back() -> None:
    reception = Reception(7, 90_000)
    assert reception.block(0.0) is None
    for n in (0, 1, 2, 3, 5, 6, 7, 9):
        reception.heard(65_536 + n, 3000 * n, n / 30)
    reception.sender_report(0x1234_5678_9ABC_DEF0, 10.0)
    block = reception.block(10.5)
    assert block is not None
    assert (block.ssrc, block.lost, block.fraction_lost, block.highest) == (7, 2, 51, 65_545)
    assert (block.last_report, block.since_report) == (0x5678_9ABC, 0x8000)
    assert block.jitter == 0
    reception.heard(65_546, 30_000, 10 / 30 + 0.1)
    later = reception.block(11.0)
    assert later is not None
    assert (later.fraction_lost, later.lost) == (0, 2)
    assert later.jitter == pytest.approx(9000 / 16, abs=2)
