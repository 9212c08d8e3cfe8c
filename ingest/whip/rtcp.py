"""RTCP: what is read of it (sender reports, goodbyes) and what is written (reports, losses, requests for key frames).

RFC 3550 §6, RFC 4585 §6 (NACK, PLI). Rule: bytes in and out, nothing remembered.
"""

import struct
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

_SENDER_REPORT, _RECEIVER_REPORT, _DESCRIPTION, _GOODBYE = 200, 201, 202, 203
_TRANSPORT_FEEDBACK, _PAYLOAD_FEEDBACK = 205, 206
_NACK, _PLI, TRANSPORT_WIDE = 1, 1, 15
_CNAME = 1


@dataclass(frozen=True, slots=True)
class SenderReport:
    """`ntp` is the sender's 64-bit wall clock, `timestamp` the RTP time of the same instant."""

    ssrc: int
    ntp: int
    timestamp: int


@dataclass(frozen=True, slots=True)
class Goodbye:
    """These streams are over."""

    ssrcs: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class ReportBlock:
    """What was received of one stream (RFC 3550 §6.4.1); `fraction_lost` is of 256, `jitter` in RTP ticks."""

    ssrc: int
    fraction_lost: int
    lost: int
    highest: int
    jitter: int
    last_report: int
    since_report: int


def read(data: bytes) -> list[SenderReport | Goodbye]:
    """What concerns us of a compound packet; whatever is broken or unknown is passed over."""
    found: list[SenderReport | Goodbye] = []
    position = 0
    while position + 4 <= len(data):
        first, kind, words = struct.unpack_from("!BBH", data, position)
        start, position = position + 4, position + 4 + 4 * words
        if first >> 6 != 2 or position > len(data):
            break
        if kind == _SENDER_REPORT and position - start >= 24:
            found.append(SenderReport(*struct.unpack_from("!IQI", data, start)))
        elif kind == _GOODBYE:
            count = min(first & 0x1F, (position - start) // 4)
            found.append(Goodbye(struct.unpack_from(f"!{count}I", data, start)))
    return found


def receiver_report(sender: int, blocks: Sequence[ReportBlock], name: str) -> bytes:
    """A report with the sender's canonical name: a whole compound packet."""
    body = struct.pack("!I", sender)
    for block in blocks[:31]:
        body += struct.pack("!I", block.ssrc)
        lost = max(-0x800000, min(block.lost, 0x7FFFFF)) & 0xFFFFFF
        body += struct.pack("!I", block.fraction_lost << 24 | lost)
        body += struct.pack("!IIII", block.highest, block.jitter, block.last_report, block.since_report)
    text = name.encode()[:255]
    description = struct.pack("!IBB", sender, _CNAME, len(text)) + text + b"\0"
    description += bytes(-len(description) % 4)
    return _packet(_RECEIVER_REPORT, min(len(blocks), 31), body) + _packet(_DESCRIPTION, 1, description)


def picture_loss(sender: int, media: int) -> bytes:
    """PLI: asks for a key frame (RFC 4585 §6.3.1)."""
    return _packet(_PAYLOAD_FEEDBACK, _PLI, struct.pack("!II", sender, media))


def losses(sender: int, media: int, numbers: Iterable[int]) -> bytes:
    """NACK: asks for packets again (RFC 4585 §6.2.1); `numbers` are extended ones, rising."""
    items: list[list[int]] = []
    for number in numbers:
        if items and 0 < number - items[-1][0] <= 16:
            items[-1][1] |= 1 << (number - items[-1][0] - 1)
        else:
            items.append([number, 0])
    body = struct.pack("!II", sender, media)
    return _packet(
        _TRANSPORT_FEEDBACK, _NACK, body + b"".join(struct.pack("!HH", n & 0xFFFF, mask) for n, mask in items)
    )


def transport_wide(sender: int, media: int, feedback: bytes) -> bytes:
    """Arrivals of all packets of the connection (`arrivals.py`)."""
    return _packet(_TRANSPORT_FEEDBACK, TRANSPORT_WIDE, struct.pack("!II", sender, media) + feedback)


def _packet(kind: int, count: int, body: bytes) -> bytes:
    return struct.pack("!BBH", 0x80 | count, kind, len(body) // 4) + body
