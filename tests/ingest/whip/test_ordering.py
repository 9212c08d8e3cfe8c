"""Order, holes and numbers that wrap."""

from hypothesis import given
from hypothesis import strategies as st

from ingest.whip.counters import Unwrapper
from ingest.whip.ordering import MAX_HELD, Ordering
from ingest.whip.rtp import RtpPacket


def packet(number: int) -> RtpPacket:
    return RtpPacket(96, False, number & 0xFFFF, 0, 1, memoryview(b"x"))


def numbers(ready: list[tuple[int, RtpPacket]]) -> list[int]:
    return [number for number, _ in ready]


def test_in_order_is_handed_on_at_once() -> None:
    ordering = Ordering(0.1)
    assert [numbers(ordering.add(n, packet(n), 0.0)) for n in (5, 6, 7)] == [[5], [6], [7]]


def test_a_hole_is_waited_for_and_filled() -> None:
    ordering = Ordering(0.1)
    ordering.add(5, packet(5), 0.0)
    assert ordering.add(8, packet(8), 0.0) == []
    assert ordering.add(7, packet(7), 0.01) == []
    assert ordering.missing(10) == [6]
    assert numbers(ordering.add(6, packet(6), 0.05)) == [6, 7, 8]
    assert not ordering.holding


def test_a_hole_is_given_up_and_what_comes_for_it_dropped() -> None:
    ordering = Ordering(0.1)
    ordering.add(5, packet(5), 0.0)
    ordering.add(7, packet(7), 0.0)
    ordering.add(9, packet(9), 0.05)
    assert numbers(ordering.expire(0.09)) == []
    assert numbers(ordering.expire(0.1)) == [7]
    assert ordering.missing(10) == [8]
    assert numbers(ordering.expire(0.16)) == [9]
    assert ordering.add(6, packet(6), 0.2) == []
    assert ordering.late == 1


def test_twice_the_same_comes_once() -> None:
    ordering = Ordering(0.1)
    ordering.add(5, packet(5), 0.0)
    ordering.add(7, packet(7), 0.0)
    assert ordering.add(7, packet(7), 0.0) == []
    assert ordering.add(5, packet(5), 0.0) == []
    assert ordering.late == 2


def test_a_leap_is_not_waited_for() -> None:
    ordering = Ordering(0.1)
    ordering.add(5, packet(5), 0.0)
    far = 5 + MAX_HELD + 2
    assert numbers(ordering.add(far, packet(far), 0.0)) == [far]


@given(st.permutations(range(12)), st.integers(0, 0xFFFF))
def test_any_order_within_the_wait_comes_out_whole(order: list[int], first: int) -> None:
    unwrap, ordering = Unwrapper(16), Ordering(1.0)
    out = numbers(ordering.add(unwrap(first), packet(first), 0.0))
    for offset in order:
        wire = (first + 1 + offset) & 0xFFFF
        out += numbers(ordering.add(unwrap(wire), packet(wire), 0.0))
    assert out == list(range(out[0], out[0] + 13))


@given(st.integers(0, 2**32 - 1), st.lists(st.integers(-(2**30), 2**30), max_size=30))
def test_extended_numbers_keep_their_distances(start: int, steps: list[int]) -> None:
    unwrap, true = Unwrapper(32), start
    base = unwrap(start) - start
    highest = start
    for step in steps:
        true = highest + step
        assert unwrap(true % 2**32) == true + base
        highest = max(highest, true)
