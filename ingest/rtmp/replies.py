"""What a server says: answers and statuses as bytes to send, in order (RTMP 1.0 §5.4, §7).

Rule: nothing is decided here. What waits is bounded by what came in: no answer is longer than a few hundred bytes.
"""

from ingest.rtmp import amf0, messages
from ingest.rtmp.amf0 import Value
from ingest.rtmp.chunks import SET_CHUNK_SIZE, ChunkWriter

CHUNK_BYTES = 4096  # of ours: each answer fits one
_CONTROL_STREAM, _COMMAND_STREAM, _STATUS_STREAM = 2, 3, 5  # chunk streams


class Replies:
    """The outgoing half of a connection."""

    def __init__(self) -> None:
        self._writer = ChunkWriter()
        self._pieces: list[bytes] = []

    def raw(self, data: bytes) -> None:
        """Bytes outside of chunks: the handshake's."""
        self._pieces.append(data)

    def control(self, kind: int, number: int, suffix: bytes = b"") -> None:
        """A protocol control message with one number."""
        payload = messages.uint32(number) + suffix
        self._pieces.append(self._writer.write(_CONTROL_STREAM, kind, 0, payload))
        if kind == SET_CHUNK_SIZE:
            self._writer.chunk_bytes = number

    def event(self, event: int, value: int) -> None:
        """A user control message."""
        payload = messages.user_control(event, value)
        self._pieces.append(self._writer.write(_CONTROL_STREAM, messages.USER_CONTROL, 0, payload))

    def result(self, transaction: float, *values: Value) -> None:
        """A call's good end; transaction 0 asked for no answer."""
        if transaction:
            self._command(_COMMAND_STREAM, 0, "_result", transaction, *values)

    def failure(self, transaction: float, code: str, description: str) -> None:
        """A call's bad end."""
        if transaction:
            self._command(_COMMAND_STREAM, 0, "_error", transaction, None, _status("error", code, description))

    def status(self, stream_id: int, level: str, code: str, description: str) -> None:
        """onStatus of a stream; level `status`, `warning` or `error`. Encoders show the description of an error."""
        self._command(_STATUS_STREAM, stream_id, "onStatus", 0.0, None, _status(level, code, description))

    def reconnect(self, address: str, description: str) -> None:
        """Enhanced RTMP's reconnect request: onStatus of the connection, with the new tcUrl where there is one."""
        information = _status("status", "NetConnection.Connect.ReconnectRequest", description)
        if address:
            information["tcUrl"] = address
        self._command(_COMMAND_STREAM, 0, "onStatus", 0.0, None, information)

    def notice(self, name: str, code: str, description: str) -> None:
        """onFCPublish and onFCUnpublish, which FMLE and its heirs wait for."""
        self._command(_COMMAND_STREAM, 0, name, 0.0, None, {"code": code, "description": description})

    def take(self) -> bytes:
        """All that is to be sent, once."""
        if not self._pieces:
            return b""
        data = b"".join(self._pieces)
        self._pieces.clear()
        return data

    def _command(self, chunk_stream: int, stream_id: int, *values: Value) -> None:
        payload = amf0.encode(*values)
        self._pieces.append(self._writer.write(chunk_stream, messages.COMMAND, stream_id, payload))


def _status(level: str, code: str, description: str) -> dict[str, Value]:
    return {"level": level, "code": code, "description": description}
