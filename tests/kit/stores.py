"""The three stores of one house, each of which can be frozen, killed and brought back at the same address."""

import asyncio
import contextlib
import os
import signal
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from storage.embedded import postgres, s3, valkey
from storage.embedded.child import RunningServer

EXIT_SECONDS = 10.0
START: dict[str, Callable[..., Any]] = {"postgres": postgres.start, "valkey": valkey.start, "s3": s3.start}


@dataclass
class Stores:
    """`running` by name: postgres, valkey, s3."""

    folder: Path
    running: dict[str, Any]

    def environ(self) -> dict[str, str]:
        """Where they are, as settings without their prefix."""
        database, queue, objects = (self.running[name] for name in ("postgres", "valkey", "s3"))
        return {
            "STORAGE_DATABASE_URL": database.url,
            "STORAGE_DATABASE_OWNER_URL": database.owner_url,
            "STORAGE_VALKEY_URL": queue.url,
            "STORAGE_S3_ENDPOINT": objects.endpoint,
            "STORAGE_S3_ACCESS_KEY": objects.access_key,
            "STORAGE_S3_SECRET_KEY": objects.secret_key,
            "STORAGE_S3_BUCKET": objects.bucket,
        }

    def freeze(self, name: str) -> None:
        """As a machine that hangs: connections stand and nothing answers."""
        top = psutil.Process(self.running[name].pid)
        top.suspend()  # first, so that it starts nobody meanwhile
        for one in top.children(recursive=True):
            with contextlib.suppress(psutil.NoSuchProcess):
                one.suspend()

    def thaw(self, name: str) -> None:
        """It goes on where it was."""
        top = psutil.Process(self.running[name].pid)
        for one in [*top.children(recursive=True), top]:
            with contextlib.suppress(psutil.NoSuchProcess):
                one.resume()

    def kill(self, name: str) -> None:
        """As a machine that loses power: connections are refused from here on."""
        server: RunningServer = self.running[name]
        os.kill(server.pid, signal.SIGKILL)
        assert server.exited.wait(EXIT_SECONDS)
        server.stop()  # lets its folder go

    def restart(self, name: str) -> None:
        """Again over the same folder, at the same address."""
        self.running[name] = START[name](self.folder / name, port=self.running[name].port)

    @contextlib.asynccontextmanager
    async def away(self, name: str, how: str) -> AsyncIterator[None]:
        """Gone for the block, `how` is freeze or kill; back whatever happens in it."""
        go, come = (self.freeze, self.thaw) if how == "freeze" else (self.kill, self.restart)
        await asyncio.to_thread(go, name)
        try:
            yield
        finally:
            await asyncio.to_thread(come, name)


@contextlib.contextmanager
def stores(folder: Path) -> Iterator[Stores]:
    """All three, started side by side; the last to be gone when the block ends."""
    folder.mkdir(parents=True)
    with ThreadPoolExecutor(len(START)) as threads:
        futures = {name: threads.submit(start, folder / name) for name, start in START.items()}
        made = Stores(folder, {name: future.result() for name, future in futures.items()})
    try:
        yield made
    finally:
        for name in made.running:
            with contextlib.suppress(psutil.NoSuchProcess):
                made.thaw(name)
        for server in made.running.values():
            server.stop()
