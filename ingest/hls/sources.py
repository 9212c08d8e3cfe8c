"""Where a finished segment lies, and reading it from there: its spool file while that is there, its reel afterwards; or
another node's spool, which is asked for it. The holding picture lies nowhere: it is made again.
"""

import asyncio
from collections.abc import Awaitable, Callable
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TypeVar
from uuid import UUID

from ingest.events import Init
from ingest.hls.window import WindowSegment
from ingest.holding.loop import HoldingLoop
from media.sound import sound_of
from storage.objects.store import ObjectStore

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class SpoolSource:
    """`name` is within the take's folder, which all its segments share: a path of its own would be most of what is kept
    of a segment.
    """

    folder: Path
    name: str
    offset: int
    length: int

    @property
    def path(self) -> Path:
        return self.folder / self.name


@dataclass(frozen=True, slots=True)
class StoredSource:
    """Within a reel."""

    key: str
    offset: int
    length: int


@dataclass(frozen=True, slots=True)
class ElsewhereSource:
    """In the spool of another node, until that has brought it to the store."""

    session_id: UUID
    node: str
    url: str


Fetch = Callable[[ElsewhereSource, WindowSegment], Awaitable[bytes | None]]


class SegmentReader:
    """Reads segments in threads of its own, so that a slow store never holds up the loop; nor, since they are others,
    who reads from the spool. `elsewhere` asks other nodes.
    """

    def __init__(self, store: ObjectStore, threads: int = 8, elsewhere: Fetch | None = None) -> None:
        self._store = store
        self.elsewhere = elsewhere
        self._to_store = ThreadPoolExecutor(threads, "stored-segments")
        self.to_spool = ThreadPoolExecutor(threads, "spooled-segments")
        """Also for whoever sends from the spool by themselves."""

    def close(self) -> None:
        for threads in (self._to_store, self.to_spool):
            threads.shutdown(wait=False, cancel_futures=True)

    async def muxed(self, segment: WindowSegment) -> bytes | None:
        """The segment's bytes; None when they lie nowhere. Raises ObjectStoreFault."""
        if segment.in_memory:
            return b"".join(part.muxed for part in segment.parts if part.muxed is not None)
        source = segment.source
        if isinstance(source, HoldingLoop):
            return source.media(segment.start, segment.duration)
        if isinstance(source, SpoolSource):
            try:
                return await _run(self.to_spool, partial(_read_file, source))
            except FileNotFoundError:
                source = segment.source  # the spool let go of it in the meantime
        if isinstance(source, StoredSource):
            last = source.offset + source.length - 1
            return await _run(self._to_store, partial(self._store.read, source.key, source.offset, last))
        if isinstance(source, ElsewhereSource) and self.elsewhere is not None:
            return await self.elsewhere(source, segment)
        return None

    async def audio(self, segment: WindowSegment, init: Init) -> bytes | None:
        """The audio rendition's bytes of the segment, made from the muxed ones where they are not in memory."""
        if segment.in_memory:
            return b"".join(part.audio for part in segment.parts if part.audio is not None)
        muxed = await self.muxed(segment)
        return None if muxed is None else await _run(self.to_spool, partial(sound_of, init.tracks, muxed))


async def _run(threads: Executor, read: Callable[[], T]) -> T:
    return await asyncio.get_running_loop().run_in_executor(threads, read)


def _read_file(source: SpoolSource) -> bytes:
    with source.path.open("rb") as file:
        file.seek(source.offset)
        return file.read(source.length)
