"""How many encoders a department may have on the air: seen and set by who runs the platform."""

from uuid import UUID, uuid4

import pytest
from httpx import Response

from domain.kinds import Role
from storage.catalogue import audit, institute
from storage.catalogue.audit import Wanted
from storage.catalogue.transaction import Catalogue
from tests.api.conftest import Client, Clock, People, School
from tests.storage.catalogue import builders

pytestmark = pytest.mark.anyio


async def limit(client: Client, department_id: UUID, most: int | None, version: int) -> Response:
    """What is answered to who has seen `version`."""
    headers = {"If-Match": f'"{version}"'}
    return await client.put(f"/api/v1/capacities/{department_id}", json={"max_publishers": most}, headers=headers)


async def test_a_department_gets_a_limit_of_its_own_and_loses_it_again(
    client: Client, people: People, school: School, catalogue: Catalogue, clock: Clock
) -> None:
    department_id = school.place.scope.department_id
    assert department_id is not None
    async with catalogue.transaction() as tx:
        await builders.take(tx, await builders.session(tx, school.place, clock.now), clock.now)
    await client.sign_in((await people.with_role(Role.network_centre)).login)
    (one,) = (await client.get("/api/v1/capacities")).json()["items"]
    assert (one["department_id"], one["max_publishers"], one["publishing"]) == (str(department_id), None, 1)
    for version, most in enumerate((8, 0, None), 1):
        answer = await limit(client, department_id, most, version)
        assert (answer.json()["max_publishers"], answer.json()["publishing"]) == (most, 1)
        assert answer.headers["ETag"] == f'"{version + 1}"'
        async with catalogue.transaction() as tx:
            assert await institute.max_publishers(tx, department_id) == most
    assert (await limit(client, uuid4(), 1, 1)).status_code == 404
    assert (await limit(client, department_id, -1, 4)).status_code == 400
    async with catalogue.transaction() as tx:
        entries = await audit.entries(tx, Wanted(action="capacity_changed"), limit=9)
    assert {(one.details["before"], one.details["after"]) for one in entries} == {(None, 8), (8, 0), (0, None)}


async def test_who_did_not_see_the_limit_does_not_change_it(
    client: Client, people: People, school: School, catalogue: Catalogue
) -> None:
    department_id = school.place.scope.department_id
    assert department_id is not None
    await client.sign_in((await people.with_role(Role.system_administrator)).login)
    unseen = await client.put(f"/api/v1/capacities/{department_id}", json={"max_publishers": 3})
    assert (unseen.status_code, unseen.json()["code"]) == (428, "precondition_required")
    assert (await limit(client, department_id, 3, 1)).status_code == 200
    late = await limit(client, department_id, 9, 1)
    assert (late.status_code, late.json()["code"]) == (412, "stale_version")
    async with catalogue.transaction() as tx:
        assert await institute.max_publishers(tx, department_id) == 3


async def test_a_department_does_not_widen_its_own_share(client: Client, school: School) -> None:
    for person in (school.manager, school.teacher, school.academic):
        await client.sign_in(person.login)
        path = f"/api/v1/capacities/{school.place.scope.department_id}"
        assert (await client.put(path, json={"max_publishers": 99})).status_code == 403
        assert (await client.get("/api/v1/capacities")).status_code == 403
