"""The RTMP server: listeners for plain RTMP and rtmps, and the peers they bring.

Rule: sockets only. Who may publish is the handler's to say, what bytes mean is `connection.py`'s.
"""

import asyncio
import errno
import ssl

import structlog

from ingest.rtmp.commands import FAILED
from ingest.rtmp.open_peers import OpenPeers
from ingest.rtmp.peer import RtmpPeer
from ingest.rtmp.publishing import PublishHandler
from ingest.rtmp.rounds import Rounds
from ingest.rtmp.settings import RtmpSettings

log = structlog.get_logger()

_NO_IPV6 = (errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT)


class RtmpServer:
    """Listens from `start` to `stop`."""

    def __init__(self, settings: RtmpSettings, publishes: PublishHandler, tls: ssl.SSLContext | None = None) -> None:
        self._settings = settings
        self._publishes = publishes
        self._tls = tls
        self._peers: OpenPeers[RtmpPeer] = OpenPeers(settings.connections, settings.connections_per_address)
        self._rounds = Rounds(asyncio.get_running_loop())
        self._listeners: list[asyncio.Server] = []
        self.port = settings.port
        """The port for plain RTMP, also when a free one was asked for; likewise `tls_port`."""
        self.tls_port = settings.tls_port

    @property
    def connections(self) -> int:
        """Peers connected now."""
        return len(self._peers)

    @property
    def publishing(self) -> int:
        """Publishes on now."""
        return sum(peer.publishing for peer in self._peers)

    async def start(self) -> None:
        """Opens the listeners; after an OSError (a port is taken) none is open."""
        try:
            self.port = await self._listen(self.port, None)
            if self._tls is not None and self.tls_port is not None:
                self.tls_port = await self._listen(self.tls_port, self._tls)
        except OSError:
            self._stop_listening()
            raise
        log.info("rtmp_listening", hosts=self._settings.hosts, port=self.port, tls_port=self.tls_port)

    async def stop(self) -> None:
        """Listens no more, tells the encoders, and hangs up within the linger time."""
        self._stop_listening()
        empty = asyncio.Event()
        self._peers.on_empty = empty.set
        for peer in self._peers:
            peer.close(FAILED, "The server is stopping, connect again in a moment.")
        if not len(self._peers):
            return
        try:
            async with asyncio.timeout(self._settings.linger_seconds + 1):
                await empty.wait()
        except TimeoutError:
            for peer in self._peers:
                peer.abort()
            await empty.wait()

    async def _listen(self, port: int, tls: ssl.SSLContext | None) -> int:
        """Opens one listener a host; their port. Raises OSError."""
        bound = port
        count = len(self._listeners)
        for host in self._settings.hosts:
            try:
                self._listeners.append(await self._open(host, bound, tls))
            except OSError as error:
                if ":" not in host or error.errno not in _NO_IPV6:
                    raise
                log.warning("rtmp_no_ipv6", host=host, error=str(error))
            else:
                bound = bound or self._listeners[-1].sockets[0].getsockname()[1]
        if len(self._listeners) == count:
            raise OSError(
                errno.EADDRNOTAVAIL, f"none of {', '.join(self._settings.hosts)} is an address of this machine"
            )
        return bound

    async def _open(self, host: str, port: int, tls: ssl.SSLContext | None) -> asyncio.Server:
        handshake_seconds = self._settings.timeouts.handshake_seconds if tls is not None else None
        return await asyncio.get_running_loop().create_server(
            lambda: RtmpPeer(self._settings, self._publishes, self._peers, self._rounds, secure=tls is not None),
            host,
            port,
            ssl=tls,
            ssl_handshake_timeout=handshake_seconds,
        )

    def _stop_listening(self) -> None:
        for listener in self._listeners:
            listener.close()
        self._listeners.clear()
