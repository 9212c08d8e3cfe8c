"""The commands that publishers send, and our answers (RTMP 1.0 §7.2; releaseStream, FCPublish and kin from FMLE).

Rule: this is the one place that moves a connection's state. Each encoder calls a subset in its own order; what we do
not know is answered with an error and never ends a connection; only what breaks the order (a publish before connect)
does.
"""

import math
from collections.abc import Callable
from typing import Literal

from ingest.rtmp import enhanced, messages
from ingest.rtmp.address import app_and_key
from ingest.rtmp.amf0 import Value
from ingest.rtmp.chunks import SET_CHUNK_SIZE
from ingest.rtmp.errors import PeerError
from ingest.rtmp.events import PublishRequested
from ingest.rtmp.limits import MAX_NET_STREAMS, MAX_TEXT_CHARACTERS
from ingest.rtmp.messages import Command
from ingest.rtmp.replies import CHUNK_BYTES, Replies
from ingest.rtmp.states import Move, State, moved

ACK_WINDOW_BYTES = 2_500_000  # the value that Flash Media Server used; encoders were tested against it
_DYNAMIC = b"\x02"  # limit type of Set Peer Bandwidth (§5.4.5)
_CAN_FORWARD = 4.0  # FourCcInfoMask of Enhanced RTMP
_RECONNECT, _MOD_EX, _NANOSECONDS = 1, 4, 8  # CapsExMask; multitrack (2) is not offered: one track is all we take
_ASKS_ENHANCED = frozenset(("fourCcList", "videoFourCcInfoMap", "audioFourCcInfoMap", "capsEx"))
_ANSWERS = frozenset(("_result", "_error", "onStatus", "onBWDone"))

BAD_NAME, DENIED, FAILED = "NetStream.Publish.BadName", "NetStream.Publish.Denied", "NetStream.Publish.Failed"
START = "NetStream.Publish.Start"
WARNING = "NetStream.Publish.Warning"
_UNPUBLISHED = "NetStream.Unpublish.Success"

Outcome = PublishRequested | Literal["unpublished"] | None


class Dialogue:
    """One connection's state and the answers to its commands."""

    def __init__(self, replies: Replies) -> None:
        self.state = State.HANDSHAKE
        self.stream_id = 0  # of the publish that is asked for or on
        self._replies = replies
        self._app = self._tc_url = self._encoder = ""
        self._streams: set[int] = set()
        self._wants_notice = False
        self._can_move = False
        self._calls: dict[str, Callable[[Command, int], Outcome]] = {
            "connect": self._connect,
            "createStream": self._create_stream,
            "releaseStream": self._acknowledge,
            "FCPublish": self._fc_publish,
            "publish": self._publish,
            "FCUnpublish": self._fc_unpublish,
            "deleteStream": self._delete_stream,
            "closeStream": self._close_stream,
            "_checkbw": self._acknowledge,
            "getStreamLength": self._stream_length,
            "play": self._play,
            "play2": self._play,
        }

    def move(self, move: Move) -> None:
        """Raises PeerError or MisuseError where the table does not have it."""
        self.state = moved(self.state, move)

    def handle(self, command: Command, stream_id: int) -> Outcome:
        """Answers one command that came on `stream_id`. Raises PeerError."""
        if self.state is State.CONNECTING and command.name != "connect":
            reason = f"{_text(command.name)} before connect"
            raise PeerError(reason)
        call = self._calls.get(command.name)
        if call is not None:
            return call(command, stream_id)
        if command.name not in _ANSWERS:
            description = f"{_text(command.name)} is not known here."
            self._replies.failure(command.transaction, "NetConnection.Call.Failed", description)
        return None

    def accept(self) -> None:
        """Tells the encoder to go ahead."""
        self.move(Move.ACCEPT)
        if self._wants_notice:
            self._replies.notice("onFCPublish", START, "")
        self._replies.event(messages.STREAM_BEGIN, self.stream_id)
        self._replies.status(self.stream_id, "status", START, "Publishing.")

    def warn(self, description: str) -> None:
        """Tells the encoder what it should change; nothing ends by it."""
        self._replies.status(self.stream_id, "warning", WARNING, description)

    def ask_to_move(self, address: str) -> bool:
        """Asks the encoder to connect anew, to `address` or where it is empty as before; whether it can."""
        if not self._can_move or self.state in (State.HANDSHAKE, State.CONNECTING, State.CLOSED):
            return False
        self._replies.reconnect(address, "The server is stopping, connect again.")
        return True

    def close(self, code: str, description: str) -> None:
        """Tells the encoder why its publish, or its wish for one, ends here; the connection closes."""
        self._replies.status(self.stream_id, "error", code, description)
        self.move(Move.CLOSE)

    def _connect(self, command: Command, stream_id: int) -> Outcome:
        del stream_id
        self.move(Move.CONNECT)
        properties = command.argument(0)
        if not isinstance(properties, dict):
            reason = "connect without its properties"
            raise PeerError(reason)
        self._app, self._tc_url = _raw(properties.get("app")), _raw(properties.get("tcUrl"))
        self._encoder = _text(properties.get("flashVer"))
        self._replies.control(messages.WINDOW_ACK_SIZE, ACK_WINDOW_BYTES)
        self._replies.control(messages.SET_PEER_BANDWIDTH, ACK_WINDOW_BYTES, _DYNAMIC)
        self._replies.control(SET_CHUNK_SIZE, CHUNK_BYTES)
        self._replies.event(messages.STREAM_BEGIN, 0)
        information: dict[str, Value] = {
            "level": "status",
            "code": "NetConnection.Connect.Success",
            "description": "Connected.",
            "objectEncoding": 0.0,  # AMF0 from here on, whatever was asked for
        }
        if _ASKS_ENHANCED & properties.keys():
            information |= _enhanced_capabilities()
        can = properties.get("capsEx")
        self._can_move = isinstance(can, float) and math.isfinite(can) and bool(int(can) & _RECONNECT)
        self._replies.result(command.transaction, {"fmsVer": "FMS/3,5,7,7009", "capabilities": 31.0}, information)
        return None

    def _create_stream(self, command: Command, stream_id: int) -> Outcome:
        del stream_id
        if len(self._streams) >= MAX_NET_STREAMS:
            reason = f"more than {MAX_NET_STREAMS} streams"
            raise PeerError(reason)
        number = max(self._streams, default=0) + 1
        self._streams.add(number)
        self._replies.result(command.transaction, None, float(number))
        return None

    def _publish(self, command: Command, stream_id: int) -> Outcome:
        if stream_id not in self._streams:
            reason = f"publish on stream {stream_id}, which was not created"
            raise PeerError(reason)
        if self.state is not State.IDLE:
            self._replies.status(stream_id, "error", BAD_NAME, "This connection publishes already.")
            return None
        app, key = app_and_key(self._app, _raw(command.argument(1)))
        self.move(Move.PUBLISH)
        self.stream_id = stream_id
        if not key:
            self.close(DENIED, "The stream key is missing.")
            return None
        return PublishRequested(stream_id, app, key, self._encoder, self._tc_url)

    def _fc_publish(self, command: Command, stream_id: int) -> Outcome:
        self._wants_notice = True
        return self._acknowledge(command, stream_id)

    def _fc_unpublish(self, command: Command, stream_id: int) -> Outcome:
        """By name; a connection has one publish, so it is that one."""
        self._acknowledge(command, stream_id)
        if self._wants_notice:
            self._replies.notice("onFCUnpublish", _UNPUBLISHED, "")
        return self._unpublish(self.stream_id)

    def _delete_stream(self, command: Command, stream_id: int) -> Outcome:
        del stream_id
        number = command.argument(1)
        if not isinstance(number, float) or number not in self._streams:
            return None
        self._streams.discard(int(number))
        return self._unpublish(int(number))

    def _close_stream(self, command: Command, stream_id: int) -> Outcome:
        del command
        return self._unpublish(stream_id)

    def _unpublish(self, stream_id: int) -> Outcome:
        if self.state is not State.PUBLISHING or stream_id != self.stream_id:
            return None
        self.move(Move.UNPUBLISH)
        self._replies.status(stream_id, "status", _UNPUBLISHED, "Ended.")
        return "unpublished"

    def _acknowledge(self, command: Command, stream_id: int) -> Outcome:
        del stream_id
        self._replies.result(command.transaction, None, None)
        return None

    def _stream_length(self, command: Command, stream_id: int) -> Outcome:
        del stream_id
        self._replies.result(command.transaction, None, 0.0)
        return None

    def _play(self, command: Command, stream_id: int) -> Outcome:
        del command
        self._replies.status(stream_id, "error", "NetStream.Play.Failed", "This server only receives.")
        return None


def _enhanced_capabilities() -> dict[str, Value]:
    """What we take by FourCC (Enhanced RTMP v2, "Enhancing NetConnection connect Command")."""
    return {
        "fourCcList": [*enhanced.VIDEO_CODECS, *enhanced.AUDIO_CODECS],
        "videoFourCcInfoMap": dict.fromkeys(enhanced.VIDEO_CODECS, _CAN_FORWARD),
        "audioFourCcInfoMap": dict.fromkeys(enhanced.AUDIO_CODECS, _CAN_FORWARD),
        "capsEx": float(_RECONNECT | _MOD_EX | _NANOSECONDS),
    }


def _raw(value: Value) -> str:
    return value if isinstance(value, str) else ""


def _text(value: Value) -> str:
    """A text fit for logs, pages and the catalogue: printable and short."""
    printable = "".join(character for character in _raw(value)[: 2 * MAX_TEXT_CHARACTERS] if character.isprintable())
    return printable.strip()[:MAX_TEXT_CHARACTERS]
