"""A course's two routes through review and filing to its audience."""

from uuid import UUID

import pytest

from api.resources import Resources
from storage.catalogue.tables.account import Account
from storage.catalogue.tables.recording import Recording
from storage.catalogue.transaction import Catalogue
from tests.api.conftest import Client, Clock, School, client_of
from tests.storage.catalogue import builders

pytestmark = pytest.mark.anyio

PARTS = {
    "chapters": [{"at_ms": 0, "title": "开始"}],
    "questions": [{"prompt": "等几秒？", "choices": ["一秒", "三秒"], "answer": 1}],
    "references": [{"title": "论文", "url": "https://example.org/wait-time"}],
}


@pytest.fixture
async def recording(catalogue: Catalogue, school: School, clock: Clock) -> Recording:
    async with catalogue.transaction() as tx:
        return await builders.stored_recording(tx, school.place, clock.now)


async def draft(client: Client, school: School, recording: Recording, audience: str) -> UUID:
    await client.sign_in(school.teacher.login)
    order = {"title": "精品", "audience": audience}
    answer = await client.post(f"/api/v1/recordings/{recording.id}/promotion", json=order)
    assert answer.status_code == 201, answer.text
    assert answer.headers["etag"] == '"1"'
    return UUID(answer.json()["id"])


async def as_(resources: Resources, person: Account, path: str, body: dict[str, str] | None = None) -> tuple[int, str]:
    """One press of a button by one person: the status, and the state or the code that came of it."""
    async with client_of(resources) as client:
        await client.sign_in(person.login)
        answer = await client.post(f"/api/v1/courses/{path}", json=body)
        return answer.status_code, answer.json().get("state") or answer.json()["code"]


@pytest.mark.parametrize("audience", ["open", "scoped"])
async def test_reviewed_and_filed_by_the_route_of_its_audience(
    client: Client, school: School, recording: Recording, resources: Resources, audience: str
) -> None:
    course = await draft(client, school, recording, audience)
    reviewer, filer = (school.academic, school.publicity) if audience == "open" else (school.manager, school.academic)
    outsider = school.manager if audience == "open" else school.academic
    approve = {"decision": "approve", "note": ""}
    assert await as_(resources, school.teacher, f"{course}/submission") == (200, "in_review")
    assert await as_(resources, outsider, f"{course}/review", approve) == (403, "wrong_reviewer")
    assert await as_(resources, reviewer, f"{course}/review", approve) == (200, "approved")
    assert await as_(resources, school.manager, f"{course}/publication") == (409, "filing_missing")
    assert await as_(resources, filer, f"{course}/filing") == (200, "approved")
    assert await as_(resources, school.manager, f"{course}/publication") == (200, "published")
    await client.sign_in(school.teacher.login)
    steps = [
        (one["step"], one["by"]["display_name"])
        for one in (await client.get(f"/api/v1/courses/{course}")).json()["steps"]
    ]
    people = (school.teacher, reviewer, filer, school.manager)
    names = ("submission", "review", "filing", "publication")
    assert steps == [(name, person.display_name) for name, person in zip(names, people, strict=True)]


async def test_nobody_sees_a_draft_and_its_audience_sees_it_published(
    client: Client, school: School, recording: Recording, resources: Resources
) -> None:
    course = await draft(client, school, recording, "scoped")
    async with client_of(resources) as viewer:
        for person in (school.learner, school.stranger):
            await viewer.sign_in(person.login)
            assert (await viewer.get(f"/api/v1/courses/{course}")).status_code == 404
            assert (await viewer.get("/api/v1/courses")).json()["items"] == []
        await viewer.sign_in(school.learner.login)
        assert (await viewer.get(f"/api/v1/recordings/{recording.id}")).json()["course_id"] is None
        await as_(resources, school.teacher, f"{course}/submission")
        await as_(resources, school.manager, f"{course}/review", {"decision": "approve"})
        await as_(resources, school.academic, f"{course}/filing")
        await as_(resources, school.manager, f"{course}/publication")
        for person, wanted in ((school.learner, 1), (school.stranger, 0)):
            await viewer.sign_in(person.login)
            assert len((await viewer.get("/api/v1/courses")).json()["items"]) == wanted
            if wanted:
                assert (await viewer.get(f"/api/v1/courses/{course}")).json()["steps"] == [], (
                    "not its audience's business"
                )
            played = await viewer.post(f"/api/v1/courses/{course}/playback")
            assert played.status_code == (201 if wanted else 404)


async def test_parts_are_written_before_review_and_answers_are_not_told(
    client: Client, school: School, recording: Recording, resources: Resources
) -> None:
    course = await draft(client, school, recording, "scoped")
    path = f"/api/v1/courses/{course}"
    written = await client.patch(path, json=PARTS, headers={"If-Match": '"1"'})
    assert written.status_code == 200, written.text
    assert written.json()["questions"] == [{"prompt": "等几秒？", "choices": ["一秒", "三秒"]}]
    wrong = {"questions": [{"prompt": "?", "choices": ["a", "b"], "answer": 2}]}
    assert (await client.patch(path, json=wrong, headers={"If-Match": written.headers["etag"]})).status_code == 400
    script = {"references": [{"title": "x", "url": "javascript:alert(1)"}]}
    assert (await client.patch(path, json=script, headers={"If-Match": written.headers["etag"]})).status_code == 400
    await as_(resources, school.teacher, f"{course}/submission")
    await client.sign_in(school.teacher.login)
    now = (await client.get(path)).headers["etag"]
    late = await client.patch(path, json={"title": "改"}, headers={"If-Match": now})
    assert late.json()["code"] == "move_not_allowed"


async def test_a_return_needs_its_note_and_leads_back_to_the_provider(
    client: Client, school: School, recording: Recording, resources: Resources
) -> None:
    course = await draft(client, school, recording, "scoped")
    await as_(resources, school.teacher, f"{course}/submission")
    assert await as_(resources, school.manager, f"{course}/review", {"decision": "return"}) == (400, "invalid_input")
    back = {"decision": "return", "note": "缺参考资料"}
    assert await as_(resources, school.manager, f"{course}/review", back) == (200, "returned")
    await client.sign_in(school.teacher.login)
    last = (await client.get(f"/api/v1/courses/{course}")).json()["steps"][-1]
    assert (last["step"], last["by"]["display_name"]) == ("return", school.manager.display_name)
    assert await as_(resources, school.teacher, f"{course}/submission") == (200, "in_review")


async def test_a_recording_becomes_one_course(client: Client, school: School, recording: Recording) -> None:
    await draft(client, school, recording, "open")
    again = await client.post(
        f"/api/v1/recordings/{recording.id}/promotion", json={"title": "再来", "audience": "open"}
    )
    assert (again.status_code, again.json()["code"]) == (409, "already_promoted")
