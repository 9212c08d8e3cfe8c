"""A task that swallows a cancellation is cancelled again; one that never ends holds nobody up."""

import asyncio

import pytest

from ingest.ending import end

pytestmark = pytest.mark.anyio


async def deaf(times: int) -> None:
    """Goes on after so many cancellations."""
    while times:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            times -= 1
    await asyncio.Event().wait()


async def failing() -> None:
    raise OSError("as tasks do")


async def test_all_are_ended() -> None:
    tasks = [asyncio.create_task(deaf(times)) for times in (0, 1, 2)]
    tasks.append(asyncio.create_task(failing()))
    await asyncio.sleep(0)
    async with asyncio.timeout(5):
        await end(tasks, again_seconds=0.02)
    assert all(task.done() for task in tasks)
    assert isinstance(tasks[-1].exception(), OSError)


async def test_one_that_never_ends_holds_nobody_up() -> None:
    stubborn = asyncio.create_task(deaf(50), name="stubborn")
    await asyncio.sleep(0)
    async with asyncio.timeout(5):
        await end([stubborn], again_seconds=0.01)
    assert not stubborn.done()
    while not stubborn.done():
        stubborn.cancel()
        await asyncio.sleep(0)


async def test_none_is_no_wait() -> None:
    await end([])
