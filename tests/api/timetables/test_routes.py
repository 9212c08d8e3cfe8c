"""Timetables over HTTP: who sees which, and an import as the pages send it."""

import asyncio
from dataclasses import dataclass, replace
from typing import Any

import httpx
import pytest

from api.resources import Resources
from domain.kinds import Role, ScopeKind
from domain.permissions import Grant
from storage.catalogue import institute, timetables
from storage.catalogue.tables.account import Account
from storage.catalogue.transaction import Catalogue
from teaching.settings import TeachingSettings
from tests.api.conftest import Client, People, client_of

pytestmark = pytest.mark.anyio

HEADER = "日期,开始,结束,课程,教师,教室\n"


@dataclass(frozen=True)
class Places:
    """Two programmes of two departments, each with a timetable, and who leads the first."""

    lead: Account
    teacher: Account


@pytest.fixture
async def places(people: People, catalogue: Catalogue) -> Places:
    async with catalogue.transaction() as tx:
        programmes = []
        for slug in ("one", "two"):
            department = await institute.put_department(tx, slug, slug, slug)
            module = await institute.put_module(tx, slug, 1, slug, slug, department.id)
            programme = await institute.put_programme(tx, slug, slug, module.id)
            cohort = await institute.put_cohort(tx, programme.id, slug, slug)
            await timetables.put(tx, f"table-{slug}", f"课表 {slug}", cohort_id=cohort.id)
            programmes.append(programme)
    lead = await people.add(Grant(Role.programme_lead, ScopeKind.programme, programmes[0].id))
    return Places(lead, await people.with_role(Role.teacher))


async def send(
    client: Client, data: bytes, timetable: str = "table-one", preview: str | None = None, **headers: str
) -> httpx.Response:
    form = {"timetable": timetable, **({} if preview is None else {"preview": preview})}
    return await client.post(
        "/api/v1/timetable-imports", files={"file": ("课表.csv", data)}, data=form, headers=headers
    )


def row(teacher: Account, room: str = "A101") -> bytes:
    return f"{HEADER}2026-09-15,08:00,09:40,教育学,{teacher.login},{room}\n".encode()


async def listed(client: Client) -> dict[str, Any]:
    answer = await client.get("/api/v1/timetables")
    assert answer.status_code == 200, answer.text
    return {one["slug"]: one["may"] for one in answer.json()["items"]}


async def test_an_import_makes_a_session_and_again_changes_nothing(client: Client, places: Places) -> None:
    await client.sign_in(places.lead.login)
    first = await send(client, row(places.teacher))
    assert first.status_code == 201, first.text
    numbers = {"created": 1, "changed": 0, "unchanged": 0, "cancelled": 0, "past": 0, "kept": 0, "rejected": []}
    numbers["cancelled_sessions"] = []
    assert {**first.json(), "id": None} == {"id": None, **numbers}
    second = (await send(client, row(places.teacher))).json()
    assert (second["created"], second["unchanged"]) == (0, 1)
    found = (await client.get("/api/v1/sessions")).json()["items"]
    assert [(one["title"], one["room"], one["starts_at"]) for one in found] == [
        ("教育学", "A101", "2026-09-15T00:00:00Z")
    ]


async def test_a_bad_row_is_told_and_the_rest_is_taken(client: Client, places: Places) -> None:
    await client.sign_in(places.lead.login)
    answer = await send(client, row(places.teacher) + b"15.9.,08:00,09:40,x,y,z\n")
    assert answer.json()["created"] == 1
    (bad,) = answer.json()["rejected"]
    assert (bad["row"], bad["title"], bad["code"]) == (3, "x", "date_invalid")
    assert "15.9." in bad["detail"]


async def test_the_same_key_is_answered_as_before_whatever_the_boundary(client: Client, places: Places) -> None:
    await client.sign_in(places.lead.login)
    key = {"Idempotency-Key": "a"}
    first, again = [await send(client, row(places.teacher), **key) for _ in range(2)]
    assert again.headers["idempotency-replayed"] == "true"
    assert (again.status_code, again.json()) == (201, first.json())
    other = await send(client, row(places.teacher, "B1"), **key)
    assert (other.status_code, other.json()["code"]) == (409, "idempotency_conflict")


async def test_people_see_the_timetables_of_their_reach(
    client: Client, places: Places, people: People, resources: Resources
) -> None:
    await client.sign_in(places.lead.login)
    assert await listed(client) == {"table-one": ["timetable_read", "timetable_import"]}
    async with client_of(resources) as academic, client_of(resources) as teacher:
        await academic.sign_in((await people.with_role(Role.academic_affairs)).login)
        assert set(await listed(academic)) == {"table-one", "table-two"}
        await teacher.sign_in(places.teacher.login)
        assert await listed(teacher) == {}
        await send(client, row(places.teacher))
        assert await listed(teacher) == {"table-one": ["timetable_read"]}


async def test_only_who_leads_a_timetable_imports_into_it(client: Client, places: Places, resources: Resources) -> None:
    await client.sign_in(places.lead.login)
    foreign = await send(client, row(places.teacher), timetable="table-two")
    assert (foreign.status_code, foreign.json()["code"]) == (403, "not_permitted")
    lost = await send(client, row(places.teacher), timetable="table-three")
    assert (lost.status_code, lost.json()["code"]) == (404, "not_found")
    async with client_of(resources) as teacher:
        await teacher.sign_in(places.teacher.login)
        assert (await send(teacher, row(places.teacher))).json()["code"] == "not_permitted"


async def test_a_timetable_may_be_named_by_its_id(client: Client, places: Places) -> None:
    await client.sign_in(places.lead.login)
    (table,) = (await client.get("/api/v1/timetables")).json()["items"]
    assert (await send(client, row(places.teacher), timetable=table["id"])).json()["created"] == 1


async def test_files_that_are_no_timetable_change_nothing(places: Places, resources: Resources) -> None:
    small = replace(resources, teaching=TeachingSettings(import_max_rows=2))
    async with client_of(small) as client:
        await client.sign_in(places.lead.login)
        no_columns = await send(client, b"a,b\n1,2\n")
        assert (no_columns.status_code, no_columns.json()["facts"]["reason"]) == (400, "columns_missing")
        pdf = await send(client, b"%PDF-1.7\n1 0 obj << /Type /Catalog >> endobj\n")
        assert (pdf.status_code, pdf.json()["facts"]["reason"]) == (400, "not_a_timetable")
        too_many = await send(client, row(places.teacher) * 3)
        assert (too_many.status_code, too_many.json()["code"]) == (413, "too_large")
        assert (await send(client, b"")).json()["code"] == "invalid_input"
        no_file = await client.post("/api/v1/timetable-imports", data={"timetable": "table-one"})
        assert (no_file.status_code, no_file.headers["content-type"]) == (415, "application/problem+json")
        assert (await client.get("/api/v1/sessions")).json()["items"] == []


async def test_an_upload_beyond_the_limit_is_refused_before_it_is_read(places: Places, resources: Resources) -> None:
    small = replace(resources, settings=replace(resources.settings, upload_max_bytes=2000))
    async with client_of(small) as client:
        await client.sign_in(places.lead.login)
        answer = await send(client, b"x" * 4000)
        assert (answer.status_code, answer.json()["code"]) == (413, "too_large")


async def test_two_imports_for_one_room_at_once_end_with_one_and_a_named_clash(
    places: Places, people: People, resources: Resources
) -> None:
    wang = await people.with_role(Role.teacher)
    async with client_of(resources) as one, client_of(resources) as other:
        await one.sign_in((await people.with_role(Role.academic_affairs)).login)
        await other.sign_in((await people.with_role(Role.academic_affairs)).login)
        answers = await asyncio.gather(send(one, row(places.teacher)), send(other, row(wang), "table-two"))
    assert [answer.status_code for answer in answers] == [201, 201]
    assert sorted(answer.json()["created"] for answer in answers) == [0, 1]
    (clash,) = [bad for answer in answers for bad in answer.json()["rejected"]]
    assert (clash["row"], clash["code"]) == (2, "slot_taken")
    assert "《教育学》" in clash["detail"]
