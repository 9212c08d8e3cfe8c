"""A disk in one word: the worst, and each limit on both of its sides."""

import pytest

from domain.disk_state import DiskState, disk_state


@pytest.mark.parametrize(
    ("free", "failing", "state"),
    [
        (200, False, "good"),
        (199, False, "low"),
        (100, False, "low"),
        (99, False, "full"),
        (0, True, "failing"),
        (1000, True, "failing"),
    ],
)
def test_the_worst_is_said(free: int, failing: bool, state: str) -> None:
    assert disk_state(free, low_bytes=200, full_bytes=100, failing=failing) == DiskState(state)


def test_a_disk_whose_limits_are_the_same_is_never_low() -> None:
    assert disk_state(99, low_bytes=100, full_bytes=100) == DiskState.full
    assert disk_state(100, low_bytes=100, full_bytes=100) == DiskState.good
