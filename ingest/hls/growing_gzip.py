"""gzip of a text that only grows at its end: what is behind is compressed once, not for every reader. Pure.

A live playlist is rewritten twice a second with hours of segments before the few lines that change. The deflate state
after the lasting part is kept and copied to finish each version, which costs the same for a lecture's third hour as
for its first minute (RFC 1951, RFC 1952).
"""

import struct
import zlib

_HEADER = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x04\xff"  # deflate, no name, no time, fastest, unknown system
_LEVEL = 1


class GrowingGzip:
    def __init__(self) -> None:
        self._deflate = zlib.compressobj(_LEVEL, zlib.DEFLATED, -zlib.MAX_WBITS)
        self._done = bytearray(_HEADER)
        self._crc = 0
        self._length = 0

    def append(self, text: bytes) -> None:
        """More of the lasting part."""
        self._done += self._deflate.compress(text)
        self._crc = zlib.crc32(text, self._crc)
        self._length += len(text)

    def finish(self, tail: bytes) -> bytes:
        """The whole as one gzip member, with `tail` behind what lasts; more can be appended afterwards."""
        deflate = self._deflate.copy()
        end = deflate.compress(tail) + deflate.flush()
        crc = zlib.crc32(tail, self._crc)
        length = (self._length + len(tail)) & 0xFFFF_FFFF
        return b"".join((self._done, end, struct.pack("<II", crc, length)))


def gzipped(text: bytes) -> bytes:
    """A short text at once."""
    whole = GrowingGzip()
    return whole.finish(text)
