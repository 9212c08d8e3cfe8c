"""Spans, windows and clashes; the quick finder of clashes is compared with the plain one, pair by pair."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import combinations
from time import perf_counter
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.kinds import BookingKind
from domain.refusals import Refusal
from domain.schedule import (
    MAX_SESSION_SECONDS,
    Booking,
    During,
    bookings_of,
    clashes,
    require_free,
    require_span,
    window,
)

NINE = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)
ONE, TWO, THREE = (UUID(int=n) for n in range(1, 4))


def _during(start: float, end: float) -> During:
    """Minutes after nine."""
    return During(NINE + timedelta(minutes=start), NINE + timedelta(minutes=end))


def _room(session: UUID | None, start: float, end: float, room: str = "101") -> Booking:
    return Booking(BookingKind.room, room, _during(start, end), session)


def test_a_class_that_begins_as_another_ends_clashes_with_nothing() -> None:
    assert not _during(0, 45).overlaps(_during(45, 90))
    assert not _during(45, 90).overlaps(_during(0, 45))
    assert _during(0, 45).overlaps(_during(44, 90))
    assert _during(0, 90).overlaps(_during(30, 40))
    assert [_during(0, 45).holds(NINE + timedelta(minutes=m)) for m in (-1, 0, 44, 45)] == [False, True, True, False]
    assert clashes([_room(ONE, 0, 45), _room(TWO, 45, 90)]) == []


def test_the_same_room_at_the_same_time_is_told_once_with_both_sessions() -> None:
    first, second = _room(ONE, 0, 45), _room(TWO, 30, 90)
    (clash,) = clashes([second, first])
    assert (clash.first, clash.second) == (first, second)


def test_other_rooms_other_kinds_and_ones_own_bookings_do_not_clash() -> None:
    instructor = replace(_room(TWO, 0, 45), kind=BookingKind.instructor)
    assert clashes([_room(ONE, 0, 45), _room(TWO, 0, 45, "102"), instructor, _room(ONE, 10, 20)]) == []


def test_a_cancelled_booking_frees_its_slot_and_an_override_carries_its_reason() -> None:
    for freed in (replace(_room(TWO, 0, 45), active=False), replace(_room(TWO, 0, 45), override_reason="合班")):
        assert not freed.excludes()
        assert clashes([_room(ONE, 0, 45), freed]) == []


def test_two_bookings_of_no_session_clash_all_the_same() -> None:
    assert len(clashes([_room(None, 0, 45), _room(None, 0, 45)])) == 1


minutes = st.integers(0, 60)
spans = st.tuples(minutes, minutes).filter(lambda pair: pair[0] < pair[1]).map(lambda pair: _during(*pair))
some_bookings = st.lists(
    st.builds(
        Booking,
        st.sampled_from([BookingKind.room, BookingKind.instructor]),
        st.sampled_from(["101", "102"]),
        spans,
        st.sampled_from([ONE, TWO, THREE]) | st.none(),
        st.booleans(),
        st.none() | st.just("合班"),
    ),
    max_size=12,
)


def _plainly_clash(one: Booking, other: Booking) -> bool:
    same_thing = (one.kind, one.resource) == (other.kind, other.resource)
    same_session = one.session_id is not None and one.session_id == other.session_id
    return one.excludes() and other.excludes() and same_thing and not same_session and one.during.overlaps(other.during)


@given(some_bookings)
def test_exactly_the_pairs_that_clash_are_found(bookings: list[Booking]) -> None:
    found = [frozenset({id(clash.first), id(clash.second)}) for clash in clashes(bookings)]
    plain = {frozenset({id(a), id(b)}) for a, b in combinations(bookings, 2) if _plainly_clash(a, b)}
    assert len(found) == len(set(found))
    assert set(found) == plain


@given(some_bookings)
def test_clashes_are_told_in_the_order_of_time(bookings: list[Booking]) -> None:
    told = clashes(bookings)
    starts = [clash.second.during.starts_at for clash in told]
    assert starts == sorted(starts)
    assert all(clash.first.during.starts_at <= clash.second.during.starts_at for clash in told)


def test_a_terms_timetable_is_searched_in_no_time() -> None:
    """40,000 bookings (design: 10,000 occurrences of 4) of which none clash: pairs would be 800 million."""
    bookings = [
        Booking(kind, str(room), _during(slot * 50, slot * 50 + 45), UUID(int=room * 1000 + slot))
        for kind in BookingKind
        for room in range(20)
        for slot in range(500)
    ]
    began = perf_counter()
    assert clashes(bookings) == []
    assert perf_counter() - began < 5


def test_a_wanted_booking_meets_what_is_taken_and_is_told_by_whom() -> None:
    taken = [_room(TWO, 0, 45), _room(THREE, 0, 45, "102")]
    with pytest.raises(Refusal) as no:
        require_free([_room(ONE, 30, 60)], taken)
    assert no.value.code == "slot_taken"
    assert no.value.facts == {
        "kind": "room",
        "resource": "101",
        "session_id": str(TWO),
        "starts_at": "2026-03-02T01:00:00Z",
        "ends_at": "2026-03-02T01:45:00Z",
    }
    with pytest.raises(Refusal) as no:
        require_free([_room(ONE, 0, 60)], [_room(TWO, 30, 90)])
    assert no.value.facts["session_id"] == str(TWO)


def test_a_session_that_moves_is_not_kept_out_by_itself_nor_by_others_old_quarrels() -> None:
    require_free([_room(ONE, 30, 60)], [_room(ONE, 0, 45)])
    require_free([_room(ONE, 60, 90)], [_room(TWO, 0, 45), _room(THREE, 0, 45)])


def test_a_window_reaches_from_before_the_start_to_after_the_end() -> None:
    assert window(NINE, NINE + timedelta(minutes=45), 900, 1800) == _during(-15, 75)


@pytest.mark.parametrize("length", [timedelta(0), timedelta(minutes=-1), timedelta(seconds=MAX_SESSION_SECONDS + 1)])
def test_a_session_that_ends_before_it_begins_or_never_is_refused(length: timedelta) -> None:
    with pytest.raises(Refusal, match="window_invalid"):
        require_span(NINE, NINE + length)


def test_a_session_of_a_minute_or_of_the_longest_day_is_taken() -> None:
    assert MAX_SESSION_SECONDS == 57_600
    assert require_span(NINE, NINE + timedelta(minutes=1)) == _during(0, 1)
    assert require_span(NINE, NINE + timedelta(seconds=MAX_SESSION_SECONDS)).starts_at == NINE
    with pytest.raises(ValueError, match="zone"):
        require_span(NINE, datetime(2026, 3, 2, 2))  # noqa: DTZ001 - the fault under test


def test_a_session_books_its_room_instructor_cohort_and_equipment() -> None:
    booked = bookings_of(
        ONE, _during(0, 45), room=" 101 ", instructor_id=TWO, cohort_id=THREE, equipment=["encoder-1", ""]
    )
    assert [(booking.kind.value, booking.resource) for booking in booked] == [
        ("room", "101"),
        ("instructor", str(TWO)),
        ("cohort", str(THREE)),
        ("equipment", "encoder-1"),
    ]
    assert {booking.session_id for booking in booked} == {ONE}
    assert bookings_of(ONE, _during(0, 45), room="  ") == ()
