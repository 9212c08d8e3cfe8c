"""Who watches, as who controls the session sees it; and one who is sent away, and let in again."""

from datetime import timedelta

import pytest

from api.resources import Resources
from domain.playback_token import check
from storage import live_viewers
from storage.catalogue import audit, sessions, withdrawals
from storage.catalogue.audit import Wanted
from storage.catalogue.tables.session import Session
from storage.catalogue.transaction import Catalogue
from tests.api.conftest import Client, Clock, School
from tests.storage.catalogue import builders

pytestmark = pytest.mark.anyio

REASON = {"reason": "账号外借"}


@pytest.fixture
async def session(catalogue: Catalogue, school: School, clock: Clock) -> Session:
    """A class that is live."""
    async with catalogue.transaction() as tx:
        made = await builders.session(tx, school.place, clock.now)
        await builders.take(tx, made, clock.now)
        return made


def path(session: Session, rest: str = "") -> str:
    return f"/api/v1/sessions/{session.id}{rest}"


async def test_the_names_come_once_they_are_asked_for(
    client: Client, school: School, session: Session, resources: Resources, clock: Clock
) -> None:
    await client.sign_in(school.teacher.login)
    assert await live_viewers.wanted(resources.valkey, [session.id]) == []
    assert (await client.get(path(session, "/viewers"))).json() == {"watching": 0, "viewers": [], "removed": []}
    assert await live_viewers.wanted(resources.valkey, [school.teacher.id, session.id]) == [session.id]
    await live_viewers.tell(resources.valkey, session.id, [school.learner.id, school.stranger.id], clock.now)
    seen = (await client.get(path(session, "/viewers"), params={"q": "王"})).json()
    assert seen["watching"] == 2
    assert seen["viewers"] == [{"id": str(school.learner.id), "display_name": "王同学", "login": school.learner.login}]
    clock.now += live_viewers.PRESENT + timedelta(seconds=1)
    assert (await client.get(path(session, "/viewers"))).json()["watching"] == 0


async def test_who_is_sent_away_loses_every_address_and_gets_no_other(
    client: Client, school: School, session: Session, resources: Resources, catalogue: Catalogue, clock: Clock
) -> None:
    learner = school.learner
    await client.sign_in(learner.login)
    token = (await client.post(path(session, "/playback"))).json()["url"].split("/")[-2]
    claim = check(resources.keys.playback, token, kind="live", item_id=session.id, now=clock.now)
    await client.sign_in(school.teacher.login)
    async with catalogue.listen([withdrawals.CHANNEL]) as notes:
        for _ in range(2):  # twice is once
            assert (await client.post(path(session, f"/viewers/{learner.id}/removal"), json=REASON)).status_code == 204
        told = withdrawals.heard((await anext(aiter(notes))).payload)
    assert told.covers(claim)
    (removed,) = (await client.get(path(session, "/viewers"))).json()["removed"]
    assert removed["viewer"]["display_name"] == "王同学"
    await client.sign_in(learner.login)
    refused = await client.post(path(session, "/playback"))
    assert (refused.status_code, refused.json()["code"]) == (403, "viewer_removed")
    async with catalogue.transaction() as tx:
        entries = await audit.entries(tx, Wanted(action="viewer_removed", item_id=str(session.id)), limit=9)
    assert entries[0].details == {"account": str(learner.id), "reason": "账号外借"}


async def test_who_is_let_in_again_asks_for_an_address_anew(
    client: Client, school: School, session: Session, resources: Resources, catalogue: Catalogue, clock: Clock
) -> None:
    viewer = path(session, f"/viewers/{school.learner.id}")
    await client.sign_in(school.teacher.login)
    assert (await client.post(f"{viewer}/readmission", json=REASON)).status_code == 404
    await client.post(f"{viewer}/removal", json=REASON)
    assert (await client.post(f"{viewer}/readmission", json=REASON)).status_code == 204
    assert (await client.get(path(session, "/viewers"))).json()["removed"] == []
    clock.now += timedelta(seconds=5)
    await client.sign_in(school.learner.login)
    token = (await client.post(path(session, "/playback"))).json()["url"].split("/")[-2]
    claim = check(resources.keys.playback, token, kind="live", item_id=session.id, now=clock.now)
    async with catalogue.transaction() as tx:
        assert not any(one.covers(claim) for one in await withdrawals.since(tx, clock.now - timedelta(hours=1)))


async def test_it_is_for_who_controls_it_and_against_nobody_who_does(
    client: Client, school: School, session: Session
) -> None:
    for person in (school.learner, school.stranger):
        await client.sign_in(person.login)
        assert (await client.get(path(session, "/viewers"))).status_code == 403
        answer = await client.post(path(session, f"/viewers/{school.stranger.id}/removal"), json=REASON)
        assert answer.status_code == 403
    await client.sign_in(school.teacher.login)
    for person in (school.manager, school.academic, school.teacher):
        answer = await client.post(path(session, f"/viewers/{person.id}/removal"), json=REASON)
        assert (answer.status_code, answer.json()["code"]) == (403, "not_permitted"), person.display_name


async def test_the_peak_is_kept_and_never_falls(
    client: Client, school: School, session: Session, catalogue: Catalogue
) -> None:
    await client.sign_in(school.teacher.login)
    assert (await client.get(path(session))).json()["peak_viewers"] is None
    for viewers in (3, 41, 7):
        async with catalogue.transaction() as tx:
            await sessions.keep_peak(tx, session_id=session.id, viewers=viewers)
    seen = await client.get(path(session))
    assert (seen.json()["peak_viewers"], seen.json()["version"]) == (41, 2)
    await client.sign_in(school.learner.login)
    assert (await client.get(path(session))).json()["peak_viewers"] is None
