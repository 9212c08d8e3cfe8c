"""A bundled server as a child process that cannot outlive us.

The kernel sends a parent-death signal when the *thread* that forked ends, not the process. So each child has a thread
of its own that forks it and then waits for it: the signal comes exactly when this process is gone, whichever thread
called `start`. The child gets a session of its own, so that Ctrl-C reaches only us and we stop things in order.
"""

import contextlib
import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from queue import SimpleQueue
from types import TracebackType
from typing import Self, TypeVar

from storage.embedded.folder import FolderLock
from storage.embedded.ports import all_free, free_ports
from storage.parent_death import die_with_parent

READY_POLL_SECONDS = 0.02
KILL_WAIT_SECONDS = 5.0
LOG_TAIL_BYTES = 2_000
PORT_ATTEMPTS = 3


class ServerFailed(Exception):  # noqa: N818 - named for what happened
    """A bundled server did not come up; the message ends with the last lines of its log."""


class PortTaken(ServerFailed):
    """It did not come up because somebody listens on its port: another port may do."""


@dataclass(frozen=True)
class User:
    """Whom a server runs as."""

    uid: int
    gid: int


class Child:
    """One running server process; `exited` is set the moment it is gone."""

    def __init__(
        self,
        command: Sequence[str],
        *,
        lock: FolderLock,
        log: Path,
        death_signal: signal.Signals,
        environment: Mapping[str, str],
        user: User | None = None,
    ) -> None:
        self.exited = threading.Event()
        self.returncode: int | None = None
        self.pid = 0
        self._command = list(command)
        self._lock = lock
        self._log = log
        self._log_start = log.stat().st_size if log.exists() else 0
        self._death_signal = death_signal
        self._environment = dict(environment)
        self._user = user
        self._forked: SimpleQueue[OSError | None] = SimpleQueue()
        threading.Thread(target=self._live, name=f"keeper of {Path(command[0]).name}", daemon=True).start()
        if failure := self._forked.get():
            message = f"cannot start {command[0]}: {failure}"
            raise ServerFailed(message) from failure

    def _live(self) -> None:
        """The keeper thread: fork, then wait for the child's end."""
        try:
            process = self._fork()
        except OSError as failure:
            self.exited.set()
            self._forked.put(failure)
            return
        self.pid = process.pid
        self._forked.put(None)
        self.returncode = process.wait()
        self.exited.set()

    def _fork(self) -> subprocess.Popen[bytes]:
        parent = os.getpid()
        death_signal = self._death_signal
        with self._log.open("ab") as log:
            return subprocess.Popen(
                self._command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=self._environment,
                start_new_session=True,
                pass_fds=(self._lock.fd,),
                user=self._user.uid if self._user else None,
                group=self._user.gid if self._user else None,
                extra_groups=[] if self._user else None,
                preexec_fn=lambda: die_with_parent(death_signal, parent),  # noqa: PLW1509 - one prctl call, no lock
            )

    def log_since_start(self) -> str:
        """What the server has written since this start, its last part."""
        with self._log.open("rb") as log:
            log.seek(max(self._log_start, self._log.stat().st_size - LOG_TAIL_BYTES))
            return log.read().decode("utf-8", "replace")

    def failed(self, what: str) -> ServerFailed:
        """The exception that tells what went wrong, with the log's last words."""
        log = self.log_since_start()
        kind = PortTaken if "address already in use" in log.lower() else ServerFailed
        return kind(f"{Path(self._command[0]).name} {what}\n{log}")

    def until_ready(self, ready: Callable[[], bool], *, timeout_seconds: float) -> None:
        """Poll `ready` until it says yes; raises ServerFailed when the server ends or takes too long.

        Whatever is raised, by `ready` too, the server is dead then.
        """
        until = time.monotonic() + timeout_seconds
        try:
            while not ready():
                if self.exited.wait(READY_POLL_SECONDS):
                    raise self.failed(f"ended with code {self.returncode} while starting")
                if time.monotonic() > until:
                    raise self.failed(f"was not ready within {timeout_seconds:.0f} s")
        except BaseException:
            self.stop(signal.SIGKILL, grace_seconds=KILL_WAIT_SECONDS)
            raise

    def stop(self, first: signal.Signals, *, grace_seconds: float) -> None:
        """Send `first`, and SIGKILL when that has not ended the process after `grace_seconds`. Safe to call twice."""
        for sent, seconds in ((first, grace_seconds), (signal.SIGKILL, KILL_WAIT_SECONDS)):
            if self.exited.is_set():
                return
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, sent)
            if self.exited.wait(seconds):
                return
        raise self.failed("could not be killed")


Started = TypeVar("Started")


def on_port(given: int, begin: Callable[[int], Started]) -> Started:
    """`begin` on the given port, or on a free one when it is 0, and on another when somebody was quicker there."""
    if given:
        if not all_free([given]):
            message = f"port {given} is already in use"
            raise PortTaken(message)
        return begin(given)
    for _ in range(PORT_ATTEMPTS - 1):
        with contextlib.suppress(PortTaken):
            return begin(free_ports(1)[0])
    return begin(free_ports(1)[0])


class RunningServer:
    """What every bundled server has once started: its process, its folder's lock, and one way to end it."""

    stop_signal: signal.Signals
    stop_grace_seconds: float

    def __init__(self, child: Child, lock: FolderLock) -> None:
        self._child = child
        self._lock = lock

    @property
    def pid(self) -> int:
        return self._child.pid

    @property
    def exited(self) -> threading.Event:
        """Set when the process has ended, by `stop` or by itself."""
        return self._child.exited

    def stop(self) -> None:
        """End the server and let its folder go; when this returns the process is gone."""
        try:
            self._child.stop(self.stop_signal, grace_seconds=self.stop_grace_seconds)
        finally:
            self._lock.release()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
