"""A wire that can be cut, held or be slow: a TCP relay in the test's loop, between ingest and a server."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import TypeVar

CHUNK_BYTES = 65_536


class Direction:
    """What all connections carry one way: `carried` bytes so far, and when the last of them is through."""

    def __init__(self) -> None:
        self.carried = 0
        self._free_at = 0.0

    async def takes(self, size: int, bytes_per_second: float | None) -> None:
        """Returns when so many bytes more have had their time."""
        self.carried += size
        if bytes_per_second is not None:
            now = asyncio.get_running_loop().time()
            self._free_at = max(self._free_at, now) + size / bytes_per_second
            await asyncio.sleep(self._free_at - now)


class Relay:
    """Listens on `port` while it is whole; after `cut` every connection is reset and none is taken. While it is `held`
    nothing comes through, and nobody is told. `bytes_per_second` is what it carries each way, all connections together.
    """

    def __init__(self, host: str, port: int) -> None:
        self._to = (host, port)
        self._server: asyncio.Server | None = None
        self._writers: set[asyncio.StreamWriter] = set()
        self._flows = asyncio.Event()
        self._flows.set()
        self.port = 0
        self.bytes_per_second: float | None = None
        self.there, self.back = Direction(), Direction()

    async def mend(self) -> None:
        self._server = await asyncio.start_server(self._connected, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    def hold(self) -> None:
        self._flows.clear()

    def let_go(self) -> None:
        self._flows.set()

    async def cut(self) -> None:
        if self._server is not None:
            self._server.close()
            self._server = None
        for writer in list(self._writers):
            writer.transport.abort()

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        try:
            there_reader, there_writer = await asyncio.open_connection(*self._to)
            if self._server is None:  # cut between the kernel's accept and here
                there_writer.transport.abort()
                writer.transport.abort()
                return
            self._writers.add(there_writer)
            await asyncio.gather(
                self._requests(reader, there_writer, writer), self._pump(there_reader, writer, self.back)
            )
        except OSError:
            writer.transport.abort()
        finally:
            self._writers.discard(writer)

    async def _requests(
        self, reader: asyncio.StreamReader, there: asyncio.StreamWriter, back: asyncio.StreamWriter
    ) -> None:
        """All that comes from the client; `back` leads to it."""
        del back
        await self._pump(reader, there, self.there)

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, way: Direction) -> None:
        with suppress(OSError):
            while data := await reader.read(CHUNK_BYTES):
                await self._pass(data, writer, way)
        self._writers.discard(writer)
        writer.close()

    async def _pass(self, data: bytes, writer: asyncio.StreamWriter, way: Direction) -> None:
        await self._flows.wait()
        await way.takes(len(data), self.bytes_per_second)
        writer.write(data)
        await writer.drain()


R = TypeVar("R", bound=Relay)


@asynccontextmanager
async def relay(host: str, port: int) -> AsyncIterator[Relay]:
    """A relay that is whole at first."""
    async with opened(Relay(host, port)) as made:
        yield made


@asynccontextmanager
async def opened(made: R) -> AsyncIterator[R]:
    """The same for any kind of one."""
    await made.mend()
    try:
        yield made
    finally:
        await made.cut()
