"""The connections to the object store, so that all can be ended at once: a process that stops does not wait for a store
that keeps silent.

urllib3 closes what its pool holds, which is what nobody uses. Here each connection is known from its beginning to its
end, and ending it wakes whichever thread waits on it: the call fails there and then, as if the store had hung up.
"""

import socket
import threading
import weakref
from collections.abc import Callable
from contextlib import suppress

from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import HTTPError

CONNECT_SECONDS = 2.0
"""The longest to wait for a connection, which nothing ends sooner, and for each step of its TLS."""


class LinesClosed(HTTPError):  # noqa: N818 - named for what happened
    """No connection is made any more. Not among the faults after which urllib3 tries again."""


class Lines:
    """Those of one client; any thread may use it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._sockets: weakref.WeakSet[socket.socket] = weakref.WeakSet()
        self._closed = False

    def close(self) -> None:
        """Ends every connection, whoever waits on it; no other is made."""
        with self._lock:
            self._closed = True
            open_ones = list(self._sockets)
        for one in open_ones:
            with suppress(OSError):  # it is closed already
                socket.socket.shutdown(one, socket.SHUT_RDWR)  # SSLSocket's own would take its TLS from under a reader

    def connect(self, connection: HTTPConnection, connect: Callable[[], None]) -> None:
        """Makes a connection. Raises LinesClosed."""
        self._require_open()
        usual, connection.timeout = connection.timeout, CONNECT_SECONDS
        try:
            connect()
        finally:
            connection.timeout = usual
        connection.sock.settimeout(usual)
        with self._lock:
            self._sockets.add(connection.sock)
        self._require_open()  # it may have been closed just before this one was known

    def pools(self) -> dict[str, type[HTTPConnectionPool]]:
        """For `urllib3.PoolManager.pool_classes_by_scheme`."""
        lines = self

        class Plain(HTTPConnection):
            def connect(self) -> None:
                lines.connect(self, super().connect)

        class Secured(HTTPSConnection):
            def connect(self) -> None:
                lines.connect(self, super().connect)

        class PlainPool(HTTPConnectionPool):
            ConnectionCls = Plain

        class SecuredPool(HTTPSConnectionPool):
            ConnectionCls = Secured

        return {"http": PlainPool, "https": SecuredPool}

    def _require_open(self) -> None:
        if self._closed:
            raise LinesClosed("this client of the store is closed")
