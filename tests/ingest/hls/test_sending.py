"""Pieces of files over real sockets: clients that are slow, leave or stall; disks; files that are not as was said."""

import asyncio
import os
import socket
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import cast

import pytest

from ingest.hls.sending import Outcome, Sending
from ingest.hls.sources import SpoolSource

pytestmark = pytest.mark.anyio
HEAD = b"HTTP/1.1 200 OK\r\n\r\n"
LENGTH = 6_000_000
LIMIT_SECONDS = 20


@pytest.fixture(params=[True, False], ids=["uvloop", "asyncio"])
def anyio_backend(request: pytest.FixtureRequest) -> tuple[str, dict[str, bool]]:
    return "asyncio", {"use_uvloop": request.param}


@pytest.fixture
def piece(tmp_path: Path) -> SpoolSource:
    """All but the first bytes of a file."""
    path = tmp_path / "segment"
    path.write_bytes(os.urandom(LENGTH + 100))
    return SpoolSource(path.parent, path.name, 100, LENGTH)


@pytest.fixture
def threads() -> Iterator[ThreadPoolExecutor]:
    pool = ThreadPoolExecutor(2)
    yield pool
    pool.shutdown()


class Server(asyncio.Protocol):
    """Sends one piece to whoever comes."""

    def __init__(self, piece: SpoolSource, threads: ThreadPoolExecutor) -> None:
        self._piece, self._threads = piece, threads
        self.sending: Sending | None = None
        self.outcome: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        line = cast(asyncio.Transport, transport)
        self.sending = Sending(line, self._threads, HEAD, self._piece, self.outcome.set_result)
        self.sending.start()

    def connection_lost(self, exc: Exception | None) -> None:
        if self.sending is not None:
            self.sending.stop()


@asynccontextmanager
async def client(server: Server, user_timeout_ms: int = 0) -> AsyncIterator[socket.socket]:
    """Takes a few kilobytes at a time."""
    loop = asyncio.get_running_loop()
    listener = await loop.create_server(lambda: server, "127.0.0.1", 0)
    listener.sockets[0].setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, user_timeout_ms)
    with socket.socket() as line:
        line.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 16384)
        line.setblocking(False)
        await loop.sock_connect(line, listener.sockets[0].getsockname())
        yield line
    listener.close()


async def everything(line: socket.socket, length: int) -> bytes:
    came = bytearray()
    while len(came) < length:
        chunk = await asyncio.wait_for(asyncio.get_running_loop().sock_recv(line, 1 << 20), LIMIT_SECONDS)
        if not chunk:
            break
        came += chunk
    return bytes(came)


def descriptors() -> set[str]:
    """Of regular files and sockets that this process has open."""
    found = set()
    for name in os.listdir("/proc/self/fd"):
        try:
            target = os.readlink(f"/proc/self/fd/{name}")
        except OSError:
            continue
        if target.startswith("socket:") or target.endswith("segment"):
            found.add(f"{name} {target}")
    return found


async def test_a_client_that_reads_slowly_gets_every_byte(piece: SpoolSource, threads: ThreadPoolExecutor) -> None:
    before = descriptors()
    server = Server(piece, threads)
    async with client(server) as line:
        await asyncio.sleep(0.05)
        assert not server.outcome.done(), "nobody can have taken all of it"
        assert await everything(line, len(HEAD) + LENGTH) == HEAD + piece.path.read_bytes()[100:]
        assert await server.outcome is Outcome.sent
    await asyncio.sleep(0.05)
    assert descriptors() == before


async def test_what_lies_on_the_disk_alone_is_read_by_a_thread(
    piece: SpoolSource, threads: ThreadPoolExecutor, monkeypatch: pytest.MonkeyPatch
) -> None:
    with piece.path.open("rb") as file:
        os.fsync(file.fileno())
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
        try:
            os.preadv(file.fileno(), [bytearray(1)], piece.offset, os.RWF_NOWAIT)
        except BlockingIOError:
            pass
        else:
            pytest.skip("this file system keeps all in memory")
    submitted = 0
    submit = threads.submit

    def counted(*arguments: object) -> object:
        nonlocal submitted
        submitted += 1
        return submit(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(threads, "submit", counted)
    server = Server(piece, threads)
    async with client(server) as line:
        assert await everything(line, len(HEAD) + LENGTH) == HEAD + piece.path.read_bytes()[100:]
        assert await server.outcome is Outcome.sent
    assert submitted >= 1


async def test_who_leaves_in_the_middle_leaves_nothing_open(piece: SpoolSource, threads: ThreadPoolExecutor) -> None:
    before = descriptors()
    server = Server(piece, threads)
    async with client(server) as line:
        await everything(line, 1000)
    assert await asyncio.wait_for(server.outcome, LIMIT_SECONDS) is Outcome.broken
    await asyncio.sleep(0.05)
    assert descriptors() == before


async def test_who_takes_nothing_is_given_up_as_the_listener_says(
    piece: SpoolSource, threads: ThreadPoolExecutor
) -> None:
    server = Server(piece, threads)
    async with client(server, user_timeout_ms=300):
        assert await asyncio.wait_for(server.outcome, LIMIT_SECONDS) is Outcome.broken


async def test_a_file_that_is_shorter_than_was_said_breaks_off(piece: SpoolSource, threads: ThreadPoolExecutor) -> None:
    os.truncate(piece.path, 5000)
    server = Server(replace(piece, length=10_000), threads)
    async with client(server) as line:
        assert await asyncio.wait_for(server.outcome, LIMIT_SECONDS) is Outcome.broken
        assert await everything(line, len(HEAD) + 4900) == HEAD + piece.path.read_bytes()[100:]


async def test_a_file_that_is_gone_is_said_so_before_anything_is_sent(
    piece: SpoolSource, threads: ThreadPoolExecutor
) -> None:
    before = descriptors()
    piece.path.unlink()
    mine, other = socket.socketpair()
    with other:
        transport, _ = await asyncio.get_running_loop().create_connection(asyncio.Protocol, sock=mine)
        with pytest.raises(FileNotFoundError):
            Sending(transport, threads, HEAD, piece, lambda outcome: None)
        transport.abort()
    await asyncio.sleep(0.05)
    assert descriptors() == before
