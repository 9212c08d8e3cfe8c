"""If-Match: who may not change a thing is told so, and learns nothing of its version by what they send."""

import pytest

from domain.kinds import Audience, Role, ScopeKind
from domain.permissions import Grant
from domain.states import CourseState
from storage.catalogue import courses, institute
from storage.catalogue.transaction import Catalogue
from tests.api.conftest import Client, Clock, People, School
from tests.storage.catalogue import builders

pytestmark = pytest.mark.anyio

SENT: list[dict[str, str]] = [{}, {"If-Match": '"99"'}, {"If-Match": "nonsense"}, {"If-Match": '"1"'}]


@pytest.fixture
async def things(catalogue: Catalogue, school: School, clock: Clock) -> list[str]:
    """A session, a recording and a published course of the school, as paths."""
    async with catalogue.transaction() as tx:
        session = await builders.session(tx, school.place, clock.now)
        recording = await builders.stored_recording(tx, school.place, clock.now)
        kept = await builders.stored_recording(tx, school.place, clock.now)
        course = await courses.promote(
            tx, kept.id, title="t", summary="", audience=Audience.open, provider_id=school.teacher.id, now=clock.now
        )
        course.state = CourseState.published
    return [
        f"/api/v1/sessions/{session.id}", f"/api/v1/recordings/{recording.id}", f"/api/v1/courses/{course.id}",
    ]  # fmt: skip


async def test_who_may_not_change_it_is_told_so_whatever_they_have_seen(
    client: Client, people: People, school: School, catalogue: Catalogue, things: list[str]
) -> None:
    """A teacher on another's roster: edits somewhere, reads this, and may not change it."""
    colleague = await people.add(Grant(Role.teacher, ScopeKind.institute))
    async with catalogue.transaction() as tx:
        assert school.place.cohort_id is not None
        await institute.enrol(tx, school.place.cohort_id, [colleague.id])
    await client.sign_in(colleague.login)
    for path in things:
        assert (await client.get(path)).status_code == 200, path
        for headers in SENT:
            refused = await client.patch(path, json={"title": "t"}, headers=headers)
            assert (refused.status_code, refused.json()["code"]) == (403, "not_permitted"), f"{path} {headers}"
            assert "current" not in refused.json()["facts"]


async def test_who_may_is_asked_for_what_they_have_seen(client: Client, school: School, things: list[str]) -> None:
    await client.sign_in(school.academic.login)
    for path in things:
        answers = [await client.patch(path, json={"title": "t"}, headers=headers) for headers in SENT[:3]]
        assert [one.status_code for one in answers] == [428, 412, 400], path
        assert answers[1].json()["code"] == "stale_version"
