"""One RTMP peer on the event loop: feeds its connection, drains events to the sink, sends, keeps the timer.

Rule: no protocol in here. Every path ends in `_after`: events to the sink, answers to the wire, then the end or the
timer.
"""

import asyncio
from collections.abc import Callable
from functools import partial
from typing import cast

import structlog

from domain.refusals import Refusal
from ingest.rtmp.commands import FAILED
from ingest.rtmp.connection import RtmpConnection
from ingest.rtmp.events import (
    EndReason,
    Event,
    MediaReceived,
    MetadataReceived,
    PublishEnded,
    PublishRequested,
    TrackConfigured,
    UnsupportedCodec,
    Warned,
)
from ingest.rtmp.open_peers import OpenPeers
from ingest.rtmp.publishing import PublishHandler, PublishRequest, PublishSink
from ingest.rtmp.reading import Reading
from ingest.rtmp.refusal_status import status_of
from ingest.rtmp.rounds import Rounds
from ingest.rtmp.settings import RtmpSettings
from ingest.rtmp.states import State

log = structlog.get_logger()

# Answers are a few hundred bytes, acknowledgements 16 a megabyte or two: who lets this much pile up does not read.
_MAX_UNSENT_BYTES = 64 * 1024


class RtmpPeer(asyncio.Protocol):
    """The protocol object of one accepted socket."""

    def __init__(
        self,
        settings: RtmpSettings,
        publishes: PublishHandler,
        peers: "OpenPeers[RtmpPeer]",
        rounds: Rounds,
        *,
        secure: bool,
    ) -> None:
        self._settings = settings
        self._publishes = publishes
        self._peers = peers
        self._secure = secure
        self._loop = asyncio.get_running_loop()
        self._connection = RtmpConnection(self._loop.time(), settings.timeouts, settings.bit_rate)
        self._transport: asyncio.Transport | None = None
        self._address = ""
        self._sink: PublishSink | None = None
        self._publish = 0  # number of the publish on this connection: an old one's handles do nothing
        self._admission: asyncio.Task[None] | None = None
        self._close_wish: tuple[str, str] | None = None  # of somebody who closes what is not decided yet
        self._reading = Reading(rounds, self._read)
        self._ending = False
        self._timer: asyncio.TimerHandle | None = None

    @property
    def _error(self) -> str | None:
        return str(self._connection.error) if self._connection.error else None

    @property
    def publishing(self) -> bool:
        """Whether a publish is on."""
        return self._connection.state is State.PUBLISHING

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        peer_name = transport.get_extra_info("peername")
        self._address = str(peer_name[0]) if peer_name else ""
        if not self._peers.join(self, self._address):
            log.warning("rtmp_too_many_connections", address=self._address)
            self._ending = True
            self._transport.abort()
            return
        self._reading.begin(self._transport)
        self._transport.set_write_buffer_limits(high=_MAX_UNSENT_BYTES)
        self._after([])

    def data_received(self, data: bytes) -> None:
        self._read(data, True)

    def eof_received(self) -> bool:
        return False  # the transport closes, and connection_lost follows

    def connection_lost(self, exc: Exception | None) -> None:
        del exc
        self._peers.leave(self)
        self._transport = None
        self._ending = True
        self._disarm()
        self._reading.rest(lambda data: self._tell(self._connection.receive(data, self._loop.time())))
        self._reading.stop()
        self._tell(self._connection.disconnected())

    def pause_writing(self) -> None:
        log.warning("rtmp_peer_does_not_read", address=self._address)
        if self._transport is not None:
            self._transport.abort()

    def close(self, code: str, description: str) -> None:
        """Ends the publish if there is one, telling why, and hangs up."""
        if self.publishing:
            self._after(self._connection.close_publish(code, description))
        elif self._connection.state is State.DECIDING:
            self._close_wish = (code, description)
        else:
            self.abort()

    def ask_to_move(self, address: str) -> bool:
        """Asks the encoder to connect to another node; whether it can."""
        asked = self._connection.ask_to_move(address)
        if asked:
            self._after([])
        return asked

    def abort(self) -> None:
        """Hangs up at once."""
        if self._transport is not None:
            self._transport.abort()

    def _read(self, data: bytes, empty: bool) -> None:
        if self._ending:
            return
        events = self._connection.receive(data, self._loop.time()) if data else []
        if empty:
            self._connection.acknowledge()
        self._after(events)

    def _after(self, events: list[Event]) -> None:
        self._tell(events)
        transport = self._transport
        if transport is None:
            return
        data = self._connection.data_to_send()
        if data:
            transport.write(data)
        state = self._connection.state
        if state is State.CLOSED:
            self._end(transport)
        elif self._timer is None or state is not State.PUBLISHING:  # while publishing a deadline only moves away
            self._arm()

    def _tell(self, events: list[Event]) -> None:
        """Hands events on. A sink that fails loses its publish; the others and the loop go on."""
        try:
            for event in events:
                self._tell_one(event)
        except Exception:
            log.exception("rtmp_sink_failed", address=self._address)
            sink, self._sink = self._sink, None
            if self.publishing:
                self._connection.close_publish(FAILED, "The server failed.")
            if sink is not None:
                self._loop.call_soon(sink.ended, EndReason.CLOSED)

    def _tell_one(self, event: Event) -> None:
        sink = self._sink
        if isinstance(event, PublishRequested):
            self._reading.pause()
            self._admission = self._loop.create_task(self._admit(event))
        elif sink is None:
            return
        elif isinstance(event, MediaReceived):
            sink.packet(event.packet)
        elif isinstance(event, TrackConfigured):
            self._arm()  # with the first media, silence counts: it may be due sooner than the first frame was
            sink.track(event.track)
        elif isinstance(event, MetadataReceived):
            sink.metadata(event.metadata)
        elif isinstance(event, Warned):
            log.warning("rtmp_encoder_warned", address=self._address, code=event.code, said=event.description)
            sink.warned(event.code, event.facts)
        elif isinstance(event, UnsupportedCodec):
            sink.unsupported(event.codec, event.reason)
        elif isinstance(event, PublishEnded):
            self._sink = None
            self._reading.resume()
            log.info("rtmp_publish_ended", address=self._address, reason=event.reason, error=self._error)
            sink.ended(event.reason)

    async def _admit(self, event: PublishRequested) -> None:
        self._publish += 1
        sink, (code, description) = await self._decision(event)
        self._admission = None
        if self._connection.closed:  # it went away meanwhile
            if sink is not None:
                sink.ended(EndReason.DISCONNECTED)
            return
        wish = self._taken_wish()
        if sink is not None and wish is not None:
            code, description = wish
            sink.ended(EndReason.CLOSED)
            sink = None
        events: list[Event] = []
        if sink is None or self._secure:
            self._reading.resume()
        else:
            self._reading.in_rounds()
        if sink is None:
            log.info("rtmp_publish_refused", address=self._address, app=event.app, status=code, said=description)
            self._connection.refuse_publish(event.stream_id, code, description)
        else:
            log.info("rtmp_publish_accepted", address=self._address, app=event.app, encoder=event.encoder)
            self._sink = sink
            events = self._connection.accept_publish(event.stream_id, self._loop.time())
        self._after(events)

    def _taken_wish(self) -> tuple[str, str] | None:
        wish, self._close_wish = self._close_wish, None
        return wish

    async def _decision(self, event: PublishRequested) -> tuple[PublishSink | None, tuple[str, str]]:
        """The sink, or what to tell the encoder instead."""
        try:
            async with asyncio.timeout(self._settings.admission_seconds):
                return await self._publishes.admit(self._request(event)), ("", "")
        except Refusal as refusal:
            return None, status_of(refusal)
        except TimeoutError:
            log.error("rtmp_admission_too_slow", address=self._address)
            return None, (FAILED, "The server is too busy, try again.")
        except Exception:
            log.exception("rtmp_admission_failed", address=self._address)
            return None, (FAILED, "The server failed, try again.")

    def _request(self, event: PublishRequested) -> PublishRequest:
        number = self._publish
        return PublishRequest(
            app=event.app,
            key=event.key,
            encoder=event.encoder,
            address=self._address,
            secure=self._secure,
            tc_url=event.tc_url,
            close=partial(self._soon, number, self.close),
            catch_up=partial(self._catch_up, number),
        )

    def _soon(self, publish: int, act: Callable[..., None], *arguments: str) -> None:
        """A handle's call, made from the loop, not within the sink's own method, and only while its publish lasts."""

        def call() -> None:
            if publish == self._publish and not self._ending:
                act(*arguments)

        self._loop.call_soon(call)

    def _catch_up(self, publish: int) -> None:
        if publish == self._publish and not self._ending:
            self._reading.rest(lambda data: self._read(data, False))

    def _end(self, transport: asyncio.Transport) -> None:
        """All is said: no more is sent, what still comes is dropped, and soon the socket is closed."""
        self._ending = True
        self._disarm()
        if self._connection.error is not None:
            log.info("rtmp_peer_broke_rules", address=self._address, error=self._error)
        self._reading.resume()  # what comes is dropped: unread, the peer's end would never be seen
        if not transport.can_write_eof():
            transport.close()
            return
        try:
            transport.write_eof()
        except OSError:  # the peer has hung up, and we have not read that yet
            transport.abort()
        else:
            self._timer = self._loop.call_later(self._settings.linger_seconds, transport.abort)

    def _arm(self) -> None:
        """The timer may fire too early, never too late: a deadline that moved away costs nothing until then."""
        deadline = self._connection.next_deadline()
        if deadline is None:
            self._disarm()
        elif self._timer is None or deadline < self._timer.when():
            self._disarm()
            self._timer = self._loop.call_at(deadline, self._on_timer)

    def _disarm(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _on_timer(self) -> None:
        self._timer = None
        self._after(self._connection.handle_timer(self._loop.time()))
