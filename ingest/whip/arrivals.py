"""Transport-wide feedback: when each packet of a connection arrived, by which browsers judge how much the line carries.

draft-holmer-rmcat-transport-wide-cc-extensions-01 §3.1. Without it a browser climbs from 300 kbit/s by 8 % a second.
Pure: time is an argument.
"""

import struct

from ingest.whip.counters import Unwrapper

_REFERENCE_SECONDS = 0.064
_DELTAS_A_REFERENCE = 256  # ticks of 250 µs
_TICKS_A_SECOND = 4000
_ABSENT, _SMALL, _LARGE = 0, 1, 2
MAX_PACKETS = 1000
"""Numbers that one report covers: 100 ms of 100 Mbit/s."""


class Arrivals:
    def __init__(self) -> None:
        self._unwrap = Unwrapper(16)
        self._arrived: dict[int, float] = {}
        self._next: int | None = None  # the first number that no report has covered
        self._count = 0

    def saw(self, number: int, now: float) -> None:
        """A packet with this transport-wide number came."""
        extended = self._unwrap(number)
        if self._next is None or extended >= self._next:
            self._arrived.setdefault(extended, now)

    def report(self) -> bytes | None:
        """The feedback on what came since the last report, without RTCP's header; None when nothing did."""
        if not self._arrived:
            return None
        first = self._next if self._next is not None else min(self._arrived)
        if min(self._arrived) - first > MAX_PACKETS:
            first = min(self._arrived)
        last = min(max(self._arrived), first + MAX_PACKETS - 1)
        reference = int(self._arrived[min(self._arrived)] / _REFERENCE_SECONDS)
        symbols, deltas = self._measured(first, last, reference * _DELTAS_A_REFERENCE)
        self._next = first + len(symbols)
        for number in [number for number in self._arrived if number < self._next]:
            del self._arrived[number]
        head = struct.pack("!HH", first & 0xFFFF, len(symbols))
        head += (reference & 0xFFFFFF).to_bytes(3, "big") + bytes((self._count & 0xFF,))
        self._count += 1
        body = head + _chunks(symbols) + deltas
        return body + bytes(-len(body) % 4)

    def _measured(self, first: int, last: int, at: int) -> tuple[list[int], bytes]:
        """A symbol for each number, and the steps between arrivals. Ends early where a step does not fit 16 bits."""
        symbols: list[int] = []
        deltas = bytearray()
        for number in range(first, last + 1):
            arrived = self._arrived.get(number)
            if arrived is None:
                symbols.append(_ABSENT)
                continue
            tick = int(arrived * _TICKS_A_SECOND)
            step = tick - at
            if not -0x8000 <= step <= 0x7FFF and symbols:
                break
            at = tick
            if 0 <= step <= 0xFF:
                symbols.append(_SMALL)
                deltas.append(step)
            else:
                symbols.append(_LARGE)
                deltas += struct.pack("!h", max(-0x8000, min(step, 0x7FFF)))
        return symbols, bytes(deltas)


def _chunks(symbols: list[int]) -> bytes:
    """Runs of one symbol where they are long, vectors of seven elsewhere (§3.1.3, §3.1.4)."""
    out = bytearray()
    position, end = 0, len(symbols)
    while position < end:
        symbol = symbols[position]
        run = 1
        while position + run < end and symbols[position + run] == symbol and run < 0x1FFF:
            run += 1
        if run >= 7 or position + run == end:
            out += struct.pack("!H", symbol << 13 | run)
            position += run
            continue
        seven = symbols[position : position + 7]
        vector = 0b11
        for one in seven + [_ABSENT] * (7 - len(seven)):
            vector = vector << 2 | one
        out += struct.pack("!H", vector)
        position += len(seven)
    return bytes(out)
