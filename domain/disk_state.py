"""What a disk that recordings are first written to is good for, in one word for pages and operators.

Rule of this file: the worst is said. A disk that fails may lose what it has already; a full one takes nothing more; one
that is low has nothing left that could be freed, and will be full.
"""

from enum import StrEnum, auto


class DiskState(StrEnum):
    """From well to worst; words are an interface and never renamed."""

    good = auto()
    low = auto()
    full = auto()
    failing = auto()


def disk_state(free_bytes: int, *, low_bytes: int, full_bytes: int, failing: bool = False) -> DiskState:
    """`free_bytes` are left after all was freed that may be; `failing`: it does not keep, or not take, what it is
    given though there is room.
    """
    if failing:
        return DiskState.failing
    if free_bytes < full_bytes:
        return DiskState.full
    return DiskState.low if free_bytes < low_bytes else DiskState.good
