"""H.264 made into RTP payloads as senders may: single NAL units, STAP-A, FU-A of any size (RFC 6184 §5)."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from tests.ingest.builders import PPS, SPS

IDR = bytes.fromhex("65888400")
SLICE = bytes.fromhex("419a2040")
NEW_SPS = bytes.fromhex("67640028acd940780227e5c0440000030004000003 00f03c60c658".replace(" ", ""))
NEW_PPS = bytes.fromhex("68ebe3cb22c0")
__all__ = ["IDR", "NEW_PPS", "NEW_SPS", "PPS", "SLICE", "SPS", "Sender", "fragments", "stap"]


def stap(units: Sequence[bytes]) -> bytes:
    return b"\x18" + b"".join(len(unit).to_bytes(2, "big") + unit for unit in units)


def fragments(unit: bytes, size: int) -> list[bytes]:
    """FU-A of at most `size` bytes of the unit each; at least two."""
    body = unit[1:]
    size = min(size, max(1, len(body) - 1))
    pieces = [body[at : at + size] for at in range(0, len(body), size)]
    indicator, kind = bytes((unit[0] & 0xE0 | 28,)), unit[0] & 0x1F
    return [
        indicator + bytes((kind | (0x80 if n == 0 else 0) | (0x40 if n == len(pieces) - 1 else 0),)) + piece
        for n, piece in enumerate(pieces)
    ]


@dataclass
class Sender:
    """Numbers payloads as a stream; gives (number, timestamp, marker, payload)."""

    number: int = 0

    def picture(self, payloads: Sequence[bytes], timestamp: int) -> Iterator[tuple[int, int, bool, bytes]]:
        for n, payload in enumerate(payloads):
            yield self.number, timestamp, n == len(payloads) - 1, payload
            self.number += 1
