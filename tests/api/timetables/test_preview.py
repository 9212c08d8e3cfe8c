"""An import that is only tried: the report of the real one, and nothing done."""

from typing import Any

import pytest
from sqlalchemy import Table, select

from storage.catalogue.tables.audit_entry import AuditEntry
from storage.catalogue.tables.booking import Booking
from storage.catalogue.tables.fact import FactRow
from storage.catalogue.tables.idempotency_key import IdempotencyKey
from storage.catalogue.tables.session import Session
from storage.catalogue.tables.timetable_entry import TimetableEntry
from storage.catalogue.tables.timetable_import import TimetableImport
from storage.catalogue.transaction import Catalogue
from teaching.import_report import MOST_CANCELLED_TOLD
from tests.api.conftest import Client
from tests.api.timetables.test_routes import HEADER, Places, places, send

pytestmark = pytest.mark.anyio

__all__ = ["places"]
WRITTEN = (Session, Booking, FactRow, AuditEntry, IdempotencyKey, TimetableEntry, TimetableImport)
"""Everything that an import writes."""


async def everything(catalogue: Catalogue) -> dict[str, list[tuple[Any, ...]]]:
    """Each row of each of those tables, column by column."""
    found = {}
    async with catalogue.transaction() as tx:
        for kind in WRITTEN:
            table = kind.__table__
            assert isinstance(table, Table)
            rows = await tx.session.execute(select(table).order_by(*table.primary_key.columns))
            found[table.name] = [tuple(row) for row in rows]
    return found


def term(places: Places, *days: int, title: str = "教育学", room: str = "A101") -> bytes:
    """A class on each of these days of September."""
    rows = (f"2026-09-{day:02},08:00,09:40,{title},{places.teacher.login},{room}\n" for day in days)
    return (HEADER + "".join(rows)).encode()


async def test_a_preview_tells_what_the_import_does_and_does_nothing(
    client: Client, places: Places, catalogue: Catalogue
) -> None:
    await client.sign_in(places.lead.login)
    await send(client, term(places, 15, 16, 17))
    before = await everything(catalogue)
    assert [len(before[name]) for name in ("session", "booking", "timetable_entry", "timetable_import")] == [3, 9, 3, 1]
    newer = term(places, 16, room="B2") + term(places, 18)[len(HEADER.encode()) :] + b"15.9.,08:00,09:40,x,y,z\n"
    tried = await send(client, newer, preview="true", **{"Idempotency-Key": "one"})
    assert tried.status_code == 200, tried.text
    told = tried.json()
    assert (told["id"], told["created"], told["changed"], told["cancelled"]) == (None, 1, 1, 2)
    assert [(one["title"], one["starts_at"]) for one in told["cancelled_sessions"]] == [
        ("教育学", "2026-09-15T00:00:00Z"), ("教育学", "2026-09-17T00:00:00Z"),
    ]  # fmt: skip
    assert [(bad["row"], bad["title"], bad["code"]) for bad in told["rejected"]] == [(4, "x", "date_invalid")]
    assert await everything(catalogue) == before

    made = await send(client, newer, **{"Idempotency-Key": "one"})
    assert (made.status_code, "idempotency-replayed" in made.headers) == (201, False)
    assert {**made.json(), "id": None} == told
    after = await everything(catalogue)
    assert {name for name in before if after[name] != before[name]} == set(before)
    (kept,) = [row for row in after["timetable_import"] if row not in before["timetable_import"]]
    assert told["cancelled_sessions"][0]["id"] in str(kept), "what was cancelled stays in the kept report"


async def test_a_preview_is_refused_as_the_import_is(client: Client, places: Places, catalogue: Catalogue) -> None:
    await client.sign_in(places.lead.login)
    before = await everything(catalogue)
    foreign = await send(client, term(places, 15), "table-two", preview="true")
    assert (foreign.status_code, foreign.json()["code"]) == (403, "not_permitted")
    empty = await send(client, b"", preview="true")
    assert (empty.status_code, empty.json()["facts"]["reason"]) == (400, "empty")
    unclear = await send(client, term(places, 15), preview="perhaps")
    assert (unclear.status_code, unclear.json()["code"]) == (400, "invalid_input")
    assert await everything(catalogue) == before
    real = await send(client, term(places, 15), preview="false")
    assert (real.status_code, real.json()["created"]) == (201, 1)


async def test_at_most_two_hundred_cancelled_classes_are_told_and_all_are_counted(
    client: Client, places: Places
) -> None:
    await client.sign_in(places.lead.login)
    many = [
        f"2026-09-{15 + number // 20},{number % 20:02}:00,{number % 20:02}:40,课 {number},{places.teacher.login},A101\n"
        for number in range(MOST_CANCELLED_TOLD + 5)
    ]
    assert (await send(client, (HEADER + "".join(many)).encode())).json()["created"] == len(many)
    told = (await send(client, term(places, 30), preview="true")).json()
    assert (told["cancelled"], len(told["cancelled_sessions"])) == (len(many), MOST_CANCELLED_TOLD)
    assert told["cancelled_sessions"] == sorted(told["cancelled_sessions"], key=lambda one: str(one["starts_at"]))
