"""Child processes started, watched and stopped together: what `lectern up` and the demo run on.

A child that ends by itself is started again with growing waits; each child dies with its parent, even when the parent
is killed, so that nothing is left behind.
"""

import asyncio
import functools
import os
import signal
import sys
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import structlog

from storage.parent_death import die_with_parent

log = structlog.get_logger()

RESTART_WAITS_SECONDS = (0.5, 1.0, 2.0, 5.0, 10.0)
# A child that ran for so long counts as well again: its next end waits the first wait.
STEADY_SECONDS = 60.0
# Long enough for an upload in flight to finish and be verified; `lectern up` promises an end within 5 s after that.
STOP_SECONDS = 30.0


@dataclass
class Child:
    """One process: its name in logs, its arguments after `lectern`, how often it was started and ended by itself."""

    name: str
    arguments: Sequence[str]
    process: asyncio.subprocess.Process | None = None
    starts: int = 0
    failures: int = 0
    """Ends by itself since it last ran steadily."""
    watcher: asyncio.Task[None] | None = field(default=None, repr=False)


class Supervisor:
    """Runs children with one environment; `log_folder` takes their output, else it goes to this process's stderr.

    `program` is what the arguments are given to: Lectern's own console script, unless a test says otherwise.
    """

    def __init__(
        self,
        environ: Mapping[str, str],
        log_folder: Path | None = None,
        *,
        program: Sequence[str] | None = None,
        restart_waits_seconds: Sequence[float] = RESTART_WAITS_SECONDS,
        stop_seconds: float = STOP_SECONDS,
    ) -> None:
        self._program = tuple(program or console_script())
        self._restart_waits_seconds = tuple(restart_waits_seconds)
        self._stop_seconds = stop_seconds
        self._environ = {**os.environ, **environ, "PYTHONSAFEPATH": "1"}
        self._log_folder = log_folder
        self._children: list[Child] = []
        self._stopping = False

    async def start(self, name: str, *arguments: str) -> Child:
        """Start `lectern ARGUMENTS` as `name` and watch it."""
        child = Child(name, arguments)
        await self._spawn(child)
        child.watcher = asyncio.create_task(self._watch(child), name=f"watch {name}")
        self._children.append(child)
        return child

    async def stop(self, first: Collection[str] = ()) -> list[str]:
        """End the children named in `first` and wait for them, then the others together: SIGTERM, and SIGKILL for
        whoever is still there after the stop's seconds. Returns the names of those that had to be killed.
        """
        self._stopping = True
        for child in self._children:
            if child.watcher:
                child.watcher.cancel()
        await asyncio.gather(*(child.watcher for child in self._children if child.watcher), return_exceptions=True)
        before = [child for child in self._children if child.name in first]
        after = [child for child in reversed(self._children) if child.name not in first]
        killed: list[str] = []
        for stage in (before, after):
            ends = await asyncio.gather(*(self._end(child) for child in stage))
            killed += [name for name in ends if name]
        return killed

    async def _end(self, child: Child) -> str | None:
        """End one child; its name when it had to be killed."""
        if child.process is None or child.process.returncode is not None:
            return None
        child.process.terminate()
        try:
            await asyncio.wait_for(child.process.wait(), self._stop_seconds)
        except TimeoutError:
            child.process.kill()
            await child.process.wait()
            return child.name
        return None

    async def _spawn(self, child: Child) -> None:
        output = self._output(child.name)
        try:
            child.process = await asyncio.create_subprocess_exec(
                *self._program, *child.arguments,
                env=self._environ, stdin=asyncio.subprocess.DEVNULL, stdout=output, stderr=output,
                start_new_session=True, preexec_fn=functools.partial(die_with_parent, signal.SIGTERM, os.getpid()),
            )  # fmt: skip
        finally:
            if output is not None:
                os.close(output)
        child.starts += 1

    def _output(self, name: str) -> int | None:
        if self._log_folder is None:
            return None
        self._log_folder.mkdir(parents=True, exist_ok=True)
        return os.open(self._log_folder / f"{name}.log", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)

    async def _watch(self, child: Child) -> None:
        loop = asyncio.get_running_loop()
        while True:
            assert child.process is not None
            began = loop.time()
            code = await child.process.wait()
            if self._stopping:
                return
            child.failures = 1 if loop.time() - began >= STEADY_SECONDS else child.failures + 1
            waits = self._restart_waits_seconds
            wait_seconds = waits[min(child.failures, len(waits)) - 1]
            log.error("process ended by itself", name=child.name, code=code, again_in_seconds=wait_seconds)
            await asyncio.sleep(wait_seconds)
            try:
                await self._spawn(child)
            except OSError as error:
                # No memory or no descriptors for a moment: the loop comes round with the next wait.
                log.error("process cannot be started", name=child.name, error=str(error))


def console_script() -> tuple[str, ...]:
    """How to start Lectern again from itself: its console script, never `python -m` in a folder of strangers."""
    script = Path(sys.executable).with_name("lectern")
    return (str(script),) if script.exists() else (sys.executable, "-P", "-m", "lectern")
