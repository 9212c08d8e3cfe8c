"""Background tasks are ended for certain: a cancellation may be swallowed, above all where what a task waits for comes
at the same moment (`asyncio.wait_for` of Python 3.11, python/cpython#86296), and who waits for its end would for ever.
"""

import asyncio
from collections.abc import Iterable
from typing import Any

import structlog

log = structlog.get_logger()

AGAIN_SECONDS = 1.0
TRIES = 5


async def end(tasks: Iterable[asyncio.Task[Any]], again_seconds: float = AGAIN_SECONDS) -> None:
    """Cancels them, up to five times; one that goes on all the same is told of and left."""
    pending = {task for task in tasks if not task.done()}
    for _ in range(TRIES):
        if not pending:
            return
        for task in pending:
            task.cancel()
        _, pending = await asyncio.wait(pending, timeout=again_seconds)
    for task in pending:
        log.error("task_does_not_end", task=task.get_name())
