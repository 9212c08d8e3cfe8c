"""What is fuzzed, RTMP itself: each target takes any bytes and returns, or raises what is a bug.

Rule: a target checks more than that nothing escapes. Whole and in pieces give the same, what is held stays within
`ingest/rtmp/limits.py`, and what was decoded survives being written again.
"""

from collections.abc import Callable, Iterable

from ingest.rtmp import amf0
from ingest.rtmp.chunks import ChunkReader
from ingest.rtmp.connection import RtmpConnection
from ingest.rtmp.errors import PeerError
from ingest.rtmp.events import Event, MediaReceived, PublishRequested
from ingest.rtmp.handshake import BLOCK_BYTES, Handshake
from ingest.rtmp.limits import MAX_ASSEMBLING_BYTES, MAX_CHUNK_STREAMS
from tests.fuzz import media_targets
from tests.kit import rtmp_bytes as wire

LIMITS = {8: 64 * 1024, 9: 1 << 20, 22: 1 << 20}
# The longest answer to a message of one byte or more; the handshake's comes once.
_ANSWER_BYTES = 1024
_HANDSHAKE, _OPENING = wire.handshake(), wire.opening()


def pieces(data: bytes) -> list[bytes]:
    """`data` cut at places that it chooses itself, so that an input can be run again."""
    cut, place = data[:8] or b"\0", 0
    found: list[bytes] = []
    while place < len(data):
        size = 1 + cut[len(found) % len(cut)] * (1 + len(found) % 3)
        found.append(data[place : place + size])
        place += size
    return found


def handshake(data: bytes) -> None:
    """The server's side of it."""
    assert _shaken([data]) == _shaken(pieces(data))


def chunks(data: bytes) -> None:
    """The chunk stream."""
    assert _messages([data]) == _messages(pieces(data))


def amf(data: bytes) -> None:
    """AMF0 and the AMF3 in it."""
    try:
        values = amf0.decode(data)
    except PeerError:
        return
    assert repr(amf0.decode(amf0.encode(*values))) == repr(values)


def publish(data: bytes) -> None:
    """What comes behind an admitted publish."""
    assert _outcome(_publishing(), [data]) == _outcome(_publishing(), pieces(data))


def connection(data: bytes) -> None:
    """Everything from the first byte; without a handshake of its own it is given one."""
    own = data[:1] == b"\x03" and len(data) > 2 * BLOCK_BYTES
    begun = [] if own else [_HANDSHAKE]
    whole = _outcome(RtmpConnection(0.0, random=bytes(1528)), [b"".join((*begun, data))])
    assert whole == _outcome(RtmpConnection(0.0, random=bytes(1528)), [*begun, *pieces(data)])


TARGETS: dict[str, Callable[[bytes], None]] = {
    "handshake": handshake,
    "chunks": chunks,
    "amf": amf,
    "publish": publish,
    "connection": connection,
    "tags": media_targets.tags,
    "offer": media_targets.offer,
    "rtp": media_targets.rtp,
    "media": media_targets.media,
}


def _shaken(given: Iterable[bytes]) -> tuple[bytes, bytes, str]:
    shake, reply, rest, said = Handshake(bytes(1528)), b"", None, ""
    try:
        for piece in given:
            rest = shake.receive(piece) if rest is None else rest + piece
            reply += shake.take_reply()
    except PeerError as error:
        said = str(error)
    assert len(reply) in (0, 1 + 2 * BLOCK_BYTES)
    return reply, rest or b"", said


def _messages(given: Iterable[bytes]) -> tuple[list[object], str]:
    reader, said = ChunkReader(LIMITS), ""
    found: list[object] = []
    try:
        for piece in given:
            found.extend((*message[:3], bytes(message.payload)) for message in reader.receive(piece))
            assert reader._assembling <= MAX_ASSEMBLING_BYTES
            assert len(reader._head) < 18
            assert len(reader._streams) <= MAX_CHUNK_STREAMS
    except PeerError as error:
        said = str(error)
    return found, said


def _publishing() -> RtmpConnection:
    one = RtmpConnection(0.0, random=bytes(1528))
    (asked,) = one.receive(_OPENING, 0.0)
    assert isinstance(asked, PublishRequested)
    one.accept_publish(asked.stream_id, 0.0)
    one.data_to_send()
    return one


def _outcome(one: RtmpConnection, given: Iterable[bytes]) -> tuple[list[object], str]:
    """Events and error; a publish is admitted on the spot."""
    events: list[Event] = []
    received = answered = 0
    for piece in given:
        received += len(piece)
        for event in one.receive(piece, 1.0):
            events.append(event)
            if isinstance(event, PublishRequested):
                events += one.accept_publish(event.stream_id, 1.0)
        answered += len(one.data_to_send())
        assert answered <= 1 + 2 * BLOCK_BYTES + _ANSWER_BYTES * (received + 1)
    events += one.disconnected()
    return [_flat(event) for event in events], str(one.error)


def _flat(event: Event) -> object:
    if isinstance(event, MediaReceived):
        packet = event.packet
        return packet.track, packet.dts, packet.pts, packet.keyframe, bytes(packet.data)
    return repr(event)
