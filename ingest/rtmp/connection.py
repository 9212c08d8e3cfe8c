"""One publisher's RTMP connection without any I/O: bytes and time in, events and bytes out.

Rule: no socket and no clock in here. `receive` and `handle_timer` never raise for what a peer does: a broken rule ends
the connection, `error` says what it was, and whoever owns the connection sends what is left and hangs up once `closed`
is true. Times are seconds of any one monotonic clock.
"""

from collections.abc import Iterator

from ingest.rtmp import messages
from ingest.rtmp.bit_rate import BitRate, Judgement
from ingest.rtmp.chunks import WRAP, ChunkReader, Message
from ingest.rtmp.commands import ACK_WINDOW_BYTES, FAILED, Dialogue
from ingest.rtmp.errors import MisuseError, PeerError
from ingest.rtmp.events import (
    EndReason,
    Event,
    MetadataReceived,
    PublishEnded,
    PublishRequested,
    TrackConfigured,
    UnsupportedCodec,
    Warned,
)
from ingest.rtmp.flv import MediaReader
from ingest.rtmp.handshake import Handshake
from ingest.rtmp.limits import (
    MAX_AUDIO_BYTES,
    MAX_HELD_BYTES,
    MAX_STRANGER_BYTES,
    MAX_VIDEO_BYTES,
    BitRateLimits,
    Timeouts,
)
from ingest.rtmp.replies import Replies
from ingest.rtmp.states import Move, State

_MEDIA = (messages.VIDEO, messages.AUDIO)
_STRANGER_LIMITS: dict[int, int] = {}
_PUBLISHER_LIMITS = {
    messages.AUDIO: MAX_AUDIO_BYTES,
    messages.VIDEO: MAX_VIDEO_BYTES,
    messages.AGGREGATE: MAX_VIDEO_BYTES,
}


class RtmpConnection:
    """The server's end of one connection."""

    def __init__(
        self,
        now: float,
        timeouts: Timeouts | None = None,
        bit_rate: BitRateLimits | None = None,
        *,
        random: bytes | None = None,
    ) -> None:
        """`random`: the handshake's 1528 bytes, for tests."""
        self.error: PeerError | None = None
        self._timeouts = timeouts or Timeouts()
        self._replies = Replies()
        self._dialogue = Dialogue(self._replies)
        self._handshake = Handshake(random)
        self._reader = ChunkReader(_STRANGER_LIMITS)
        self._media = MediaReader()
        self._bit_rate_limits = bit_rate or BitRateLimits()
        self._bit_rate = BitRate(self._bit_rate_limits, now)
        self._held: Iterator[Message] = iter(())  # behind a publish that is not decided yet,
        self._waiting: list[bytes] = []  # and what came after that
        self._known = False  # a publish was admitted once
        self._received = self._acknowledged = 0
        self._window = ACK_WINDOW_BYTES
        self._since = now  # of the wait that the state stands for: connection, admission, end of a publish
        self._heard_at = now
        self._pinged_at = now
        self._media_at: float | None = None

    @property
    def state(self) -> State:
        """Where the connection is in its life."""
        return self._dialogue.state

    @property
    def closed(self) -> bool:
        """Whether to hang up once `data_to_send` is sent."""
        return self._dialogue.state is State.CLOSED

    def receive(self, data: bytes, now: float) -> list[Event]:
        """What `data` brings. `data` must not change afterwards: packets are views into it."""
        events: list[Event] = []
        state = self._dialogue.state
        if state is State.CLOSED:
            return events
        self._heard_at = now
        self._received += len(data)
        try:
            if state is State.PUBLISHING:  # the way of nearly every read
                self._judge(self._bit_rate.count(len(data), now), events)
                self._handle(self._reader.receive(data), now, events)
            else:
                self._take(data, now, events)
        except PeerError as error:
            self._fail(error, EndReason.BROKE_RULES, events)
        return events

    def acknowledge(self) -> None:
        """Acknowledges what was received, when the window asks for it. To be called when nothing more is there to be
        read: an encoder that hangs up with media still on its side of the line loses it to any word of ours that comes
        after.
        """
        if self._received - self._acknowledged >= self._window and self.state is not State.CLOSED:
            self._acknowledged = self._received
            self._replies.control(messages.ACKNOWLEDGEMENT, self._received % WRAP)

    def data_to_send(self) -> bytes:
        """What is to be sent by now, once."""
        return self._replies.take()

    def accept_publish(self, stream_id: int, now: float) -> list[Event]:
        """Lets the publish begin; what the encoder sent behind it follows. Raises MisuseError if none was asked for."""
        self._check_deciding(stream_id)
        self._dialogue.accept()
        self._known = True
        self._reader.limits = _PUBLISHER_LIMITS
        self._media = MediaReader()
        self._bit_rate = BitRate(self._bit_rate_limits, now)
        self._since, self._media_at = now, None
        self._heard_at = self._pinged_at = now
        waiting, self._waiting = self._waiting, []
        events: list[Event] = []
        try:
            self._handle(self._held, now, events)
            for data in waiting:
                self._feed(data, now, events)
        except PeerError as error:
            self._fail(error, EndReason.BROKE_RULES, events)
        return events

    def refuse_publish(self, stream_id: int, code: str, description: str) -> None:
        """Tells the encoder no, and why; the connection closes. Raises MisuseError if no publish was asked for."""
        self._check_deciding(stream_id)
        self._dialogue.close(code, description)

    def close_publish(self, code: str, description: str) -> list[Event]:
        """Ends an accepted publish from our side; the connection closes. Raises MisuseError if there is none."""
        if self.state is not State.PUBLISHING:
            reason = f"close_publish while {self.state}"
            raise MisuseError(reason)
        self._dialogue.close(code, description)
        return [PublishEnded(EndReason.CLOSED)]

    def ask_to_move(self, address: str) -> bool:
        """Asks the encoder to publish elsewhere, or here again; whether it can, by what it said at `connect`."""
        return self._dialogue.ask_to_move(address)

    def disconnected(self) -> list[Event]:
        """The peer is gone."""
        if self.closed:
            return []
        publishing = self.state is State.PUBLISHING
        self._dialogue.move(Move.CLOSE)
        return [PublishEnded(EndReason.DISCONNECTED)] if publishing else []

    def next_deadline(self) -> float | None:
        """When to call `handle_timer`, if nothing else happens before."""
        state = self.state
        if state in (State.CLOSED, State.DECIDING):
            return None
        if state is State.HANDSHAKE:
            return self._since + self._timeouts.handshake_seconds
        if state is not State.PUBLISHING:
            return self._since + self._timeouts.publish_seconds
        ping_at = max(self._heard_at, self._pinged_at) + self._timeouts.ping_seconds
        return min(self._media_deadline(), ping_at)

    def handle_timer(self, now: float) -> list[Event]:
        """Does what is due at `now`; calling it early does nothing."""
        events: list[Event] = []
        deadline = self.next_deadline()
        if deadline is None or now < deadline:
            return events
        if self.state is not State.PUBLISHING:
            self._fail(PeerError(f"no progress from {self.state} in time"), EndReason.BROKE_RULES, events)
        elif now >= self._media_deadline():
            self._fail(PeerError("no audio or video in time"), EndReason.SILENT, events)
        else:
            self._pinged_at = now
            self._replies.event(messages.PING_REQUEST, int(now * 1000) % WRAP)
        return events

    def _media_deadline(self) -> float:
        if self._media_at is None:
            return self._since + self._timeouts.first_frame_seconds
        return self._media_at + self._timeouts.silence_seconds

    def _check_deciding(self, stream_id: int) -> None:
        if self.state is not State.DECIDING or stream_id != self._dialogue.stream_id:
            reason = f"no publish on stream {stream_id} waits for a decision ({self.state})"
            raise MisuseError(reason)

    def _fail(self, error: PeerError, ended: EndReason, events: list[Event]) -> None:
        self.error = error
        if self.state is State.PUBLISHING:
            self._dialogue.close(FAILED, f"{error}.")
            events.append(PublishEnded(ended))
        elif self.state is not State.CLOSED:
            self._dialogue.move(Move.CLOSE)

    def _judge(self, judgement: Judgement, events: list[Event]) -> None:
        if judgement is Judgement.HIGH:
            self._warn(self._bit_rate.warning(), events)
        elif judgement is Judgement.TOO_HIGH:
            raise PeerError(self._bit_rate.complaint())

    def _take(self, data: bytes, now: float, events: list[Event]) -> None:
        if not self._known and self._received > MAX_STRANGER_BYTES and self.state is not State.DECIDING:
            reason = f"more than {MAX_STRANGER_BYTES} bytes before a publish"
            raise PeerError(reason)
        if self.state is State.HANDSHAKE:
            rest = self._handshake.receive(data)
            self._replies.raw(self._handshake.take_reply())
            if rest is None:
                return
            self._dialogue.move(Move.SHAKE)
            data = rest
        self._feed(data, now, events)

    def _feed(self, data: bytes, now: float, events: list[Event]) -> None:
        if self.state is not State.DECIDING:
            self._handle(self._reader.receive(data), now, events)
            return
        self._waiting.append(data)
        if sum(map(len, self._waiting)) > MAX_HELD_BYTES:
            reason = f"more than {MAX_HELD_BYTES} bytes behind a publish that is not decided"
            raise PeerError(reason)

    def _handle(self, received: Iterator[Message], now: float, events: list[Event]) -> None:
        """Stops where a publish has to be decided: what is behind it is read under the limits that hold then."""
        dialogue = self._dialogue
        for message in received:
            if message.kind in _MEDIA and dialogue.state is State.PUBLISHING:
                self._media_message(message, now, events)
            else:
                self._other_message(message, now, events)
            state = dialogue.state
            if state is State.DECIDING:
                self._held = received
                return
            if state is State.CLOSED:
                return

    def _media_message(self, message: Message, now: float, events: list[Event]) -> None:
        self._media_at = now
        read = self._media.video if message.kind == messages.VIDEO else self._media.audio
        event = read(message.payload, message.timestamp)
        while self._media.warnings:
            self._warn(self._media.warnings.pop(0), events)
        if event is None:
            return
        if self._media.changed is not None:
            events.append(TrackConfigured(self._media.changed))
            self._media.changed = None
        events.append(event)
        if isinstance(event, UnsupportedCodec):
            self._dialogue.close(FAILED, event.reason)
            events.append(PublishEnded(EndReason.UNSUPPORTED))

    def _warn(self, warning: Warned, events: list[Event]) -> None:
        self._dialogue.warn(warning.description)
        events.append(warning)

    def _other_message(self, message: Message, now: float, events: list[Event]) -> None:
        kind = message.kind
        if kind in (messages.COMMAND, messages.COMMAND_AMF3):
            outcome = self._dialogue.handle(messages.read_command(message), message.stream_id)
            if isinstance(outcome, PublishRequested):
                events.append(outcome)
            elif outcome is not None:
                self._since = now
                events.append(PublishEnded(EndReason.UNPUBLISHED))
        elif kind in (messages.DATA, messages.DATA_AMF3):
            self._data_message(message, events)
        elif kind == messages.AGGREGATE:
            self._handle(iter(messages.split_aggregate(message)), now, events)
        elif kind == messages.WINDOW_ACK_SIZE:
            self._window = messages.read_uint32(message.payload) or self._window
        elif kind == messages.USER_CONTROL:
            event, value = messages.read_user_control(message.payload)
            if event == messages.PING_REQUEST:
                self._replies.event(messages.PING_RESPONSE, value)

    def _data_message(self, message: Message, events: list[Event]) -> None:
        if self.state is not State.PUBLISHING:
            return
        values = messages.read_values(message)
        if values[:1] == ["@setDataFrame"]:
            values = values[1:]
        if len(values) > 1 and values[0] == "onMetaData" and isinstance(values[1], dict):
            events.append(MetadataReceived(values[1]))
