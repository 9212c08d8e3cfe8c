"""Builds the bytes a publisher sends, one piece at a time, in whatever dialect a test needs.

Rule: written from the specification by itself; only AMF0 values are encoded by the code under test, which has literal
tests of its own. All lengths and ids are checked by nobody: wrong ones are the point.
"""

import hmac
import struct
from collections.abc import Iterable

from ingest.rtmp.amf0 import EcmaArray, Value, encode

AUDIO, VIDEO, DATA, COMMAND, AGGREGATE = 8, 9, 18, 20, 22

# x264, 320 × 180, High, with B-frames; AAC-LC, 48 kHz, stereo.
AVCC = bytes.fromhex("0164000dffe1001a6764000dacd941419f9f0110000003001000000303c0f142996001000468efbcb0fdf8f800")
ASC = bytes.fromhex("1190")


def handshake(version: int = 3, time: int = 0, filling: bytes = b"") -> bytes:
    """C0, C1 and a C2 that echoes nothing."""
    block = struct.pack(">II", time, 0) + filling.ljust(1528, b"\xa5")
    return bytes((version,)) + block + bytes(1536)


def basic_header(form: int, chunk_stream: int) -> bytes:
    """§5.3.1.1: one, two or three bytes, the shortest that holds the id."""
    if chunk_stream < 64:
        return bytes((form << 6 | chunk_stream,))
    rest = chunk_stream - 64
    if rest < 256:
        return bytes((form << 6, rest))
    return bytes((form << 6 | 1, rest & 255, rest >> 8))


def header(form: int, chunk_stream: int, time: int, length: int, kind: int, stream_id: int) -> bytes:
    """A chunk header of any form; `time` is the timestamp of form 0, the delta of the others."""
    field = min(time, 0xFF_FFFF)
    pieces = [basic_header(form, chunk_stream)]
    if form < 3:
        pieces.append(field.to_bytes(3, "big"))
    if form < 2:
        pieces.append(length.to_bytes(3, "big") + bytes((kind,)))
    if form == 0:
        pieces.append(struct.pack("<I", stream_id))
    if time >= 0xFF_FFFF:
        pieces.append(struct.pack(">I", time))
    return b"".join(pieces)


def chunks(
    kind: int,
    payload: bytes,
    *,
    time: int = 0,
    form: int = 0,
    chunk_stream: int = 3,
    stream_id: int = 0,
    chunk_bytes: int = 128,
    repeat: int | None = -1,
) -> list[bytes]:
    """One message's chunks. `repeat`: the extended timestamp of its type 3 chunks; -1: the header's, None: none."""
    extended = b"" if time < 0xFF_FFFF or repeat is None else struct.pack(">I", time if repeat == -1 else repeat)
    first = header(form, chunk_stream, time, len(payload), kind, stream_id) + payload[:chunk_bytes]
    head = basic_header(3, chunk_stream) + extended
    return [
        first,
        *(head + payload[start : start + chunk_bytes] for start in range(chunk_bytes, len(payload), chunk_bytes)),
    ]


def message(kind: int, payload: bytes, **dialect: int | None) -> bytes:
    """`chunks` joined."""
    return b"".join(chunks(kind, payload, **dialect))  # type: ignore[arg-type]


def command(name: str, transaction: float, *values: Value, **dialect: int | None) -> bytes:
    """A command message."""
    return message(COMMAND, encode(name, transaction, *values), **dialect)


def set_chunk_size(size: int, chunk_bytes: int = 128) -> bytes:
    """The control message, itself in chunks of the size that held before it."""
    return message(1, struct.pack(">I", size), chunk_stream=2, chunk_bytes=chunk_bytes)


def connect(app: str = "live", **properties: Value) -> bytes:
    """connect as ffmpeg says it, with more properties or other ones."""
    said: dict[str, Value] = {"app": app, "type": "nonprivate", "flashVer": "FMLE/3.0 (compatible; test)"}
    return command("connect", 1.0, said | {"tcUrl": f"rtmp://127.0.0.1/{app}"} | properties)


def opening(app: str = "live", key: str = "KEY", chunk_bytes: int = 4096) -> bytes:
    """From the first byte to `publish`, as ffmpeg does it."""
    return b"".join(
        (
            handshake(),
            connect(app),
            set_chunk_size(chunk_bytes),
            command("releaseStream", 2.0, None, key, chunk_bytes=chunk_bytes),
            command("FCPublish", 3.0, None, key, chunk_bytes=chunk_bytes),
            command("createStream", 4.0, None, chunk_bytes=chunk_bytes),
            command("publish", 5.0, None, key, "live", stream_id=1, chunk_bytes=chunk_bytes),
        )
    )


def metadata(**properties: Value) -> bytes:
    """The payload of onMetaData in @setDataFrame."""
    return encode("@setDataFrame", "onMetaData", EcmaArray(properties))


def avc_configuration(avcc: bytes = AVCC) -> bytes:
    """A video payload: AVC sequence header."""
    return b"\x17\x00\x00\x00\x00" + avcc


def avc_frame(data: bytes, *, key: bool = False, offset_ms: int = 0) -> bytes:
    """A video payload: one access unit, its NAL units framed already."""
    return bytes((0x17 if key else 0x27, 1)) + (offset_ms & 0xFF_FFFF).to_bytes(3, "big") + data


def aac_configuration(asc: bytes = ASC) -> bytes:
    """An audio payload: AAC sequence header."""
    return b"\xaf\x00" + asc


def aac_frame(data: bytes) -> bytes:
    """An audio payload: one raw AAC frame."""
    return b"\xaf\x01" + data


def tags(parts: Iterable[tuple[int, int, bytes]]) -> bytes:
    """An aggregate's payload: (kind, ms, payload) each as an FLV tag with its back pointer."""
    pieces = []
    for kind, time, payload in parts:
        head = struct.pack(">BBH", kind, len(payload) >> 16, len(payload) & 0xFFFF)
        head += (time & 0xFF_FFFF).to_bytes(3, "big") + bytes((time >> 24,)) + bytes(3)
        pieces += [head, payload, struct.pack(">I", 11 + len(payload))]
    return b"".join(pieces)


def u29(number: int) -> bytes:
    """AMF3's whole number of one to four bytes (AMF3 §1.3.1)."""
    if number < 0x80:
        return bytes((number,))
    if number < 0x4000:
        return bytes((number >> 7 | 0x80, number & 0x7F))
    if number < 0x20_0000:
        return bytes((number >> 14 | 0x80, number >> 7 & 0x7F | 0x80, number & 0x7F))
    return bytes((number >> 22 | 0x80, number >> 15 & 0x7F | 0x80, number >> 8 & 0x7F | 0x80, number & 0xFF))


def signed_block(scheme: int, filling: int = 0xA5, version: bytes = b"\x80\x00\x07\x02") -> bytes:
    """A C1 with a digest as Flash Players put it; `scheme`: where the four bytes are that say where."""
    block = bytearray(bytes(4) + version + bytes((filling,)) * 1528)
    place = scheme + 4 + sum(block[scheme : scheme + 4]) % 728
    del block[place : place + 32]
    digest = hmac.new(b"Genuine Adobe Flash Player 001", block, "sha256").digest()
    block[place:place] = digest
    return bytes(block)
