"""Wakes everyone who waits for a session's next change: viewers held by blocking reload, by the thousand.

Rule: who rings is in the middle of a part, so nothing is answered within `ring`; and answering takes turns of the loop,
so that media has its own.
"""

import asyncio
import time
from collections import deque
from collections.abc import Callable
from typing import NamedTuple

TURN_SECONDS = 0.005
"""How long one turn of the loop may answer before others have theirs."""


class _Waiting(NamedTuple):
    ready: Callable[[], bool]
    done: Callable[[bool], None]
    deadline: float


class Bell:
    """One for a live session."""

    def __init__(self) -> None:
        self._waiting: deque[_Waiting] = deque()
        self._due: deque[tuple[Callable[[bool], None], bool]] = deque()
        self._turn: asyncio.Handle | None = None
        self._timer: asyncio.TimerHandle | None = None

    def ring(self) -> None:
        """Something changed: whoever is ready now is answered soon, in the order in which they came. Those who wait
        for the same by the same callable are asked once.
        """
        if not self._waiting:
            return
        waiting, self._waiting = self._waiting, deque()
        found: dict[Callable[[], bool], bool] = {}
        for one in waiting:
            is_ready = found.get(one.ready)
            if is_ready is None:
                is_ready = found[one.ready] = one.ready()
            if is_ready:
                self._due.append((one.done, True))
            else:
                self._waiting.append(one)
        self._answer_soon()

    def when(self, ready: Callable[[], bool], limit_seconds: float, done: Callable[[bool], None]) -> None:
        """Calls `done(True)` once `ready` at a ring, `done(False)` when the time is over first. Who waits at one bell
        has one limit, or the longer holds up the shorter.
        """
        self._waiting.append(_Waiting(ready, done, time.monotonic() + limit_seconds))
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(limit_seconds, self._expire)

    async def until(self, ready: Callable[[], bool], limit_seconds: float) -> bool:
        """Waits until `ready`; asked at once and at every ring. False when the time is over first."""
        if ready():
            return True
        over: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self.when(ready, limit_seconds, lambda found: None if over.done() else over.set_result(found))
        return await over

    def _expire(self) -> None:
        self._timer = None
        now = time.monotonic()
        while self._waiting and self._waiting[0].deadline <= now:
            one = self._waiting.popleft()
            self._due.append((one.done, one.ready()))
        if self._waiting:
            left_seconds = self._waiting[0].deadline - now
            self._timer = asyncio.get_running_loop().call_later(left_seconds, self._expire)
        self._answer_soon()

    def _answer_soon(self) -> None:
        if self._due and self._turn is None:
            self._turn = asyncio.get_running_loop().call_soon(self._answer)

    def _answer(self) -> None:
        self._turn = None
        until = time.monotonic() + TURN_SECONDS
        while self._due:
            done, found = self._due.popleft()
            done(found)
            if time.monotonic() >= until:
                break
        self._answer_soon()
