"""The bell alone: who is woken, when, and in what order."""

import asyncio
import time
from functools import partial

from ingest.hls.bell import TURN_SECONDS, Bell


def _keep(kept: list[int], number: int, found: bool) -> None:
    assert found
    kept.append(number)


def test_nobody_is_answered_by_who_rings_and_all_are_soon_in_their_order() -> None:
    async def story() -> list[int]:
        bell, woken, open_ = Bell(), list[int](), False
        for number in range(100):
            bell.when(lambda: open_, 5.0, partial(_keep, woken, number))
        bell.ring()
        await asyncio.sleep(0)
        assert woken == []
        open_ = True
        bell.ring()
        assert woken == [], "the part that rang is not held up"
        await asyncio.sleep(0.01)
        return woken

    assert asyncio.run(story()) == list(range(100))


def test_answering_takes_turns() -> None:
    async def story() -> int:
        bell, woken, others = Bell(), list[bool](), 0

        def slow(found: bool) -> None:
            time.sleep(TURN_SECONDS)
            woken.append(found)

        for _ in range(5):
            bell.when(lambda: True, 5.0, slow)
        bell.ring()
        while len(woken) < 5:
            others += 1
            await asyncio.sleep(0)
        return others

    assert asyncio.run(story()) >= 5


def test_whose_time_is_over_is_told_so_and_the_rest_wait_on() -> None:
    async def story() -> None:
        bell, told = Bell(), list[tuple[str, bool]]()
        bell.when(lambda: False, 0.02, lambda found: told.append(("first", found)))
        await asyncio.sleep(0.01)
        bell.when(lambda: False, 0.02, lambda found: told.append(("second", found)))
        await asyncio.sleep(0.015)
        assert told == [("first", False)]
        await asyncio.sleep(0.02)
        assert told == [("first", False), ("second", False)]

    asyncio.run(story())
