"""One publishing peer from its admitted offer to its end: connects, hands media to the sink, keeps its times.

Rule: every end goes through `_end`, once, with a reason of `EndReason`; the sockets are closed whatever happens.
"""

import asyncio
import secrets
from collections.abc import Callable
from typing import ParamSpec

import structlog

from ingest.rtmp.bit_rate import BitRate, Judgement
from ingest.rtmp.events import EndReason
from ingest.whip.answer import Local, write_answer
from ingest.whip.choice import Choice
from ingest.whip.offer import Fragment
from ingest.whip.receiver import TICK_SECONDS, Receiver, UnsupportedMedia
from ingest.whip.settings import WhipSettings
from ingest.whip.sink import PublishSink
from ingest.whip.transport import MediaTransport

log = structlog.get_logger()
_P = ParamSpec("_P")


class WhipPeer:
    """`gone` is told when all is over and closed."""

    def __init__(self, settings: WhipSettings, choice: Choice, sink: PublishSink, gone: Callable[[], object]) -> None:
        self._settings = settings
        self._choice = choice
        self._sink: PublishSink | None = sink
        self._gone = gone
        self._loop = asyncio.get_running_loop()
        self._transport = MediaTransport(
            settings.hosts, settings.announced_hosts, (settings.port_first, settings.port_last)
        )
        self._receiver = Receiver(
            choice,
            sink,
            own_ssrc=secrets.randbits(32),
            keyframe_seconds=settings.keyframe_seconds,
            now=self._loop.time(),
        )
        self._bit_rate = BitRate(settings.bit_rate, self._loop.time())
        self._reason: EndReason | None = None
        self._stopping = asyncio.Event()
        self._work: asyncio.Task[None] | None = None
        self._flushes: set[asyncio.Task[None]] = set()

    async def answer(self) -> str:
        """Opens the sockets; the answer to the offer. Raises NoPort, TimeoutError."""
        async with asyncio.timeout(self._settings.gather_seconds):
            await self._transport.gather()
        transport = self._transport
        return write_answer(
            self._choice,
            Local(
                username=transport.username,
                password=transport.password,
                candidates=transport.candidates,
                fingerprint=transport.fingerprint,
                setup="active" if self._is_client else "passive",
                session=secrets.randbits(62),
                start_kbps=self._settings.start_kbps,
            ),
        )

    def start(self) -> None:
        """Begins to connect, in the background."""
        self._work = self._loop.create_task(self._run())

    @property
    def _is_client(self) -> bool:
        """DTLS's client is who must not wait: us only if the peer will not."""
        return self._choice.offer.setup == "passive"

    def is_same_ice(self, fragment: Fragment) -> bool:
        """Whether a trickled fragment belongs to this ICE session, and is not the wish for a new one."""
        ice = self._choice.offer.ice
        return (fragment.username, fragment.password) == (ice.username, ice.password)

    async def trickle(self, fragment: Fragment) -> None:
        """More of the peer's addresses."""
        await self._transport.add_candidates(fragment.candidates)

    def stop(self, reason: EndReason) -> None:
        """Ends the publish soon; may be called at any time, twice, and from within the sink."""
        self._reason = self._reason or reason
        self._stopping.set()
        if self._work is None:
            self.start()

    async def stopped(self) -> None:
        """Returns when all is closed."""
        if self._work is not None:
            await asyncio.wait({self._work})

    async def _run(self) -> None:
        try:
            reason = await self._connected() or await self._publishing()
        except Exception:
            log.exception("whip_peer_failed")
            reason = EndReason.CLOSED
        self._end(self._reason or reason)
        for task in self._flushes:
            task.cancel()
        try:
            await self._transport.close()
        except Exception:
            log.exception("whip_close_failed")
        self._gone()

    async def _connected(self) -> EndReason | None:
        """None once media can come."""
        offer = self._choice.offer
        connecting = self._loop.create_task(
            self._transport.connect(
                offer.ice,
                offer.fingerprints,
                remote_is_lite=offer.ice_lite,
                client=self._is_client,
                heard_rtp=self._heard_rtp,
                heard_rtcp=self._heard_rtcp,
            )
        )
        stopping = self._loop.create_task(self._stopping.wait())
        try:
            await asyncio.wait(
                {connecting, stopping}, timeout=self._settings.connect_seconds, return_when=asyncio.FIRST_COMPLETED
            )
        finally:
            stopping.cancel()
            if not connecting.done():
                connecting.cancel()
        if self._stopping.is_set():
            return EndReason.CLOSED
        connected = connecting.done() and not connecting.cancelled() and connecting.result()
        log.info("whip_connected" if connected else "whip_not_connected")
        return None if connected else EndReason.DISCONNECTED

    async def _publishing(self) -> EndReason:
        """Ticks until something ends it."""
        transport, receiver = self._transport, self._receiver
        begun = heard_at = self._loop.time()
        heard = -1
        while True:
            now = self._loop.time()
            if heard != transport.datagrams:
                heard, heard_at = transport.datagrams, now
            if reason := self._over(now, begun, heard_at):
                return reason
            self._guarded(receiver.tick, now)
            if packets := receiver.data_to_send():
                await transport.send_rtcp(packets)
            await asyncio.sleep(TICK_SECONDS)

    def _over(self, now: float, begun: float, heard_at: float) -> EndReason | None:
        settings = self._settings
        if self._stopping.is_set():
            return self._reason or EndReason.CLOSED
        if self._transport.over.is_set():
            return EndReason.UNPUBLISHED
        if now - heard_at >= settings.silence_seconds:
            return EndReason.DISCONNECTED
        if now - (self._receiver.media_at or begun) >= settings.first_media_seconds:
            return EndReason.SILENT
        return None

    def _heard_rtp(self, data: bytes) -> None:
        if self._sink is None or self._stopping.is_set():
            return
        now = self._loop.time()
        if self._bit_rate.count(len(data), now) is Judgement.TOO_HIGH:
            log.warning("whip_too_much", said=self._bit_rate.complaint())
            self.stop(EndReason.BROKE_RULES)
            return
        self._guarded(self._receiver.rtp, data, now)
        if packets := self._receiver.data_to_send():  # only what cannot wait for the tick
            task = self._loop.create_task(self._transport.send_rtcp(packets))
            self._flushes.add(task)
            task.add_done_callback(self._flushes.discard)

    def _heard_rtcp(self, data: bytes) -> None:
        if self._sink is not None:
            self._guarded(self._receiver.rtcp, data, self._loop.time())

    def _guarded(self, act: Callable[_P, None], *arguments: _P.args, **named: _P.kwargs) -> None:
        """What the peer sends, or a sink that fails, ends this publish and nothing else."""
        try:
            act(*arguments, **named)
        except UnsupportedMedia as found:
            if self._sink is not None:
                self._sink.unsupported(found.codec, found.reason)
            self.stop(EndReason.UNSUPPORTED)
        except Exception:
            log.exception("whip_sink_failed")
            self.stop(EndReason.CLOSED)

    def _end(self, reason: EndReason) -> None:
        sink, self._sink = self._sink, None
        if sink is None:
            return
        log.info("whip_publish_ended", reason=reason, losses=self._receiver.losses)
        try:
            sink.ended(reason)
        except Exception:
            log.exception("whip_sink_failed")
