"""A session's reviewer: who names one, who can be named, and what being replaced takes away."""

from dataclasses import replace
from datetime import timedelta
from uuid import uuid4

import pytest

from api.resources import Resources
from domain.kinds import Role, ScopeKind
from domain.permissions import Grant
from domain.playback_token import check
from storage.catalogue import audit, sessions, withdrawals
from storage.catalogue.audit import Wanted
from storage.catalogue.tables.account import Account
from storage.catalogue.tables.session import Session
from storage.catalogue.transaction import Catalogue
from tests.api.conftest import Client, Clock, People, School, client_of
from tests.storage.catalogue import builders

pytestmark = pytest.mark.anyio


@pytest.fixture
async def reviewer(people: People) -> Account:
    return await people.add(Grant(Role.teacher, ScopeKind.institute), name="何审核")


@pytest.fixture
async def session(catalogue: Catalogue, school: School, clock: Clock) -> Session:
    async with catalogue.transaction() as tx:
        return await builders.session(tx, school.place, clock.now)


def path(session: Session, rest: str = "") -> str:
    return f"/api/v1/sessions/{session.id}{rest}"


async def name(client: Client, session: Session, account: Account | None, version: int = 1) -> tuple[int, str]:
    answer = await client.patch(
        path(session, "/reviewer"),
        json={"account_id": str(account.id) if account else None},
        headers={"If-Match": f'"{version}"'},
    )
    return answer.status_code, answer.json().get("code", "")


async def test_an_office_names_one_who_then_sees_and_cuts_it(
    client: Client, school: School, session: Session, reviewer: Account, catalogue: Catalogue, resources: Resources
) -> None:
    async with client_of(resources) as other:
        await other.sign_in(reviewer.login)
        assert (await other.get(path(session))).status_code == 404
        for office in (school.academic, school.manager):
            await client.sign_in(office.login)
            seen = await client.get(path(session))
            assert "session_name_reviewer" in seen.json()["may"]
            chosen = {"account_id": str(reviewer.id)}
            answer = await client.patch(
                path(session, "/reviewer"), json=chosen, headers={"If-Match": seen.headers["etag"]}
            )
            assert answer.json()["reviewer"] == {"id": str(reviewer.id), "display_name": "何审核"}
            assert answer.json()["delay_seconds"] == 5, "what is reviewed is held back"
        mine = (await other.get(path(session))).json()
        assert (mine["reviewer"]["display_name"], mine["may"]) == ("何审核", ["session_control", "session_play"])
    async with catalogue.transaction() as tx:
        (entry,) = await audit.entries(tx, Wanted(action="session_reviewer_named", item_id=str(session.id)), limit=9)
    assert entry.details == {"before": None, "after": str(reviewer.id)}, "the second time nothing was changed"


async def test_nobody_else_names_one(client: Client, school: School, session: Session, reviewer: Account) -> None:
    for person, status in ((school.teacher, 403), (school.learner, 403), (school.publicity, 403)):
        await client.sign_in(person.login)
        assert (await name(client, session, reviewer))[0] == status, person.display_name
        assert (await client.get(path(session, "/reviewers"))).status_code == status


async def test_the_audience_is_not_told_who_reviews(
    client: Client, school: School, reviewer: Account, catalogue: Catalogue, clock: Clock
) -> None:
    async with catalogue.transaction() as tx:
        session = await builders.session(tx, school.place, clock.now, reviewer_id=reviewer.id)
    await client.sign_in(school.learner.login)
    assert (await client.get(path(session))).json()["reviewer"] is None


async def test_who_can_be_named_is_found_by_name(
    client: Client, school: School, session: Session, reviewer: Account, people: People
) -> None:
    await people.add(Grant(Role.learner, ScopeKind.institute), name="何同学")
    await people.add(Grant(Role.department_manager, ScopeKind.department, uuid4()), name="何主任")
    await client.sign_in(school.manager.login)
    found = (await client.get(path(session, "/reviewers"), params={"q": "何"})).json()["items"]
    assert [one["display_name"] for one in found] == ["何审核"]
    everyone = (await client.get(path(session, "/reviewers"))).json()["items"]
    assert str(school.teacher.id) not in [one["id"] for one in everyone], "who speaks does not review"


async def test_who_cannot_is_refused_and_says_why(
    client: Client, school: School, session: Session, reviewer: Account, people: People
) -> None:
    await client.sign_in(school.academic.login)
    assert await name(client, session, school.teacher) == (403, "self_review")
    assert await name(client, session, await people.with_role(Role.inspector)) == (403, "wrong_reviewer")
    assert await name(client, session, reviewer, version=7) == (412, "stale_version")
    unseen = await client.patch(path(session, "/reviewer"), json={"account_id": str(reviewer.id)})
    assert unseen.status_code == 428
    stranger = await client.patch(
        path(session, "/reviewer"), json={"account_id": str(uuid4())}, headers={"If-Match": '"1"'}
    )
    assert stranger.status_code == 404


async def test_once_it_is_live_one_is_replaced_and_sees_ahead_no_longer(
    client: Client, school: School, reviewer: Account, people: People, catalogue: Catalogue, clock: Clock,
    resources: Resources,
) -> None:  # fmt: skip
    async with catalogue.transaction() as tx:
        session = await builders.session(tx, school.place, clock.now, reviewer_id=reviewer.id)
        await builders.take(tx, session, clock.now)
        live = await sessions.get(tx, session.id)
    await client.sign_in(reviewer.login)
    given = (await client.post(path(session, "/playback?view=preview"))).json()
    assert f"/preview/{session.id}/" in given["url"]
    token = given["url"].split("/")[-2]
    claim = check(resources.keys.playback, token, kind="preview", item_id=session.id, now=clock.now)
    await client.sign_in(school.academic.login)
    assert await name(client, session, None, live.version) == (409, "move_not_allowed")
    clock.now += timedelta(seconds=30)
    async with catalogue.listen([withdrawals.CHANNEL]) as notes:
        assert await name(client, session, await people.with_role(Role.teacher), live.version) == (200, "")
        told = withdrawals.heard((await anext(aiter(notes))).payload)
    async with catalogue.transaction() as tx:
        assert await withdrawals.since(tx, clock.now) == [told]
    assert told.covers(claim)
    assert not told.covers(replace(claim, kind="live")), "what its audience sees stays open to who may watch it"
    assert not told.covers(replace(claim, issued_at=clock.now + timedelta(minutes=1))), "named again, it sees again"
