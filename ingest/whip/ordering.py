"""Puts a stream's packets in order again, and says which are missing. Pure: time is an argument.

Rule: what is in order is handed on at once. Behind a hole packets are held until it is filled or `wait_seconds` have
passed since the packet after it came; then the hole is given up, and what comes for it later is dropped.
"""

from ingest.whip.rtp import RtpPacket

MAX_HELD = 2048
"""About a second of 20 Mbit/s: a larger hole is no hole but another stream."""


class Ordering:
    def __init__(self, wait_seconds: float) -> None:
        self._wait = wait_seconds
        self._next: int | None = None
        self._held: dict[int, tuple[RtpPacket, float]] = {}
        self.late = 0
        """Packets that came twice, or after they had been given up."""

    @property
    def holding(self) -> bool:
        """Whether there is a hole."""
        return bool(self._held)

    def add(self, number: int, packet: RtpPacket, now: float) -> list[tuple[int, RtpPacket]]:
        """What is in order by this packet, with extended numbers."""
        expected = self._next
        if expected is None or number == expected:
            self._next = number + 1
            ready = [(number, packet)]
            return self._drained(ready) if self._held else ready
        if number < expected or number in self._held:
            self.late += 1
            return []
        self._held[number] = (packet, now)
        if number - expected > MAX_HELD or len(self._held) > MAX_HELD:
            return self._skip()
        return []

    def expire(self, now: float) -> list[tuple[int, RtpPacket]]:
        """What is in order once holes that are too old are given up."""
        ready: list[tuple[int, RtpPacket]] = []
        while self._held and now - self._held[min(self._held)][1] >= self._wait:
            ready += self._skip()
        return ready

    def missing(self, limit: int) -> list[int]:
        """The first `limit` numbers of what is waited for."""
        if not self._held or self._next is None:
            return []
        found: list[int] = []
        for number in range(self._next, max(self._held)):
            if number not in self._held:
                found.append(number)
                if len(found) == limit:
                    break
        return found

    def _skip(self) -> list[tuple[int, RtpPacket]]:
        self._next = min(self._held)
        return self._drained([])

    def _drained(self, ready: list[tuple[int, RtpPacket]]) -> list[tuple[int, RtpPacket]]:
        assert self._next is not None
        while self._next in self._held:
            ready.append((self._next, self._held.pop(self._next)[0]))
            self._next += 1
        return ready
