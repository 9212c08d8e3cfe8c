"""`lectern ingest` as it is run, on uvloop and with its own wiring, and beside it in the same loop a clock that looks.

Run as a process: `python -m tests.ingest.watched_ingest FILE`. SIGUSR1 begins the watch anew; SIGUSR2 writes every
look to FILE and ends the process as SIGTERM does. A look is a pair, in seconds: how late the loop came back, less the
time that the kernel let its thread wait for a processor (`schedstat`, second field); and how much processor time the
loop's thread used meanwhile. The first counts disks and locks too, but on a busy machine also a thread of ours that is
kept from running while it holds the interpreter's lock, which no counter tells apart; the second is ours alone.
"""

import asyncio
import contextlib
import json
import os
import signal
import sys
import threading
import time
from pathlib import Path

import uvloop

from lectern.settings import load
from lectern.wiring.ingest import run_ingest

STEP_SECONDS = 0.005


async def look(looks: list[tuple[float, float]]) -> None:
    """Append one look every few milliseconds."""
    stat = Path(f"/proc/self/task/{threading.get_native_id()}/schedstat")
    loop = asyncio.get_running_loop()
    while True:
        began, waited, used = loop.time(), _waited(stat), time.thread_time()
        await asyncio.sleep(STEP_SECONDS)
        late = loop.time() - began - STEP_SECONDS
        looks.append((late - (_waited(stat) - waited), time.thread_time() - used))


def _waited(stat: Path) -> float:
    """Seconds that the thread was ready to run and had no processor."""
    return int(stat.read_text().split()[1]) / 1e9


async def main(told: Path) -> None:
    """Both, until SIGUSR2 or SIGTERM."""
    with contextlib.suppress(PermissionError):
        os.nice(-15)
    looks: list[tuple[float, float]] = []
    loop = asyncio.get_running_loop()
    looking = loop.create_task(look(looks))
    serving = loop.create_task(run_ingest(load(os.environ)))

    def end() -> None:
        looking.cancel()
        told.write_text(json.dumps(looks))
        os.kill(os.getpid(), signal.SIGTERM)

    loop.add_signal_handler(signal.SIGUSR1, looks.clear)
    loop.add_signal_handler(signal.SIGUSR2, end)
    await serving


if __name__ == "__main__":
    uvloop.run(main(Path(sys.argv[1])))
