"""The RTMP server: listeners for plain RTMP and rtmps, and the peers they bring.

Rule: sockets only. Who may publish is the handler's to say, what bytes mean is `connection.py`'s.
"""

import asyncio
import errno
from collections.abc import Awaitable, Callable

import structlog

from ingest.rtmp.certificate import Certificate
from ingest.rtmp.commands import FAILED
from ingest.rtmp.open_peers import OpenPeers
from ingest.rtmp.peer import RtmpPeer
from ingest.rtmp.publishing import PublishHandler
from ingest.rtmp.rounds import Rounds
from ingest.rtmp.settings import RtmpSettings
from ingest.rtmp.tls_door import TlsDoor

log = structlog.get_logger()

_NO_IPV6 = (errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT)


class RtmpServer:
    """Listens from `start` to `stop`."""

    def __init__(
        self, settings: RtmpSettings, publishes: PublishHandler, certificate: Certificate | None = None
    ) -> None:
        self._settings = settings
        self._publishes = publishes
        self._certificate = certificate
        self._peers: OpenPeers[RtmpPeer] = OpenPeers(settings.connections, settings.connections_per_address)
        self._rounds = Rounds(asyncio.get_running_loop())
        self._listeners: list[asyncio.Server | TlsDoor] = []
        self._looking: asyncio.Task[None] | None = None
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
            self.port = await self._listen(self.port, self._open)
            if self._certificate is not None and self.tls_port is not None:
                self.tls_port = await self._listen(self.tls_port, self._open_secure)
                self._looking = asyncio.get_running_loop().create_task(self._look_at(self._certificate))
        except OSError:
            self._stop_listening()
            raise
        log.info("rtmp_listening", hosts=self._settings.hosts, port=self.port, tls_port=self.tls_port)

    async def stop(self) -> None:
        """Listens no more, asks encoders that can to move, tells the others the end, and hangs up within the linger
        time.
        """
        self._stop_listening()
        empty = asyncio.Event()
        self._peers.on_empty = empty.set
        moving = 0
        for peer in self._peers:
            if peer.ask_to_move(self._settings.reconnect_url):
                moving += 1
            else:
                self._end(peer)
        if moving:
            log.info("rtmp_encoders_asked_to_move", encoders=moving)
            await self._until(empty, self._settings.reconnect_seconds)
            for peer in self._peers:
                self._end(peer)
        if len(self._peers) and not await self._until(empty, self._settings.linger_seconds + 1):
            for peer in self._peers:
                peer.abort()
            await empty.wait()

    @staticmethod
    def _end(peer: RtmpPeer) -> None:
        peer.close(FAILED, "The server is stopping, connect again in a moment.")

    @staticmethod
    async def _until(empty: asyncio.Event, seconds: float) -> bool:
        """Whether all have left in time."""
        try:
            async with asyncio.timeout(seconds):
                await empty.wait()
        except TimeoutError:
            return False
        return True

    async def _listen(self, port: int, open_one: Callable[[str, int], Awaitable[int]]) -> int:
        """Opens one listener a host; their port. Raises OSError."""
        bound = port
        count = len(self._listeners)
        for host in self._settings.hosts:
            try:
                bound = await open_one(host, bound)
            except OSError as error:
                if ":" not in host or error.errno not in _NO_IPV6:
                    raise
                log.warning("rtmp_no_ipv6", host=host, error=str(error))
        if len(self._listeners) == count:
            raise OSError(
                errno.EADDRNOTAVAIL, f"none of {', '.join(self._settings.hosts)} is an address of this machine"
            )
        return bound

    async def _open(self, host: str, port: int) -> int:
        loop = asyncio.get_running_loop()
        server = await loop.create_server(
            lambda: self._new_peer(secure=False), host, port, reuse_port=self._settings.shared or None
        )
        self._listeners.append(server)
        return int(server.sockets[0].getsockname()[1])

    async def _open_secure(self, host: str, port: int) -> int:
        assert self._certificate is not None
        door = await TlsDoor.open(
            host,
            port,
            self._certificate.context,
            self._peers,
            lambda: self._new_peer(secure=True),
            self._settings.timeouts.handshake_seconds,
            shared=self._settings.shared,
        )
        self._listeners.append(door)
        return door.port

    def _new_peer(self, *, secure: bool) -> RtmpPeer:
        return RtmpPeer(self._settings, self._publishes, self._peers, self._rounds, secure=secure)

    async def _look_at(self, certificate: Certificate) -> None:
        while True:
            await asyncio.sleep(self._settings.certificate_look_seconds)
            await asyncio.to_thread(certificate.refresh)

    def _stop_listening(self) -> None:
        if self._looking is not None:
            self._looking.cancel()
        for listener in self._listeners:
            listener.close()
        self._listeners.clear()
