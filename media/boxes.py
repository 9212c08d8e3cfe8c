"""ISO-BMFF boxes (ISO/IEC 14496-12 §4.2): bytes ↔ boxes, with nothing known about what is in them.

A `Box` is a view into the input; `Fields` reads numbers from one, and every reading past its end is MalformedMedia.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass

from media.malformed import MalformedMedia

MAX_BOXES = 200_000  # in one container: a 3 h file in half-second fragments has 43,200 at its top
Bytes = bytes | bytearray | memoryview


@dataclass(frozen=True, slots=True)
class Box:
    """One box: its type, its payload, and where it begins and ends in what was read."""

    kind: bytes
    payload: memoryview
    start: int
    end: int


def box(kind: bytes, *parts: Bytes) -> bytes:
    """A box of these parts."""
    size = 8 + sum(map(len, parts))
    return b"".join((struct.pack(">I4s", size, kind), *parts))


def full_box(kind: bytes, version: int, flags: int, *parts: Bytes) -> bytes:
    """A box that begins with a version and flags."""
    return box(kind, (version << 24 | flags).to_bytes(4, "big"), *parts)


def split(data: Bytes) -> Iterator[Box]:
    """The boxes that stand one behind the other in `data`. Raises MalformedMedia where one does not fit."""
    view = memoryview(data)
    position, end, count = 0, len(view), 0
    while position < end:
        size, header = _size(view, position)
        if size < header or position + size > end:
            message = f"box at byte {position} of {size} bytes does not fit"
            raise MalformedMedia(message)
        count += 1
        if count > MAX_BOXES:
            message = f"more than {MAX_BOXES} boxes in one container"
            raise MalformedMedia(message)
        kind = bytes(view[position + 4 : position + 8])
        yield Box(kind, view[position + header : position + size], position, position + size)
        position += size


def find(data: Bytes, kind: bytes) -> Box | None:
    """The first box of a type, one level deep."""
    return next((child for child in split(data) if child.kind == kind), None)


def require(data: Bytes, *path: bytes) -> Box:
    """The box at the end of a path of types. Raises MalformedMedia if there is none."""
    found = None
    for kind in path:
        found = find(found.payload if found else data, kind)
        if found is None:
            message = f"no {kind.decode('latin-1')!r} box"
            raise MalformedMedia(message)
    if found is None:
        message = "no path to a box"
        raise MalformedMedia(message)
    return found


def _size(view: memoryview, position: int) -> tuple[int, int]:
    """Size of the box at a position and of its header: 0 means to the end, 1 that 64 bits follow."""
    if position + 8 > len(view):
        message = f"{len(view) - position} bytes at byte {position} are too few for a box"
        raise MalformedMedia(message)
    size = int.from_bytes(view[position : position + 4], "big")
    if size == 1:
        return int.from_bytes(view[position + 8 : position + 16], "big"), 16
    return size or len(view) - position, 8


class Fields:
    """Reads the fields of a box's payload in order."""

    def __init__(self, payload: memoryview) -> None:
        self._payload = payload
        self.position = 0

    def take(self, size: int) -> memoryview:
        """The next `size` bytes, as a view."""
        start = self.position
        if size < 0 or start + size > len(self._payload):
            message = "box ends in the middle of a field"
            raise MalformedMedia(message)
        self.position = start + size
        return self._payload[start : self.position]

    def u(self, size: int) -> int:
        """An unsigned number of `size` bytes."""
        return int.from_bytes(self.take(size), "big")

    def i(self, size: int) -> int:
        """A signed number of `size` bytes."""
        return int.from_bytes(self.take(size), "big", signed=True)

    def version_flags(self) -> tuple[int, int]:
        """Version and flags of a full box."""
        word = self.u(4)
        return word >> 24, word & 0xFFFFFF

    def rest(self) -> memoryview:
        """All bytes that are left."""
        return self.take(len(self._payload) - self.position)
