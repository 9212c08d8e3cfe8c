"""The institute, as everybody who is signed in and has a role reads it."""

import pytest

from domain.kinds import Role
from storage.catalogue import institute
from storage.catalogue.transaction import Catalogue
from tests.api.conftest import Client, People

pytestmark = pytest.mark.anyio


async def test_all_parts_come_at_once_and_name_each_other(client: Client, people: People, catalogue: Catalogue) -> None:
    async with catalogue.transaction() as tx:
        office = await institute.put_department(tx, "office", "教务处", "Academic Affairs")
        second = await institute.put_module(tx, "degree", 2, "学历教育", "Degrees", office.id)
        first = await institute.put_module(tx, "city", 1, "市级培训", "City training", office.id)
        programme = await institute.put_programme(tx, "skills", "教学技能", first.id)
        cohort = await institute.put_cohort(tx, programme.id, "one", "一班")
    await client.sign_in((await people.with_role(Role.learner)).login)
    answer = await client.get("/api/v1/institute")
    assert answer.status_code == 200
    assert answer.json() == {
        "departments": [
            {"id": str(office.id), "slug": "office", "name_zh": "教务处", "name_en": "Academic Affairs"},
        ],
        "modules": [
            {"id": str(first.id), "slug": "city", "position": 1, "name_zh": "市级培训", "name_en": "City training",
             "department_id": str(office.id)},
            {"id": str(second.id), "slug": "degree", "position": 2, "name_zh": "学历教育", "name_en": "Degrees",
             "department_id": str(office.id)},
        ],
        "programmes": [
            {"id": str(programme.id), "slug": "skills", "title": "教学技能", "module_id": str(first.id),
             "department_id": str(office.id)},
        ],
        "cohorts": [{"id": str(cohort.id), "slug": "one", "title": "一班", "programme_id": str(programme.id)}],
    }  # fmt: skip


async def test_strangers_and_accounts_without_a_role_are_refused(client: Client, people: People) -> None:
    assert (await client.get("/api/v1/institute")).json()["code"] == "not_signed_in"
    await client.sign_in((await people.add()).login)
    refused = await client.get("/api/v1/institute")
    assert (refused.status_code, refused.json()["code"]) == (403, "not_permitted")
