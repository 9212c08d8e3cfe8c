"""ICE, DTLS and SRTP of one peer, by aiortc and aioice; media comes out decrypted, datagram by datagram.

Rule: the only file that touches what aiortc keeps to itself. Its receivers always decode and start a thread each, so
none is made: decrypted datagrams go to `heard_rtp` and `heard_rtcp`, straight from the socket's callback.
"""

import asyncio
import random
import socket
from collections.abc import Callable
from typing import Any, cast

import pylibsrtp
import structlog
from aioice.candidate import Candidate, candidate_foundation, candidate_priority
from aioice.ice import StunProtocol
from aiortc import RTCCertificate, RTCDtlsTransport, RTCIceGatherer, RTCIceTransport
from aiortc.rtcdtlstransport import RTCDtlsFingerprint, RTCDtlsParameters
from aiortc.rtcicetransport import RTCIceParameters
from aiortc.sdp import candidate_from_sdp

from ingest.whip.offer import Fragment

log = structlog.get_logger()

_RECEIVE_BUFFER_BYTES = 1 << 20
"""A key frame of a publisher at 20 Mbit/s, ten times over, while the loop is busy."""
_PORT_TRIES = 64
Heard = Callable[[bytes], None]


class NoPort(Exception):  # noqa: N818 - a lack, not a fault
    """No socket for media could be opened at any of our addresses."""


class MediaTransport:
    """One peer's. Usual order: `gather`, `connect`, then datagrams, `close`."""

    def __init__(self, hosts: tuple[str, ...], announced: tuple[str, ...], ports: tuple[int, int]) -> None:
        self._hosts = hosts
        self._announced = announced
        self._ports = ports
        gatherer = RTCIceGatherer(iceServers=[])
        self._gatherer = gatherer
        self._ice = RTCIceTransport(gatherer)
        self._certificate = RTCCertificate.generateCertificate()
        self._dtls = RTCDtlsTransport(self._ice, [self._certificate])
        self._connection = cast(Any, gatherer._connection)
        self._connection.get_component_candidates = self._candidates
        self._queued: Callable[[bytes, int], None] = self._connection.data_received
        self._connection.data_received = self._datagram
        self._heard_rtp: Heard = _unheard
        self._heard_rtcp: Heard = _unheard
        self.over = asyncio.Event()
        """Set when the peer has hung up (DTLS), or ICE has lost it."""
        self.datagrams = 0
        """Received so far, decrypted."""

    @property
    def username(self) -> str:
        return str(self._connection.local_username)

    @property
    def password(self) -> str:
        return str(self._connection.local_password)

    @property
    def fingerprint(self) -> tuple[str, str]:
        """(algorithm, value) of our certificate."""
        first = self._certificate.getFingerprints()[0]
        return first.algorithm, first.value

    @property
    def candidates(self) -> list[str]:
        """Ours, as an answer says them."""
        return [candidate.to_sdp() for candidate in self._connection.local_candidates]

    async def gather(self) -> None:
        """Opens the sockets. Raises NoPort."""
        await self._gatherer.gather()
        if not self._connection.local_candidates:
            raise NoPort

    async def add_candidates(self, candidates: tuple[str, ...]) -> None:
        """The peer's; those that cannot be used are passed over (RFC 9725 §4.3.1). Names (mDNS) are not looked up:
        the peer's own checks show its address.
        """
        for text in candidates:
            try:
                candidate = candidate_from_sdp(text)
                usable = candidate.protocol.lower() == "udp" and not candidate.ip.endswith(".local")
                if usable and candidate.component == 1:
                    await self._ice.addRemoteCandidate(candidate)
            except (ValueError, AssertionError, IndexError) as error:
                log.info("whip_candidate_passed_over", error=str(error))

    async def connect(
        self,
        remote: Fragment,
        fingerprints: tuple[tuple[str, str], ...],
        *,
        remote_is_lite: bool,
        client: bool,
        heard_rtp: Heard,
        heard_rtcp: Heard,
    ) -> bool:
        """ICE, then DTLS as its client or server; False when either fails."""
        self._heard_rtp, self._heard_rtcp = heard_rtp, heard_rtcp
        self._connection.ice_controlling = remote_is_lite
        await self.add_candidates(remote.candidates)
        await self._ice.start(RTCIceParameters(remote.username, remote.password, remote_is_lite))
        if self._ice.state != "completed":
            return False
        self._dtls._set_role("client" if client else "server")
        self._dtls.on("statechange", self._state_changed)
        prints = [RTCDtlsFingerprint(algorithm, value) for algorithm, value in fingerprints]
        await self._dtls.start(RTCDtlsParameters(prints, "auto"))
        return self._dtls.state == "connected"

    async def send_rtcp(self, packets: list[bytes]) -> None:
        """Encrypts and sends; nothing when the peer is gone."""
        try:
            for packet in packets:
                await self._dtls._send_rtp(packet)
        except (ConnectionError, OSError) as error:
            log.info("whip_send_failed", error=str(error))

    async def close(self) -> None:
        """Says goodbye (DTLS close_notify) and closes the sockets."""
        self._heard_rtp = self._heard_rtcp = _unheard
        await self._dtls.stop()
        await self._ice.stop()

    def _state_changed(self) -> None:
        if self._dtls.state in ("closed", "failed"):
            self.over.set()

    def _datagram(self, data: bytes, component: int) -> None:
        """From the socket: media is decrypted and heard here and now, DTLS takes aiortc's way."""
        srtp = self._dtls._rx_srtp
        if srtp is None or not 127 < data[0] < 192:
            if data:
                self._queued(data, component)
            return
        try:
            if len(data) > 1 and 192 <= data[1] <= 223:  # RFC 5761 §4
                plain, heard = srtp.unprotect_rtcp(data), self._heard_rtcp
            else:
                plain, heard = srtp.unprotect(data), self._heard_rtp
        except pylibsrtp.Error:
            return  # not from our peer, or a copy of what came already
        self.datagrams += 1
        heard(plain)

    async def _candidates(self, component: int, addresses: list[str]) -> list[Any]:
        """Host candidates at our settings' addresses and ports, in place of aioice's any port of any address."""
        hosts = self._hosts or tuple(dict.fromkeys(("127.0.0.1", *addresses)))
        found: list[Any] = []
        for rank, host in enumerate(hosts):
            protocol = await self._open(host)
            if protocol is None:
                continue
            port = protocol.transport.get_extra_info("sockname")[1]
            protocol.local_candidate = _candidate(component, host, port, rank)
            self._connection._protocols.append(protocol)
            found.append(protocol.local_candidate)
        if found:
            found += [_candidate(component, host, found[0].port, 100 + n) for n, host in enumerate(self._announced)]
        return found

    async def _open(self, host: str) -> Any:
        """A socket at this address, on one of our ports; None when there is none."""
        first, last = self._ports
        ports = [0] if not first else random.sample(range(first, last + 1), min(_PORT_TRIES, last - first + 1))
        for port in ports:
            try:
                transport, protocol = await asyncio.get_running_loop().create_datagram_endpoint(
                    lambda: StunProtocol(self._connection), local_addr=(host, port)
                )
            except OSError as error:
                log.debug("whip_port_taken", host=host, port=port, error=str(error))
                continue
            transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _RECEIVE_BUFFER_BYTES)
            return protocol
        log.warning("whip_no_port", host=host, ports=self._ports)
        return None


def _candidate(component: int, host: str, port: int, rank: int) -> Any:
    """A host candidate; earlier addresses are preferred (RFC 8445 §5.1.2)."""
    return Candidate(
        foundation=candidate_foundation("host", "udp", host),
        component=component,
        transport="udp",
        priority=candidate_priority(component, "host", 65535 - rank),
        host=host,
        port=port,
        type="host",
    )


def _unheard(data: bytes) -> None:
    """Before the connection, and after its end."""
