"""Two at once: one wins and the other is told so, or both are told of the one thing that was made."""

import asyncio

import pytest

from storage.catalogue import holds
from storage.catalogue.tables.recording import Recording
from storage.catalogue.transaction import Catalogue
from tests.api.conftest import Client, Clock, School
from tests.storage.catalogue import builders

pytestmark = pytest.mark.anyio

AT_ONCE = 4


@pytest.fixture
async def recording(catalogue: Catalogue, school: School, clock: Clock) -> Recording:
    async with catalogue.transaction() as tx:
        return await builders.stored_recording(tx, school.place, clock.now)


async def test_of_changes_from_one_version_one_stands(client: Client, school: School, recording: Recording) -> None:
    await client.sign_in(school.teacher.login)
    path = f"/api/v1/recordings/{recording.id}"
    seen = {"If-Match": (await client.get(path)).headers["etag"]}
    titles = [f"title {number}" for number in range(AT_ONCE)]
    answers = await asyncio.gather(*(client.patch(path, json={"title": each}, headers=seen) for each in titles))
    assert sorted(one.status_code for one in answers) == [200] + [412] * (AT_ONCE - 1)
    (won,) = (one.json() for one in answers if one.status_code == 200)
    assert (await client.get(path)).json()["title"] == won["title"]


async def test_one_key_makes_one_thing(
    client: Client, school: School, recording: Recording, catalogue: Catalogue
) -> None:
    await client.sign_in(school.teacher.login)
    path, key = f"/api/v1/recordings/{recording.id}/holds", {"Idempotency-Key": "once"}
    answers = await asyncio.gather(*(client.post(path, json={"reason": "r"}, headers=key) for _ in range(AT_ONCE)))
    assert [one.status_code for one in answers] == [201] * AT_ONCE
    assert len({one.text for one in answers}) == 1
    assert sum("idempotency-replayed" in one.headers for one in answers) == AT_ONCE - 1
    assert all(one.headers["content-type"] == "application/json" for one in answers)
    async with catalogue.transaction() as tx:
        assert await holds.count_standing(tx, recording.id) == 1
    other = await client.post(path, json={"reason": "other"}, headers=key)
    assert (other.status_code, other.json()["code"]) == (409, "idempotency_conflict")


async def test_a_key_is_of_one_account_alone(client: Client, school: School, recording: Recording) -> None:
    path, key = f"/api/v1/recordings/{recording.id}/holds", {"Idempotency-Key": "mine"}
    made = set()
    for person in (school.teacher, school.manager):
        await client.sign_in(person.login)
        made.add((await client.post(path, json={"reason": "r"}, headers=key)).json()["id"])
    assert len(made) == 2


async def test_what_was_refused_is_not_remembered(client: Client, school: School, recording: Recording) -> None:
    """A refusal makes nothing, so the same key may try again once the reason is gone."""
    await client.sign_in(school.manager.login)
    key = {"Idempotency-Key": "later"}
    path = f"/api/v1/recordings/{recording.id}/promotion"
    assert (await client.post(path, json={"title": "", "audience": "open"}, headers=key)).status_code == 400
    assert (await client.post(path, json={"title": "t", "audience": "open"}, headers=key)).status_code == 201
    again = await client.post(path, json={"title": "t", "audience": "open"}, headers=key)
    assert again.headers["idempotency-replayed"] == "true"
    assert (await client.post(path, json={"title": "t", "audience": "open"})).json()["code"] == "already_promoted"
