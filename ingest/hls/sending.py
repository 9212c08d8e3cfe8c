"""A stretch of a file to a client, past its transport: the kernel takes it from the file (sendfile), so that its bytes
are never the process's.

Rules: the loop never waits for a disk: what is not in the system's memory is sent by a thread. It has a descriptor of
its own for the connection: whatever becomes of the transport meanwhile, no other client is written to. The transport
has nothing to write until the stretch is sent. Clients that take nothing are the listener's to give up.
"""

import asyncio
import os
import socket
from collections.abc import Callable
from concurrent.futures import Executor
from enum import Enum, auto

from ingest.hls.sources import SpoolSource

READ_AHEAD_BYTES = 1 << 17
"""Linux reads so much of a file at once, and mostly forgets it so."""


class Outcome(Enum):
    """How a sending ended; `broken` is somewhere between."""

    sent = auto()
    broken = auto()


class Sending:
    """One answer: its head, then the piece. `done` is called once, by the loop, perhaps within `start`."""

    def __init__(
        self,
        transport: asyncio.Transport,
        threads: Executor,
        head: bytes,
        piece: SpoolSource,
        done: Callable[[Outcome], None],
    ) -> None:
        """Raises OSError: FileNotFoundError, or that no descriptor is left."""
        self._loop = asyncio.get_running_loop()
        self._transport = transport
        self._threads = threads
        self._head = head
        self._offset, self._left = piece.offset, piece.length
        self._done = done
        self._waits = self._stopped = False
        self._file = os.open(piece.path, os.O_RDONLY | os.O_CLOEXEC)
        try:
            descriptor = os.dup(transport.get_extra_info("socket").fileno())
        except OSError:
            os.close(self._file)
            raise
        # Whether IPv4 or IPv6, sending is the same, and being told costs no system call.
        self._line = socket.socket(socket.AF_INET, socket.SOCK_STREAM, 0, fileno=descriptor)

    def start(self) -> None:
        """Call it once; the loop does when the client can take more. What is in the system's memory goes at once."""
        if not self._is_at_hand():
            self._rest()
            self._submit()
            return
        outcome = self._pushed()
        if outcome is not None:
            self._end(outcome)
        elif not self._waits:
            self._wait()

    def stop(self) -> None:
        """The client is gone, or is to go."""
        self._stopped = True
        if self._waits:
            self._end(Outcome.broken)

    def _is_at_hand(self) -> bool:
        """Whether no disk has to be waited for, by a byte of each stretch that the system reads in one go."""
        byte = (bytearray(1),)
        try:
            for offset in range(self._offset, self._offset + self._left, READ_AHEAD_BYTES):
                os.preadv(self._file, byte, offset, os.RWF_NOWAIT)
        except OSError:  # not at hand, or this file system cannot say
            return False
        return True

    def _submit(self) -> None:
        try:
            self._threads.submit(self._push)
        except RuntimeError:  # the process is about to end
            self._end(Outcome.broken)

    def _push(self) -> None:
        """In a thread."""
        outcome = self._pushed()
        try:
            self._loop.call_soon_threadsafe(self._after, outcome)
        except RuntimeError:  # the loop ended in the meantime
            self._close()

    def _pushed(self) -> Outcome | None:
        """Sends as much as the client takes now; None when that is not all."""
        try:
            while self._head:
                self._head = self._head[self._line.send(self._head, socket.MSG_MORE) :]
            while self._left:
                sent = os.sendfile(self._line.fileno(), self._file, self._offset, self._left)
                if not sent:
                    return Outcome.broken  # the file is shorter than was said
                self._offset += sent
                self._left -= sent
        except BlockingIOError:
            return None
        except OSError:
            return Outcome.broken
        return Outcome.sent

    def _after(self, outcome: Outcome | None) -> None:
        if outcome is not None:
            self._end(outcome)
        elif self._stopped or self._transport.is_closing():
            self._end(Outcome.broken)
        else:
            self._wait()

    def _wait(self) -> None:
        self._waits = True
        self._loop.add_writer(self._line.fileno(), self.start)

    def _rest(self) -> None:
        if self._waits:
            self._waits = False
            self._loop.remove_writer(self._line.fileno())

    def _end(self, outcome: Outcome) -> None:
        self._rest()
        self._close()
        self._done(outcome)

    def _close(self) -> None:
        self._line.close()
        os.close(self._file)
