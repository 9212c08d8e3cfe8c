"""RTMP's chunk stream: bytes to messages and back (RTMP 1.0 §5.3 and §5.4).

Rule: a payload is copied at most once. A message that lies whole in what was received is handed out as a view of it;
the chunks of any other go straight into one buffer. Only an unfinished chunk header (17 bytes at most) waits for more
input. Set Chunk Size and Abort act on this layer and end here.
"""

import struct
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from ingest.rtmp.errors import PeerError
from ingest.rtmp.limits import FIRST_BUFFER_BYTES, MAX_ASSEMBLING_BYTES, MAX_CHUNK_STREAMS, MAX_COMMAND_BYTES

SET_CHUNK_SIZE, ABORT = 1, 2  # message kinds of this layer
DEFAULT_CHUNK_BYTES = 128
EXTENDED = 0xFF_FFFF
WRAP = 1 << 32

_HEAD7, _UINT32, _UINT32_LITTLE = struct.Struct(">IHB"), struct.Struct(">I"), struct.Struct("<I")
_HEAD_BYTES = (11, 7, 3, 0)  # by format, without basic header and extended timestamp
_LONGEST_HEAD = 3 + 11 + 4


class Message(NamedTuple):
    """A whole message. `timestamp` is the peer's, in ms, modulo 2³²."""

    kind: int
    stream_id: int
    timestamp: int
    payload: memoryview


class _ChunkStream:
    """What one chunk stream remembers between chunks: the last header, and the message under way if any."""

    def __init__(self, number: int) -> None:
        self.continuation = 0xC0 | number if number < 64 else 0  # the header of its type 3 chunks, if that is one byte
        self.kind = self.length = self.stream_id = 0
        self.timestamp = self.delta = 0
        self.extension = b""  # the extended timestamp field as it stood on the wire, if there was one
        self.under_way = False
        self.buffer: memoryview | None = None  # written through a view: a bytearray's own slices would copy twice
        self.filled = 0


class ChunkReader:
    """The receiving half. `limits`: bytes by message kind, MAX_COMMAND_BYTES for others; may be replaced any time."""

    def __init__(self, limits: Mapping[int, int]) -> None:
        self.limits = limits
        self._chunk_bytes = DEFAULT_CHUNK_BYTES
        self._streams: dict[int, _ChunkStream] = {}
        self._head = b""  # an unfinished chunk header
        self._open: _ChunkStream | None = None  # whose chunk is unfinished,
        self._left = 0  # by so many bytes
        self._assembling = 0

    def receive(self, data: bytes) -> Iterator[Message]:
        """The messages that `data` completes, each read when asked for: what a message changes holds for the next.

        Take all of them before the next call. Raises PeerError; the reader is of no use afterwards.
        """
        position = 0
        if self._head:
            data, position = self._finish_head(data)
        view, end, streams = memoryview(data), len(data), self._streams
        while True:
            stream = self._open
            if stream is None:
                if position >= end:
                    break
                first = data[position]
                found = streams.get(first & 0x3F) if first > 0xC1 else None
                if found is not None and found.under_way and not found.extension:
                    position += 1  # most chunks: a header of one byte, a continuation
                    stream = found
                    left = stream.length - stream.filled
                    if left > self._chunk_bytes:
                        left = self._chunk_bytes
                elif (after := self._read_head(data, position)) < 0:
                    self._head = data[position:]
                    break
                else:
                    position = after
                    continue
            else:
                left = self._left
            take = left if left <= end - position else end - position
            if take == stream.length:  # whole in one chunk and in one read
                payload = view[position : position + take]
                position += take
            else:
                if take:
                    start, filled, buffer = position, stream.filled, stream.buffer
                    position += take
                    stream.filled = filled + take
                    if buffer is None or stream.filled > len(buffer):
                        buffer = self._larger_buffer(stream, filled)
                    buffer[filled : stream.filled] = view[start:position]
                if take < left:
                    self._open, self._left = stream, left - take
                    break
                self._open = None
                if stream.filled < stream.length:
                    position = self._run_on(stream, data, view, position)
                    continue
                payload = self._assembled(stream)
            self._open = None
            stream.under_way = False
            if stream.kind in (SET_CHUNK_SIZE, ABORT):
                self._control(stream.kind, payload)
            else:
                yield Message(stream.kind, stream.stream_id, stream.timestamp, payload)

    def _finish_head(self, data: bytes) -> tuple[bytes, int]:
        """Reads the header that the last input left unfinished: the data to go on with, and where in it."""
        known = len(self._head)
        head = self._head + data[:_LONGEST_HEAD]
        after = self._read_head(head, 0)
        if after < 0:
            self._head = head  # then all of data is in it: no header is longer
            return b"", 0
        self._head = b""
        if after < known:  # what looked like the start of a repeated extended timestamp was payload
            return head[after:known] + data, 0
        return data, after - known

    def _read_head(self, data: bytes, position: int) -> int:
        """Reads one chunk header and opens its stream; where the chunk's data begins, or -1 if bytes are missing."""
        end = len(data)
        form, number = data[position] >> 6, data[position] & 0x3F
        position += 1
        if number < 2:  # §5.3.1.1: ids of 64 and more take one or two bytes
            if position + number >= end:
                return -1
            number = data[position] + 64 + (data[position + 1] << 8 if number else 0)
            position += 1 + (data[position - 1] & 0x3F)
        stream = self._streams.get(number)
        if stream is None and form > 1:
            reason = f"chunk stream {number} begins with a header of type {form}"
            raise PeerError(reason)
        after = position + _HEAD_BYTES[form]
        if after > end:
            return -1
        if form == 3:
            assert stream is not None
            return self._continue(stream, data, after)
        if form < 2:
            high, low, kind = _HEAD7.unpack_from(data, position)
            field = high >> 8
        else:
            field = int.from_bytes(data[position:after], "big")
        extension = b""
        if field == EXTENDED:
            extension = data[after : after + 4]
            after += 4
            if after > end:
                return -1
            field = _UINT32.unpack(extension)[0]
        if stream is None:  # type 1 too: librtmp begins its ping stream so
            stream = self._new_stream(number)
        if stream.under_way:
            reason = f"a message began on chunk stream {number} within another"
            raise PeerError(reason)
        if form < 2:
            stream.kind, stream.length = kind, (high & 0xFF) << 16 | low
        if form == 0:
            stream.stream_id = _UINT32_LITTLE.unpack_from(data, position + 7)[0]
            stream.timestamp = 0
        stream.delta = field  # §5.3.1.2.4: a type 3 that begins a message after a type 0 adds that timestamp again
        stream.extension = extension
        self._begin(stream)
        return after

    def _continue(self, stream: _ChunkStream, data: bytes, position: int) -> int:
        """A type 3 header: the next chunk of a message, or a message with the header of the one before it.

        Encoders disagree whether the extended timestamp is repeated here (§5.3.1.3 says yes), and whether as it stood
        or as the absolute time; bytes that are neither are payload.
        """
        if stream.extension:
            there = data[position : position + 4]
            if not stream.under_way:
                if len(there) < 4:
                    return -1
                stream.extension = there
                stream.delta = _UINT32.unpack(there)[0]
                position += 4
            elif stream.extension.startswith(there) or _UINT32.pack(stream.timestamp).startswith(there):
                if len(there) < 4:
                    return -1
                position += 4
        if stream.under_way:
            self._open = stream
            self._left = min(self._chunk_bytes, stream.length - stream.filled)
        else:
            self._begin(stream)
        return position

    def _new_stream(self, number: int) -> _ChunkStream:
        if len(self._streams) >= MAX_CHUNK_STREAMS:
            reason = f"more than {MAX_CHUNK_STREAMS} chunk streams"
            raise PeerError(reason)
        stream = self._streams[number] = _ChunkStream(number)
        return stream

    def _begin(self, stream: _ChunkStream) -> None:
        length, limit = stream.length, self.limits.get(stream.kind, MAX_COMMAND_BYTES)
        if length > limit:
            reason = f"message of kind {stream.kind} with {length} bytes, allowed are {limit}"
            raise PeerError(reason)
        stream.timestamp = (stream.timestamp + stream.delta) % WRAP
        stream.under_way = True
        self._open = stream
        self._left = length if length < self._chunk_bytes else self._chunk_bytes

    def _run_on(self, stream: _ChunkStream, data: bytes, view: memoryview, position: int) -> int:
        """Copies the chunks that follow while each is whole, of this message and not its last; where they end.

        The loop in `receive` could do it too, at twice the cost: a key frame in chunks of 128 bytes has a thousand.
        """
        buffer = stream.buffer
        if buffer is None or not stream.continuation or stream.extension:
            return position
        size, filled, head = self._chunk_bytes, stream.filled, stream.continuation
        last_start, last_filled = len(data) - size - 1, min(len(buffer), stream.length - 1) - size
        while position <= last_start and filled <= last_filled and data[position] == head:
            position += 1
            buffer[filled : filled + size] = view[position : position + size]
            position += size
            filled += size
        stream.filled = filled
        return position

    def _larger_buffer(self, stream: _ChunkStream, kept: int) -> memoryview:
        """A buffer for what is filled by now; its first `kept` bytes are those of the one before, if there was one."""
        buffer = stream.buffer
        if buffer is None:
            self._assembling += stream.length
            if self._assembling > MAX_ASSEMBLING_BYTES:
                reason = f"unfinished messages announce more than {MAX_ASSEMBLING_BYTES} bytes"
                raise PeerError(reason)
            size = min(stream.length, max(FIRST_BUFFER_BYTES, stream.filled))
        else:
            size = min(stream.length, max(2 * len(buffer), stream.filled))
        larger = memoryview(bytearray(size))
        if buffer is not None:  # the one case of a second copy, in messages over FIRST_BUFFER_BYTES
            larger[:kept] = buffer[:kept]
        stream.buffer = larger
        return larger

    def _assembled(self, stream: _ChunkStream) -> memoryview:
        buffer = stream.buffer
        assert buffer is not None
        self._assembling -= stream.length
        stream.buffer, stream.filled = None, 0
        return buffer.toreadonly()

    def _control(self, kind: int, payload: memoryview) -> None:
        if len(payload) < 4:
            reason = f"chunk control message {kind} with {len(payload)} bytes"
            raise PeerError(reason)
        (number,) = _UINT32.unpack_from(payload)
        if kind == SET_CHUNK_SIZE:  # §5.4.1: the first bit is zero; sizes beyond a message's are as good as its
            self._chunk_bytes = number & 0x7FFF_FFFF
            if not self._chunk_bytes:
                reason = "chunk size 0"
                raise PeerError(reason)
        elif (stream := self._streams.get(number)) is not None and stream.under_way:
            if stream.buffer is not None:
                self._assembled(stream)
            stream.under_way = False


class ChunkWriter:
    """The sending half: every message with a full header, which is what our few and small ones need."""

    def __init__(self) -> None:
        self.chunk_bytes = DEFAULT_CHUNK_BYTES

    def write(self, chunk_stream: int, kind: int, stream_id: int, payload: bytes) -> bytes:
        """The message's chunks; `chunk_stream` is 2 to 63, the timestamp 0, as in every server's answers."""
        size = self.chunk_bytes
        pieces = [struct.pack(">BIHB", chunk_stream, len(payload) >> 16, len(payload) & 0xFFFF, kind)]
        pieces += (_UINT32_LITTLE.pack(stream_id), payload[:size])
        for start in range(size, len(payload), size):
            pieces += (bytes((0xC0 | chunk_stream,)), payload[start : start + size])
        return b"".join(pieces)
