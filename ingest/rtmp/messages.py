"""RTMP messages: their kinds, the few a server builds, and the inside of those it reads (RTMP 1.0 §5.4, §6, §7).

Rule: plain functions between a payload and its values; what follows from a message is decided in `connection.py` and
`commands.py`.
"""

import struct
from dataclasses import dataclass

from ingest.rtmp import amf0
from ingest.rtmp.amf0 import Value
from ingest.rtmp.chunks import WRAP, Message
from ingest.rtmp.errors import PeerError
from ingest.rtmp.limits import MAX_AGGREGATE_TAGS

ACKNOWLEDGEMENT, USER_CONTROL, WINDOW_ACK_SIZE, SET_PEER_BANDWIDTH = 3, 4, 5, 6
AUDIO, VIDEO, DATA_AMF3, COMMAND_AMF3, DATA, COMMAND, AGGREGATE = 8, 9, 15, 17, 18, 20, 22
STREAM_BEGIN, PING_REQUEST, PING_RESPONSE = 0, 6, 7  # user control events (§7.1.7)

_UINT32 = struct.Struct(">I")
_TAG_HEAD_BYTES, _BACK_POINTER_BYTES = 11, 4


@dataclass(frozen=True, slots=True)
class Command:
    """A remote call: `transaction` 0 wants no answer; the first of `arguments` is the command object."""

    name: str
    transaction: float
    arguments: list[Value]

    def argument(self, position: int) -> Value:
        """The argument at `position`, None where there are not so many."""
        return self.arguments[position] if position < len(self.arguments) else None


def uint32(number: int) -> bytes:
    """The payload of Set Chunk Size, Acknowledgement and Window Acknowledgement Size."""
    return _UINT32.pack(number)


def read_uint32(payload: memoryview) -> int:
    """The first four bytes. Raises PeerError."""
    if len(payload) < 4:
        reason = f"control message of {len(payload)} bytes"
        raise PeerError(reason)
    return int(_UINT32.unpack_from(payload)[0])


def user_control(event: int, value: int) -> bytes:
    """A user control payload: event and a stream id or a time."""
    return struct.pack(">HI", event, value)


def read_user_control(payload: memoryview) -> tuple[int, int]:
    """Event and its first value; the value is 0 where an event of another shape brings less. Raises PeerError."""
    if len(payload) < 2:
        reason = f"user control message of {len(payload)} bytes"
        raise PeerError(reason)
    value = _UINT32.unpack_from(payload, 2)[0] if len(payload) >= 6 else 0
    return int.from_bytes(payload[:2], "big"), value


def read_command(message: Message) -> Command:
    """The call in a message of kind 20 or 17. Raises PeerError."""
    values = read_values(message)
    if len(values) < 2 or not isinstance(values[0], str) or not isinstance(values[1], float):
        reason = "a command without name and transaction"
        raise PeerError(reason)
    return Command(values[0], values[1], values[2:])


def read_values(message: Message) -> list[Value]:
    """The AMF0 values of a command or data message.

    The AMF3 kinds begin with a zero byte and hold AMF0 values that may switch to AMF3, as Flash's heirs do.
    """
    payload = message.payload
    if message.kind in (COMMAND_AMF3, DATA_AMF3) and len(payload) and payload[0] == 0:
        payload = payload[1:]
    return amf0.decode(payload)


def split_aggregate(message: Message) -> list[Message]:
    """The messages inside one of kind 22 (§7.1.6), their times moved so that the first has the aggregate's own."""
    view, position, end = message.payload, 0, len(message.payload)
    parts: list[Message] = []
    offset = 0
    while position < end:
        if len(parts) == MAX_AGGREGATE_TAGS:
            reason = f"aggregate message of more than {MAX_AGGREGATE_TAGS} tags"
            raise PeerError(reason)
        if position + _TAG_HEAD_BYTES > end:
            reason = "aggregate message ends within a tag header"
            raise PeerError(reason)
        kind, size, timestamp = _tag(view, position)
        start = position + _TAG_HEAD_BYTES
        if start + size > end:
            reason = "aggregate message ends within a tag"
            raise PeerError(reason)
        if position == 0:
            offset = message.timestamp - timestamp
        if kind in (AUDIO, VIDEO, DATA):  # nothing else belongs here, an aggregate least of all
            parts.append(Message(kind, message.stream_id, (timestamp + offset) % WRAP, view[start : start + size]))
        position = start + size + _BACK_POINTER_BYTES  # the last back pointer is left out by some
    return parts


def _tag(view: memoryview, position: int) -> tuple[int, int, int]:
    """Kind, size and time in ms of the FLV tag at `position`: the time's upper 8 bits come after the lower 24."""
    first = int.from_bytes(view[position : position + 4], "big")
    times = int.from_bytes(view[position + 4 : position + 8], "big")
    return first >> 24, first & 0xFF_FFFF, times >> 8 | (times & 0xFF) << 24
