"""What a blocking request may ask for, and how waiters wake."""

import asyncio
from datetime import UTC, datetime

import pytest

from ingest.events import Part, SegmentClosed, SegmentOpened
from ingest.hls.bell import Bell
from ingest.hls.blocking import BadDirectives, Directives, advance_part_limit, directives, wanted
from ingest.hls.window import LiveWindow


def window(closed: int, open_parts: int) -> LiveWindow:
    """Segments of four parts, and one with `open_parts`, if any."""
    made = LiveWindow(origin=datetime(2026, 1, 5, tzinfo=UTC), part_target_seconds=0.5)
    for serial in range(closed + (1 if open_parts else 0)):
        made.apply(SegmentOpened(serial, 1, serial * 180_000, False))
        for n in range(4 if serial < closed else open_parts):
            made.apply(Part(serial, n, serial * 180_000 + n * 45_000, 45_000, n == 0, b"p", None))
        if serial < closed:
            made.apply(SegmentClosed(serial, 180_000))
    return made


def test_directives_are_read() -> None:
    assert directives(b"") == Directives()
    assert directives(b"token=1&_HLS_msn=12&_HLS_part=3&_HLS_skip=YES") == Directives(12, 3, True)
    assert directives(b"_HLS_skip=v2") == Directives(skip=True)
    assert directives(b"_HLS_skip=no") == Directives()


@pytest.mark.parametrize(
    "query",
    [b"_HLS_part=1", b"_HLS_msn=-1", b"_HLS_msn=1.5", b"_HLS_msn=x", b"_HLS_msn=9999999999999", b"_HLS_msn=%FF"],
)
def test_directives_that_are_none(query: bytes) -> None:
    with pytest.raises(BadDirectives):
        directives(query)


def test_how_far_ahead_may_be_asked() -> None:
    """The last segment plus two (6.2.5.2), and parts within the advance part limit."""
    made = window(closed=5, open_parts=2)
    assert wanted(made, Directives(6)) == (6, None)
    with pytest.raises(BadDirectives):
        wanted(made, Directives(7))
    assert wanted(made, Directives(5, 2)) == (5, 2)
    assert wanted(made, Directives(5, 2 + advance_part_limit(0.5) - 1)) is not None
    with pytest.raises(BadDirectives):
        wanted(made, Directives(5, 2 + advance_part_limit(0.5)))
    with pytest.raises(BadDirectives):
        wanted(made, Directives(6, advance_part_limit(0.5)))
    assert (advance_part_limit(0.5), advance_part_limit(0.4), advance_part_limit(1.0), advance_part_limit(2.0)) == (
        6,
        8,
        3,
        3,
    )


def test_a_part_behind_the_last_is_the_first_of_the_next_segment() -> None:
    assert wanted(window(closed=5, open_parts=0), Directives(4, 4)) == (5, 0)


def test_nothing_is_waited_for_when_the_session_has_ended() -> None:
    made = window(closed=2, open_parts=0)
    made.end()
    assert wanted(made, Directives(99)) is None
    assert wanted(made, Directives()) is None


def test_what_a_window_has_reached() -> None:
    made = window(closed=5, open_parts=2)
    assert made.has_reached(4, None)
    assert not made.has_reached(5, None)
    assert made.has_reached(5, 1)
    assert not made.has_reached(5, 2)
    assert made.has_reached(3, 99)


def test_one_ring_wakes_all_and_one_that_leaves_takes_it_from_none() -> None:
    async def story() -> None:
        bell, flag = Bell(), False
        waiters = [asyncio.create_task(bell.until(lambda: flag, 5.0)) for _ in range(100)]
        await asyncio.sleep(0)
        waiters[0].cancel()
        bell.ring()  # not yet: they ask again and wait on
        await asyncio.sleep(0)
        flag = True
        bell.ring()
        woken = await asyncio.gather(*waiters, return_exceptions=True)
        assert isinstance(woken[0], asyncio.CancelledError)
        assert woken[1:] == [True] * 99

    asyncio.run(story())


def test_a_wait_that_is_too_long_says_so() -> None:
    assert asyncio.run(Bell().until(lambda: False, 0.0)) is False
