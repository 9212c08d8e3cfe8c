"""An encoder in memory: sends bytes to a connection of its own, and reads what comes back."""

from ingest.rtmp.amf0 import Value, decode
from ingest.rtmp.chunks import ChunkReader, Message
from ingest.rtmp.connection import RtmpConnection
from ingest.rtmp.events import Event
from ingest.rtmp.limits import Timeouts
from tests.kit import rtmp_bytes as wire


class Publisher:
    """An encoder and the connection it talks to, with a clock that is moved by hand."""

    def __init__(self, timeouts: Timeouts | None = None) -> None:
        self.now = 100.0
        self.connection = RtmpConnection(self.now, timeouts, random=bytes(1528))
        self._reader = ChunkReader({})
        self._skip = 1 + 2 * 1536
        self.sent = b""

    def say(self, data: bytes) -> list[Event]:
        return self.connection.receive(data, self.now)

    def heard(self) -> list[Message]:
        """The server's messages since the last call."""
        data = self.connection.data_to_send()
        self.sent += data
        skipped, data = data[: self._skip], data[self._skip :]
        self._skip -= len(skipped)
        return list(self._reader.receive(data))

    def answers(self) -> list[list[Value]]:
        """The commands among them."""
        return [decode(message.payload) for message in self.heard() if message.kind == 20]

    def statuses(self) -> list[tuple[Value, Value]]:
        """(code, description) of each onStatus."""
        found = []
        for name, _, *values in self.answers():
            if name == "onStatus" and isinstance(values[1], dict):
                found.append((values[1]["code"], values[1]["description"]))
        return found

    def media(self, kind: int, payload: bytes, time: int = 0) -> list[Event]:
        return self.say(wire.message(kind, payload, time=time, stream_id=1, chunk_stream=6, chunk_bytes=4096))

    def tell(self, name: str, transaction: float, *values: Value, stream_id: int = 1) -> list[Event]:
        return self.say(wire.command(name, transaction, *values, stream_id=stream_id, chunk_bytes=4096))


def accepted(publisher: Publisher) -> Publisher:
    publisher.say(wire.opening())
    assert publisher.connection.accept_publish(1, publisher.now) == []
    publisher.heard()
    return publisher
