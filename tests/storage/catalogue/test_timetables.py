"""An entry is known by its source's own name: importing twice writes the same rows, in bulk."""

from datetime import timedelta

import pytest
from sqlalchemy import event

from domain.schedule import During, bookings_of
from storage.catalogue import bookings, sessions, timetables
from storage.catalogue.timetables import Entry
from storage.catalogue.transaction import Catalogue
from tests.storage.catalogue.builders import NOON, place, planned

pytestmark = pytest.mark.anyio


async def test_entries_are_kept_once_and_say_the_last_thing_they_were_told(catalogue: Catalogue) -> None:
    async with catalogue.transaction() as tx:
        at = await place(tx)
        made = [planned(at, NOON + timedelta(days=day)) for day in range(3)]
        await sessions.add(tx, made)
        table = await timetables.put(tx, "spring", "春季", cohort_id=at.cohort_id)
        first = [Entry("a", "1", "f1", made[0].id), Entry("a", "2", "f2", made[1].id)]
        await timetables.put_entries(tx, table.id, first)
        await timetables.put_entries(tx, table.id, [Entry("a", "2", "changed", made[2].id)])
        kept = await timetables.entries(tx, table.id)
        assert await timetables.count_entries(tx, table.id) == 2
    assert kept == {("a", "1"): first[0], ("a", "2"): Entry("a", "2", "changed", made[2].id)}


async def test_a_timetable_is_found_by_its_slug_and_its_imports_by_time(catalogue: Catalogue) -> None:
    async with catalogue.transaction() as tx:
        at = await place(tx)
        table = await timetables.put(tx, "spring", "春季")
        again = await timetables.put(tx, "spring", "春季学期", programme_id=at.scope.programme_id)
        assert (again.id, again.title) == (table.id, "春季学期")
        assert [row.id for row in await timetables.every(tx)] == [table.id]
        found = await timetables.by_slug(tx, "spring")
        assert found is not None
        assert await timetables.by_slug(tx, "autumn") is None
        for hour in range(2):
            await timetables.record_import(
                tx,
                table.id,
                account_id=at.teacher_id,
                now=NOON + timedelta(hours=hour),
                file_name=f"{hour}.ics",
                file_sha256=bytes(32),
                report={"created": hour, "rejected": [{"row": 7, "code": "window_invalid"}]},
            )
        assert [row.file_name for row in await timetables.imports(tx, table.id)] == ["1.ics", "0.ics"]


async def test_a_large_import_is_written_in_few_statements(catalogue: Catalogue) -> None:
    """A round trip for each row would show as thousands of them, whatever the machine is busy with."""
    statements = 0

    def count(*_: object) -> None:
        nonlocal statements
        statements += 1

    async with catalogue.transaction() as tx:
        at = await place(tx)
        table = await timetables.put(tx, "spring", "春季")
    made = [planned(at, NOON + timedelta(days=n)) for n in range(1600)]
    event.listen(catalogue.engine.sync_engine, "before_cursor_execute", count)
    async with catalogue.transaction() as tx:
        await sessions.add(tx, made)
        await timetables.put_entries(tx, table.id, [Entry("a", str(row.id), "f", row.id) for row in made])
        wanted = [
            wish
            for row in made
            for wish in bookings_of(row.id, During(row.starts_at, row.ends_at), room="101", cohort_id=at.cohort_id)
        ]
        assert await bookings.conflicts(tx, wanted) == []
        await bookings.book(tx, wanted)
        assert len(await bookings.of_sessions(tx, [row.id for row in made])) == 3200
        assert len(await sessions.by_id(tx, [row.id for row in made])) == 1600
    assert statements < 40
