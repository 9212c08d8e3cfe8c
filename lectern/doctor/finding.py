"""What a check found, and what a person should do about it."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from lectern.settings import Settings


class Verdict(StrEnum):
    """How bad it is; only `bad` makes the exit code 1."""

    good = "good"
    doubtful = "doubtful"
    bad = "bad"


@dataclass(frozen=True)
class Finding:
    """One line: what is so, and, unless it is good, what to do."""

    verdict: Verdict
    found: str
    remedy: str = ""


@dataclass(frozen=True)
class Check:
    """One question about this machine; `examine` may block and may raise, the run bounds both."""

    title: str
    examine: Callable[[Settings], Finding]
    of: tuple[str, ...] = ()
    """The processes that it matters to; empty: all of them."""


def good(found: str) -> Finding:
    """All is well."""
    return Finding(Verdict.good, found)


def doubtful(found: str, remedy: str) -> Finding:
    """It works, or could not be seen; a person should know."""
    return Finding(Verdict.doubtful, found, remedy)


def bad(found: str, remedy: str) -> Finding:
    """Lectern cannot work so."""
    return Finding(Verdict.bad, found, remedy)
