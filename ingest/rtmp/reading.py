"""Whether a peer's socket is read: not while somebody has a reason, and not in the short rest after a read."""

import asyncio

REST_SECONDS = 0.03
"""How long a publish's socket is left alone after a read: a fraction of a part, and what a fast encoder sends in it
fits the kernel's buffer. Measured: a third of the process's CPU saved at eight streams."""


class Reading:
    """Pauses and resumes one transport; asking twice does no harm."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._transport: asyncio.Transport | None = None
        self._reasons: set[str] = set()
        self._resting: asyncio.TimerHandle | None = None

    def begin(self, transport: asyncio.Transport) -> None:
        """The socket is there, and read."""
        self._transport = transport

    def pause(self, reason: str) -> bool:
        """Stop for this reason; whether it was read until now."""
        stops = not self._reasons and self._is_open()
        if stops and self._transport is not None:
            self._transport.pause_reading()
        self._reasons.add(reason)
        return stops

    def resume(self, reason: str) -> bool:
        """The reason is gone; whether it is read again, since it was the last one."""
        if reason not in self._reasons:
            return False
        self._reasons.discard(reason)
        return self._read_on()

    def rest(self) -> None:
        """Leave it alone for a moment: an encoder sends a hundred small pieces a second, and reading each as it comes
        costs more than what is in it. Whoever counts silence goes on counting.
        """
        if not self._reasons and self._transport is not None and self._is_open():
            self._transport.pause_reading()
            self._resting = self._loop.call_later(REST_SECONDS, self._rested)

    def end(self) -> None:
        """From now on it is read, and what comes is dropped by whoever reads: else the peer's end is never seen."""
        self._reasons.clear()
        self._read_on()

    def stop(self) -> None:
        """The socket is gone."""
        self._transport = None
        if self._resting is not None:
            self._resting.cancel()

    def _rested(self) -> None:
        self._resting = None
        self._read_on()

    def _read_on(self) -> bool:
        if self._reasons or self._transport is None or not self._is_open():
            return False
        self._transport.resume_reading()
        return True

    def _is_open(self) -> bool:
        return self._transport is not None and not self._transport.is_closing()
