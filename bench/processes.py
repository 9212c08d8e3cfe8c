"""Programs that a benchmark runs: none outlives it, each has a log, and how it ended is known."""

import asyncio
import contextlib
import functools
import os
import signal
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from pathlib import Path

from lectern.complaint import Complaint
from storage.parent_death import die_with_parent

STOP_SECONDS = 10.0
LOG_TAIL_BYTES = 600
POLL_SECONDS = 0.05


class Program:
    """One running process and its log."""

    def __init__(self, process: asyncio.subprocess.Process, log: Path) -> None:
        self.process = process
        self.log = log

    @property
    def pid(self) -> int:
        return self.process.pid

    async def stop(self) -> int:
        """SIGTERM, and SIGKILL after STOP_SECONDS; its exit code."""
        with contextlib.suppress(ProcessLookupError):
            self.process.terminate()
        try:
            return await asyncio.wait_for(self.process.wait(), STOP_SECONDS)
        except TimeoutError:
            self.process.kill()
            return await self.process.wait()

    def must_run(self) -> None:
        """Complaint with its log's last words when it has ended by itself."""
        if self.process.returncode is not None:
            said = self.log.read_bytes()[-LOG_TAIL_BYTES:].decode(errors="replace").strip()
            raise Complaint(f"{self.log.stem} ended with code {self.process.returncode}: {said or 'without a word'}")


async def start(command: Sequence[str | Path], log: Path, environ: Mapping[str, str] | None = None) -> Program:
    """Start `command`, its output to `log`; it ends with this process, however that ends."""
    with log.open("wb") as output:
        process = await asyncio.create_subprocess_exec(
            *map(str, command),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            env=environ,
            start_new_session=True,
            preexec_fn=functools.partial(die_with_parent, signal.SIGTERM, os.getpid()),
        )
    return Program(process, log)


@contextlib.asynccontextmanager
async def running(
    command: Sequence[str | Path], log: Path, environ: Mapping[str, str] | None = None
) -> AsyncIterator[Program]:
    """A program for the length of a block."""
    program = await start(command, log, environ)
    try:
        yield program
    finally:
        await program.stop()


async def until(
    ready: Callable[[], Awaitable[bool]], seconds: float, what: str, programs: Sequence[Program] = ()
) -> None:
    """Wait for `ready`; Complaint when it takes too long, or when one of `programs` ends meanwhile."""
    try:
        async with asyncio.timeout(seconds):
            while not await ready():
                for one in programs:
                    one.must_run()
                await asyncio.sleep(POLL_SECONDS)
    except TimeoutError:
        raise Complaint(f"{what} took more than {seconds:.0f} s") from None
