"""What a PUT sends: a size, and chunks that can be gone through again, for a repeated try and to compare what comes
back.

Nothing is copied together: pieces of files are sent one after another, through one buffer.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple, Protocol

CHUNK_BYTES = 1 << 20
"""Sent, hashed or read at once: each chunk gives the interpreter up and asks for it back, which a busy loop feels."""


class Piece(NamedTuple):
    """Bytes of a file, and the checksum that they ought to have, where it is known."""

    path: Path
    offset: int
    length: int
    checksum: int | None = None


class Body(Protocol):
    """Bytes on their way out; for one thread at a time."""

    size: int

    def __iter__(self) -> Iterator[memoryview]:
        """The chunks from the beginning; each is valid until the next."""
        ...


class BytesBody:
    """What is in memory."""

    def __init__(self, content: bytes) -> None:
        self.size = len(content)
        self._view = memoryview(content)

    def __iter__(self) -> Iterator[memoryview]:
        for offset in range(0, self.size, CHUNK_BYTES):
            yield self._view[offset : offset + CHUNK_BYTES]


class FileBody:
    """Pieces of files, one after another, as if they were one. Raises OSError where a file is missing or too short, at
    once.
    """

    def __init__(self, pieces: Sequence[Piece]) -> None:
        for piece in pieces:
            if piece.path.stat().st_size < piece.offset + piece.length:
                raise _too_short(piece)
        self.size = sum(piece.length for piece in pieces)
        self.fault: OSError | None = None
        """Why a file could not be read, once a request was under way: to its sender that looks like a store that broke
        off.
        """
        self._pieces = pieces
        self._buffer = memoryview(bytearray(min(CHUNK_BYTES, self.size)))

    def __iter__(self) -> Iterator[memoryview]:
        for piece in self._pieces:
            yield from self.chunks(piece)

    def chunks(self, piece: Piece) -> Iterator[memoryview]:
        """Of one piece; each is valid until the next."""
        try:
            with piece.path.open("rb", buffering=0) as file:
                file.seek(piece.offset)
                left = piece.length
                while left:
                    count = file.readinto(self._buffer[:left])
                    if not count:
                        raise _too_short(piece)
                    yield self._buffer[:count]
                    left -= count
        except OSError as fault:
            self.fault = fault
            raise


def _too_short(piece: Piece) -> OSError:
    return OSError(f"{piece.path} ends before {piece.offset + piece.length}")
