"""Loads of the same segments on two sides, in turns of the fetcher's process: bytes that each sent per CPU second."""

import asyncio
import dataclasses
import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bench.fetcher import Order
from bench.measure import Meter, Usage
from lectern.complaint import Complaint

MIB = 2**20


@dataclass(frozen=True)
class Load:
    """One turn of load on one side."""

    bytes: int
    requests: int
    usage: Usage
    store_cpu_seconds: float = 0.0

    @property
    def mib_per_cpu_second(self) -> float:
        """Of the side's own processes."""
        return self.bytes / MIB / self.usage.cpu_seconds

    def to_json(self) -> dict[str, Any]:
        """All raw values."""
        return {
            "bytes": self.bytes, "requests": self.requests, "cpu_seconds": self.usage.cpu_seconds,
            "wall_seconds": self.usage.wall_seconds, "rss_mib": self.usage.rss_mib,
            "store_cpu_seconds": self.store_cpu_seconds, "mib_per_cpu_second": round(self.mib_per_cpu_second, 1),
        }  # fmt: skip


async def loads(
    sides: Mapping[str, tuple[Order, Sequence[int]]], store_pids: Sequence[int], rounds: int, warm_seconds: float
) -> dict[str, list[Load]]:
    """Load on each side, which is these processes, in turns, after some of each that does not count. Complaint where a
    side fails.
    """
    for order, _ in sides.values():
        await load(dataclasses.replace(order, seconds=warm_seconds), [], [])
    found: dict[str, list[Load]] = {side: [] for side in sides}
    for _ in range(rounds):
        for side, (order, pids) in sides.items():
            found[side].append(await load(order, pids, store_pids))
    return found


async def load(order: Order, pids: Sequence[int], store_pids: Sequence[int]) -> Load:
    """One turn: what the fetcher got, and what these processes used for it."""
    meter, stores = Meter(pids), Meter(store_pids)
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-P", "-m", "bench.fetcher",
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    told, _ = await process.communicate(json.dumps(dataclasses.asdict(order)).encode())
    used, by_stores = meter.stop(), stores.stop()
    found: dict[str, Any] = json.loads(told)
    if found["failures"]:
        raise Complaint(f"fetching from port {order.port}: {found['failures'][0]}")
    return Load(found["bytes"], found["requests"], used, by_stores.cpu_seconds)


def total(turns: Sequence[Load]) -> float:
    """MiB per CPU second over all turns."""
    return sum(one.bytes for one in turns) / MIB / sum(one.usage.cpu_seconds for one in turns)
