"""Child processes started, watched and stopped together: what `lectern up` and the demo run on.

A child that ends by itself is started again with growing waits; each child dies with its parent, even when the parent
is killed, so that nothing is left behind.
"""

import asyncio
import functools
import os
import signal
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import structlog

from storage.parent_death import die_with_parent

log = structlog.get_logger()

RESTART_WAITS_SECONDS = (0.5, 1.0, 2.0, 5.0, 10.0)
# Long enough for an upload in flight to finish and be verified; `lectern up` promises an end within 5 s after that.
STOP_SECONDS = 30.0


@dataclass
class Child:
    """One process: its name in logs, its arguments after `lectern`, and how often it was started."""

    name: str
    arguments: Sequence[str]
    process: asyncio.subprocess.Process | None = None
    starts: int = 0
    watcher: asyncio.Task[None] | None = field(default=None, repr=False)


class Supervisor:
    """Runs children with one environment; `log_folder` takes their output, else it goes to this process's stderr."""

    def __init__(self, environ: Mapping[str, str], log_folder: Path | None = None) -> None:
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

    async def stop(self) -> list[str]:
        """SIGTERM in reverse order of start, SIGKILL after STOP_SECONDS; the names of those that had to be killed."""
        self._stopping = True
        for child in self._children:
            if child.watcher:
                child.watcher.cancel()
        for child in reversed(self._children):
            if child.process and child.process.returncode is None:
                child.process.terminate()
        killed = await asyncio.gather(*(self._ended(child) for child in self._children))
        return [name for name in killed if name]

    async def _ended(self, child: Child) -> str | None:
        if child.process is None:
            return None
        try:
            await asyncio.wait_for(child.process.wait(), STOP_SECONDS)
        except TimeoutError:
            child.process.kill()
            await child.process.wait()
            return child.name
        return None

    async def _spawn(self, child: Child) -> None:
        output = self._output(child.name)
        try:
            child.process = await asyncio.create_subprocess_exec(
                *console_script(), *child.arguments,
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
        while True:
            assert child.process is not None
            code = await child.process.wait()
            if self._stopping:
                return
            wait_seconds = RESTART_WAITS_SECONDS[min(child.starts, len(RESTART_WAITS_SECONDS)) - 1]
            log.error("process ended by itself", name=child.name, code=code, again_in_seconds=wait_seconds)
            await asyncio.sleep(wait_seconds)
            await self._spawn(child)


def console_script() -> tuple[str, ...]:
    """How to start Lectern again from itself: its console script, never `python -m` in a folder of strangers."""
    script = Path(sys.executable).with_name("lectern")
    return (str(script),) if script.exists() else (sys.executable, "-P", "-m", "lectern")
