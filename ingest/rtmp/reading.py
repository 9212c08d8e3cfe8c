"""How a peer's socket is read: by its transport as pieces come; not at all while a publish is decided; in rounds while
its media comes, unless it is encrypted.

What the kernel holds when the connection ends is still read: an encoder that hangs up with answers of ours unread
resets the connection, and a transport whose write fails gives up with the lecture's last pictures received and not
read. Whatever goes wrong over what came ends this connection alone.
"""

import asyncio
import os
import socket
from collections.abc import Callable

import structlog

from ingest.rtmp.limits import MAX_LEFT_BYTES, READ_BYTES, ROUND_BYTES
from ingest.rtmp.rounds import Rounds

log = structlog.get_logger()


class Reading:
    """Reads one transport. What it reads by itself its protocol gets; what is read in rounds, `take(data, empty)`:
    whether that was all there was, and it may be nothing.
    """

    def __init__(self, rounds: Rounds, take: Callable[[bytes, bool], None]) -> None:
        self._rounds = rounds
        self._take = take
        self._transport: asyncio.Transport | None = None
        self._descriptor = -1
        self._is_in_rounds = False

    def begin(self, transport: asyncio.Transport) -> None:
        """The socket is there, and read by its transport."""
        self._transport = transport
        self._descriptor = transport.get_extra_info("socket").fileno()

    def pause(self) -> None:
        """Not for now."""
        self._leave_rounds()
        if (transport := self._open()) is not None:
            transport.pause_reading()

    def resume(self) -> None:
        """By its transport."""
        self._leave_rounds()
        if (transport := self._open()) is not None:
            transport.resume_reading()

    def in_rounds(self) -> None:
        """From a pause on. What comes between two rounds must fit the kernel's buffer: what does not stays with the
        encoder, which drops it when it hangs up with words of ours unread.
        """
        self._is_in_rounds = True
        self._make_room(ROUND_BYTES)
        self._rounds.join(self._piece)

    def rest(self, take: Callable[[bytes], None]) -> None:
        """Takes what has arrived since the last round: before the end is said, or the socket closed."""
        read = 0
        while self._is_in_rounds and read < MAX_LEFT_BYTES:
            try:
                data = os.read(self._descriptor, READ_BYTES)
            except OSError:  # nothing now, and of a socket that is closed nothing later
                return
            if not data:
                return
            read += len(data)
            try:
                take(data)
            except Exception:
                self._failed()

    def stop(self) -> None:
        """The socket is gone."""
        self._leave_rounds()
        self._transport = None

    def _piece(self) -> bool:
        try:
            data = os.read(self._descriptor, READ_BYTES)
        except BlockingIOError:
            self._take(b"", True)
            return False
        except OSError:
            data = b""
        if not data:  # the end, orderly or not, is the transport's to see
            self.resume()
            return False
        whole = len(data) < READ_BYTES
        try:
            self._take(data, whole)
        except Exception:
            self._failed()
            return False
        return not whole

    def _failed(self) -> None:
        log.exception("rtmp_read_failed")
        self._leave_rounds()
        if self._transport is not None:
            self._transport.abort()

    def _leave_rounds(self) -> None:
        if self._is_in_rounds:
            self._is_in_rounds = False
            self._rounds.leave(self._piece)
            self._make_room(1)

    def _make_room(self, size: int) -> None:
        """The low-water mark, in bytes: Linux makes the receive buffer at least that large, and goes on growing it by
        itself, which it would not if the buffer's own size were set. Readiness is not told before so much is there,
        which rounds do not ask for.
        """
        if (transport := self._open()) is not None:
            transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_RCVLOWAT, size)

    def _open(self) -> asyncio.Transport | None:
        return None if self._transport is None or self._transport.is_closing() else self._transport
