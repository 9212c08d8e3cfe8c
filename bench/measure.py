"""What every benchmark shares: CPU seconds of a process and its children, the machine's description, ratios.

CPU is user + system time of the server's own processes, never wall time: the machines are shared and noisy, so a figure
is quoted as a ratio to a peer that ran in the same minutes.
"""

import os
import platform
import time
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import psutil


@dataclass(frozen=True)
class Usage:
    """CPU seconds, wall seconds and resident memory (MiB: at the end, and by how much it grew) of some processes over
    one measurement.
    """

    cpu_seconds: float
    wall_seconds: float
    rss_mib: float
    rss_grown_mib: float

    @property
    def cores(self) -> float:
        """CPU seconds per second: 1.0 is one whole core."""
        return self.cpu_seconds / self.wall_seconds


class Meter:
    """Measures processes with all their descendants between `start` and `stop`."""

    def __init__(self, pids: Iterable[int]) -> None:
        self._roots = [psutil.Process(pid) for pid in pids]
        self._started_cpu, self._started_rss = self._cpu(), self._rss()
        self._started = time.monotonic()

    def stop(self) -> Usage:
        """What was used since this meter was made."""
        cpu, wall, rss = self._cpu() - self._started_cpu, time.monotonic() - self._started, self._rss()
        return Usage(cpu, wall, rss, rss - self._started_rss)

    def _processes(self) -> list[psutil.Process]:
        found = {one.pid: one for root in self._roots for one in (root, *root.children(recursive=True))}
        return list(found.values())

    def _cpu(self) -> float:
        return sum(times.user + times.system for times in (one.cpu_times() for one in self._processes()))

    def _rss(self) -> float:
        return float(sum(one.memory_info().rss for one in self._processes()) / 2**20)


def machine() -> dict[str, Any]:
    """What the figures were measured on."""
    return {
        "cores": os.cpu_count(),
        "memory_gib": round(psutil.virtual_memory().total / 2**30, 1),
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
    }


def ratio(own: float, peer: float) -> float | None:
    """own ÷ peer, rounded; None where the peer measured nothing."""
    return round(own / peer, 3) if peer else None
