"""The listener of rtmps: counts a socket before its TLS handshake, so that none waits in it beyond the limits.

asyncio's own listener makes a protocol known only when its handshake is done: until then sockets of one address could
pile up uncounted.
"""

import asyncio
import socket
import ssl
from collections.abc import Callable

import structlog

from ingest.rtmp.open_peers import OpenPeers
from ingest.rtmp.peer import RtmpPeer

log = structlog.get_logger()

BACKLOG = 128
NO_ROOM_SECONDS = 0.1
"""How long no socket is accepted after one could not be: the process is out of descriptors or memory."""


class TlsDoor:
    """One listening socket. `close` ends it and the handshakes that are under way."""

    def __init__(
        self,
        listener: socket.socket,
        context: ssl.SSLContext,
        peers: OpenPeers[RtmpPeer],
        new_peer: Callable[[], RtmpPeer],
        handshake_seconds: float,
    ) -> None:
        self._listener = listener
        self._context = context
        self._peers = peers
        self._new_peer = new_peer
        self._handshake_seconds = handshake_seconds
        self._loop = asyncio.get_running_loop()
        self._shaking: set[asyncio.Task[None]] = set()
        self._accepting = self._loop.create_task(self._accept())

    @classmethod
    async def open(
        cls,
        host: str,
        port: int,
        context: ssl.SSLContext,
        peers: OpenPeers[RtmpPeer],
        new_peer: Callable[[], RtmpPeer],
        handshake_seconds: float,
        *,
        shared: bool = False,
    ) -> "TlsDoor":
        """Raises OSError."""
        loop = asyncio.get_running_loop()
        found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        family, _, _, _, address = found[0]
        listener = socket.create_server(address[:2], family=family, backlog=BACKLOG, reuse_port=shared)
        listener.setblocking(False)
        return cls(listener, context, peers, new_peer, handshake_seconds)

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self._listener.getsockname()[1])

    def close(self) -> None:
        """Listens no more; a handshake that is not done ends. Peers that are through it stay."""
        for task in (self._accepting, *self._shaking):
            task.cancel()
        self._accepting.add_done_callback(lambda _: self._listener.close())

    async def _accept(self) -> None:
        while True:
            try:
                accepted, address = await self._loop.sock_accept(self._listener)
            except ConnectionError:  # it was gone before it was taken
                continue
            except OSError as error:
                log.error("rtmps_accept_failed", error=str(error))
                await asyncio.sleep(NO_ROOM_SECONDS)
                continue
            peer = self._new_peer()
            if not self._peers.join(peer, str(address[0])):
                log.warning("rtmp_too_many_connections", address=address[0])
                accepted.close()
                continue
            task = self._loop.create_task(self._shake(accepted, peer, str(address[0])))
            self._shaking.add(task)
            task.add_done_callback(self._shaking.discard)

    async def _shake(self, accepted: socket.socket, peer: RtmpPeer, address: str) -> None:
        through = False
        try:
            await self._loop.connect_accepted_socket(
                lambda: peer, accepted, ssl=self._context, ssl_handshake_timeout=self._handshake_seconds
            )
            through = True
        except (OSError, asyncio.CancelledError) as error:  # ssl.SSLError and TimeoutError are OSErrors
            log.info("rtmps_handshake_failed", address=address, error=str(error) or type(error).__name__)
            accepted.close()
        finally:
            if not through:
                self._peers.leave(peer)
