"""A TCP proxy before the real store that breaks connections, or bytes, where a test says."""

import contextlib
import socket
import threading
from types import TracebackType
from typing import Self

from storage.embedded.ports import LOOPBACK


class CuttingProxy:
    """Forwards to `upstream`; resets the next `cuts` connections after `after_bytes` of the store's answer.

    `spoil_sent` and `spoil_answer` are how many large pieces lose a bit on their way there and back.
    """

    def __init__(self, upstream: int) -> None:
        self.cuts = 0
        self.after_bytes = 0
        self.spoil_sent = 0
        self.spoil_answer = 0
        self.connections = 0
        self._upstream = upstream
        self._listener = socket.create_server((LOOPBACK, 0))
        self.endpoint = f"{LOOPBACK}:{self._listener.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._listener.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                caller, _ = self._listener.accept()
                self.connections += 1
                store = socket.create_connection((LOOPBACK, self._upstream))
                threading.Thread(target=self._forward, args=(caller, store), daemon=True).start()
                threading.Thread(target=self._answer, args=(store, caller), daemon=True).start()

    def _forward(self, caller: socket.socket, store: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := caller.recv(65_536):
                if self.spoil_sent and len(data) >= SPOILT_BYTES:
                    self.spoil_sent -= 1
                    data = _spoilt(data)
                store.sendall(data)
            store.shutdown(socket.SHUT_WR)

    def _answer(self, store: socket.socket, caller: socket.socket) -> None:
        sent = 0
        with contextlib.suppress(OSError), store, caller:
            while data := store.recv(65_536):
                if self.cuts and sent + len(data) > self.after_bytes:
                    self.cuts -= 1
                    caller.sendall(data[: self.after_bytes - sent])
                    caller.shutdown(socket.SHUT_RDWR)
                    return
                if self.spoil_answer and len(data) >= SPOILT_BYTES:
                    self.spoil_answer -= 1
                    data = _spoilt(data)
                caller.sendall(data)
                sent += len(data)


SPOILT_BYTES = 16_000
"""A piece of this size ends in the body, whatever headers it begins with."""


def _spoilt(data: bytes) -> bytes:
    return data[:-1] + bytes([data[-1] ^ 1])
