"""Runs the checks side by side, each in a thread of its own and no longer than its time.

A check that hangs (a server that takes a connection and says nothing) is left behind: its thread is a daemon and ends
with the process.
"""

import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from queue import Empty, SimpleQueue

from lectern.doctor.finding import Check, Finding, bad
from lectern.settings import Settings

LONGEST_SECONDS = 10.0


@dataclass(frozen=True)
class Examined:
    """A check's title, what it found, and how long that took."""

    title: str
    finding: Finding
    seconds: float


def examine(
    checks: Sequence[Check], settings: Settings, longest_seconds: float = LONGEST_SECONDS
) -> Iterator[Examined]:
    """All checks, in their order, each as soon as it and those before it are done."""
    started = time.monotonic()
    waiting = [(check, _begin(check, settings)) for check in checks]
    for check, answer in waiting:
        left = max(0.0, started + longest_seconds - time.monotonic())
        try:
            finding, seconds = answer.get(timeout=left)
        except Empty:
            finding = bad(f"no answer within {longest_seconds:g} s", "see whether what it asks is overloaded or hangs")
            seconds = longest_seconds
        yield Examined(check.title, finding, seconds)


def _begin(check: Check, settings: Settings) -> SimpleQueue[tuple[Finding, float]]:
    answer: SimpleQueue[tuple[Finding, float]] = SimpleQueue()

    def run() -> None:
        started = time.monotonic()
        try:
            finding = check.examine(settings)
        except Exception as error:
            text = str(error).strip().splitlines()
            finding = bad(f"{type(error).__name__}: {text[0] if text else 'no text'}", "the check itself failed so")
        answer.put((finding, time.monotonic() - started))

    threading.Thread(target=run, name=f"check {check.title}", daemon=True).start()
    return answer
