"""Whether a peer's socket is read: not while somebody has a reason against it.

Each piece is read as it comes. Leaving the socket alone for 30 ms after each read would save a third of the process's
CPU at eight streams, and was tried: an encoder that hangs up with answers of ours unread resets the connection, and
the kernel then drops what we had not read yet: the end of the lecture.
"""

import asyncio


class Reading:
    """Pauses and resumes one transport; asking twice does no harm."""

    def __init__(self) -> None:
        self._transport: asyncio.Transport | None = None
        self._reasons: set[str] = set()

    def begin(self, transport: asyncio.Transport) -> None:
        """The socket is there, and read."""
        self._transport = transport

    def pause(self, reason: str) -> bool:
        """Stop for this reason; whether it was read until now."""
        transport = None if self._reasons else self._open()
        if transport is not None:
            transport.pause_reading()
        self._reasons.add(reason)
        return transport is not None

    def resume(self, reason: str) -> bool:
        """The reason is gone; whether it is read again, since it was the last one."""
        if reason not in self._reasons:
            return False
        self._reasons.discard(reason)
        return self._read_on()

    def end(self) -> None:
        """From now on it is read, and what comes is dropped by whoever reads: else the peer's end is never seen."""
        self._reasons.clear()
        self._read_on()

    def stop(self) -> None:
        """The socket is gone."""
        self._transport = None

    def _read_on(self) -> bool:
        transport = None if self._reasons else self._open()
        if transport is not None:
            transport.resume_reading()
        return transport is not None

    def _open(self) -> asyncio.Transport | None:
        return None if self._transport is None or self._transport.is_closing() else self._transport
