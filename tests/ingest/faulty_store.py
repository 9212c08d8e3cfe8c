"""A wire to the object store that knows HTTP: it refuses puts, swallows them, or spoils what they bring.

The store behind it is the real one, so that what it checks, and what it does not, is as it is.
"""

import asyncio
import re
from collections.abc import Callable
from contextlib import suppress
from enum import StrEnum

from tests.ingest.relay import CHUNK_BYTES, Relay

LENGTH = re.compile(rb"(?i)\r\ncontent-length: *(\d+)\r\n")
SLOW_DOWN = b"<?xml version='1.0'?><Error><Code>SlowDown</Code><Message>Reduce your rate.</Message></Error>"


class Fault(StrEnum):
    REFUSED = "refused"
    """Answered with 503 SlowDown, and with `retry_after_seconds` where that is set."""
    BROKEN = "broken"
    """Answered with a bare 500."""
    SWALLOWED = "swallowed"
    """Its body is taken, and no answer comes."""
    SPOILED = "spoiled"
    """One byte of its body is another when it comes to the store."""


class FaultyStore(Relay):
    """`fault` says what befalls a request of this method and path. Connections are used for one request at a time."""

    def __init__(self, host: str, port: int) -> None:
        super().__init__(host, port)
        self.fault: Callable[[str, str], Fault | None] = lambda method, path: None
        self.retry_after_seconds: int | None = None
        self.asked: list[tuple[str, str]] = []
        """Methods and paths of all requests so far."""
        self.befallen: list[tuple[Fault, str]] = []
        """What happened to some of them, with the paths."""

    async def _requests(
        self, reader: asyncio.StreamReader, there: asyncio.StreamWriter, back: asyncio.StreamWriter
    ) -> None:
        with suppress(OSError, asyncio.IncompleteReadError):
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                await self._request(head, reader, there, back)
        self._writers.discard(there)
        there.close()

    async def _request(
        self, head: bytes, reader: asyncio.StreamReader, there: asyncio.StreamWriter, back: asyncio.StreamWriter
    ) -> None:
        method, path, _ = head.split(b"\r\n", 1)[0].decode().split(" ")
        found = LENGTH.search(head)
        left = int(found[1]) if found else 0
        self.asked.append((method, path))
        fault = self.fault(method, path)
        if fault is not None:
            self.befallen.append((fault, path))
        passes = fault in (None, Fault.SPOILED)
        if passes:
            await self._pass(head, there, self.there)
        while left:
            data = await reader.readexactly(min(left, CHUNK_BYTES))
            left -= len(data)
            if fault is Fault.SPOILED and not left:
                data = data[:-1] + bytes([data[-1] ^ 1])
            if passes:
                await self._pass(data, there, self.there)
            else:
                await self.there.takes(len(data), self.bytes_per_second)
        if fault is Fault.REFUSED:
            again = f"Retry-After: {self.retry_after_seconds}\r\n" if self.retry_after_seconds else ""
            kind = "Content-Type: application/xml\r\n"
            answer = f"HTTP/1.1 503 Slow Down\r\n{kind}{again}Content-Length: {len(SLOW_DOWN)}\r\n\r\n"
            await self._pass(answer.encode() + SLOW_DOWN, back, self.back)
        elif fault is Fault.BROKEN:
            await self._pass(b"HTTP/1.1 500 Internal Server Error\r\nContent-Length: 0\r\n\r\n", back, self.back)
