"""No double booking, ever; a report first, a swap in one transaction, and a refusal that says who is in the way."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError

from domain.kinds import BookingKind
from domain.refusals import Refusal, RefusalCode
from domain.schedule import Booking as Wish
from domain.schedule import During, bookings_of
from storage.catalogue import bookings
from storage.catalogue.tables.booking import Booking
from storage.catalogue.transaction import Catalogue, Transaction
from tests.storage.catalogue.builders import NOON, place, session

pytestmark = pytest.mark.anyio

HOUR = timedelta(hours=1)


def wish(session_id: UUID, room: str, hour: int = 0, hours: int = 1, reason: str | None = None) -> Wish:
    during = During(NOON + hour * HOUR, NOON + (hour + hours) * HOUR)
    return Wish(BookingKind.room, room, during, session_id, override_reason=reason)


async def three_sessions(catalogue: Catalogue) -> Sequence[UUID]:
    async with catalogue.transaction() as tx:
        at = await place(tx)
        return [(await session(tx, at)).id for _ in range(3)]


async def book(catalogue: Catalogue, *wanted: Wish) -> None:
    async with catalogue.transaction() as tx:
        await bookings.book(tx, wanted)


async def booked(catalogue: Catalogue) -> list[tuple[UUID, str]]:
    async with catalogue.transaction() as tx:
        rows = await tx.session.execute(select(Booking.session_id, Booking.resource).where(Booking.active))
        return sorted((row.session_id, row.resource) for row in rows)


async def test_a_double_booking_is_refused_with_who_is_in_the_way(catalogue: Catalogue) -> None:
    one, two, _ = await three_sessions(catalogue)
    await book(catalogue, wish(one, "101"))
    with pytest.raises(Refusal) as caught:
        await book(catalogue, wish(two, "102"), wish(two, "101"))
    assert caught.value.code == RefusalCode.slot_taken
    assert caught.value.facts["session_id"] == str(one)
    assert caught.value.facts["resource"] == "101"
    assert await booked(catalogue) == [(one, "101")], "all or nothing"


async def test_the_transaction_goes_on_after_a_refusal(catalogue: Catalogue) -> None:
    """An import reports the row and books the next one."""
    one, two, three = await three_sessions(catalogue)
    async with catalogue.transaction() as tx:
        await bookings.book(tx, [wish(one, "101")])
        with pytest.raises(Refusal, match="slot_taken"):
            await bookings.book(tx, [wish(two, "101")])
        await bookings.book(tx, [wish(three, "103")])
    assert await booked(catalogue) == [(one, "101"), (three, "103")]


async def test_what_ends_as_another_begins_does_not_clash(catalogue: Catalogue) -> None:
    one, two, _ = await three_sessions(catalogue)
    await book(catalogue, wish(one, "101", 0), wish(two, "101", 1))
    assert len(await booked(catalogue)) == 2


async def test_two_at_once_cannot_both_have_a_room(catalogue: Catalogue) -> None:
    ids = await three_sessions(catalogue)

    def booking(key: UUID) -> Callable[[Transaction], Awaitable[None]]:
        # Both may wait for each other, which PostgreSQL ends as a deadlock: so by `run`, as the house does.
        return lambda tx: bookings.book(tx, [wish(key, "101")])

    outcomes = await asyncio.gather(*(catalogue.run(booking(key)) for key in ids), return_exceptions=True)
    assert [isinstance(outcome, Refusal) for outcome in outcomes if outcome is not None] == [True, True]
    assert len(await booked(catalogue)) == 1


async def test_an_override_with_a_reason_and_a_freed_booking_keep_nobody_out(catalogue: Catalogue) -> None:
    one, two, three = await three_sessions(catalogue)
    await book(catalogue, wish(one, "101"))
    await book(catalogue, wish(two, "101", reason="合班"))
    async with catalogue.transaction() as tx:
        await bookings.release(tx, [one])
    await book(catalogue, wish(three, "101"))
    assert await booked(catalogue) == [(two, "101"), (three, "101")]


async def test_the_report_finds_clashes_with_what_is_booked_and_among_what_is_wanted(catalogue: Catalogue) -> None:
    one, two, three = await three_sessions(catalogue)
    await book(catalogue, wish(one, "101", 0, 2), wish(one, "102", 0, 1))
    wanted = [wish(two, "101", 1), wish(two, "102", 1), wish(three, "103"), wish(two, "103"), wish(one, "101", 1)]
    async with catalogue.transaction() as tx:
        found = await bookings.conflicts(tx, wanted)
        without = await bookings.conflicts(tx, wanted[:1], ignoring=[one])
        assert await bookings.conflicts(tx, []) == []
    pairs = {(clash.first.session_id, clash.second.session_id, clash.second.resource) for clash in found}
    assert pairs == {(one, two, "101"), (three, two, "103")} | {(two, one, "101")} & pairs
    assert without == []


async def test_two_sessions_swap_rooms_in_one_transaction(catalogue: Catalogue) -> None:
    one, two, _ = await three_sessions(catalogue)
    await book(catalogue, wish(one, "101"), wish(two, "102"))
    async with catalogue.transaction() as tx:
        await bookings.swap(tx, one, two, BookingKind.room)
    assert await booked(catalogue) == [(one, "102"), (two, "101")]


async def test_a_swap_that_a_third_is_in_the_way_of_changes_nothing(catalogue: Catalogue) -> None:
    one, two, three = await three_sessions(catalogue)
    await book(catalogue, wish(one, "101", 0, 1), wish(two, "102", 2, 1), wish(three, "102", 0, 1))
    with pytest.raises(Refusal) as caught:
        async with catalogue.transaction() as tx:
            await bookings.swap(tx, one, two, BookingKind.room)
    assert caught.value.facts["session_id"] == str(three)
    assert await booked(catalogue) == [(one, "101"), (two, "102"), (three, "102")]


async def test_a_swap_without_deferring_would_fail_at_its_first_statement(catalogue: Catalogue) -> None:
    """The constraint is checked at once unless it is put off: an ordinary clash is never found at the commit only."""
    one, two, _ = await three_sessions(catalogue)
    await book(catalogue, wish(one, "101"), wish(two, "102"))

    async def move_over(tx: Transaction) -> None:
        row = (await tx.session.scalars(select(Booking).where(Booking.session_id == one))).one()
        row.resource = "102"
        await tx.session.flush()

    with pytest.raises(IntegrityError):
        await catalogue.run(move_over)


async def test_moved_sessions_are_booked_anew(catalogue: Catalogue) -> None:
    one, two, _ = await three_sessions(catalogue)
    await book(catalogue, wish(one, "101"), wish(two, "102"))
    async with catalogue.transaction() as tx:
        await bookings.replace(tx, [one, two], [wish(one, "102"), wish(two, "101")])
        assert len(await bookings.of_sessions(tx, [one])) == 1
        busy = await bookings.busy(tx, BookingKind.room, "102", NOON, NOON + HOUR)
        assert [row.session_id for row in busy] == [one]
        assert await bookings.busy(tx, BookingKind.room, "102", NOON + HOUR, NOON + 2 * HOUR) == []
        assert await tx.session.scalar(select(func.count()).select_from(Booking)) == 2


async def test_what_a_session_books_by_the_domain_can_be_booked(catalogue: Catalogue) -> None:
    async with catalogue.transaction() as tx:
        at = await place(tx)
        made = await session(tx, at)
        during = During(made.starts_at, made.ends_at)
        wanted = bookings_of(made.id, during, room="101", instructor_id=at.teacher_id, cohort_id=at.cohort_id)
        await bookings.book(tx, wanted)
        kinds = [row.kind for row in await bookings.of_sessions(tx, [made.id])]
    assert kinds == [BookingKind.cohort, BookingKind.instructor, BookingKind.room]
