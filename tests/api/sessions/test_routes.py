"""Sessions as the timetable's people use them."""

from dataclasses import replace
from datetime import timedelta

import pytest

from api.resources import Resources
from domain.ingest_key import key_hash
from domain.kinds import Role
from domain.playback_token import PlaybackKind, check
from domain.states import SessionMove, SessionState
from storage.catalogue import credentials, sessions
from storage.catalogue.tables.account import Account
from storage.catalogue.tables.session import Session
from storage.catalogue.transaction import Catalogue
from storage.live_state import LiveState, publish, publish_many
from tests.api.conftest import Client, Clock, People, School, client_of
from tests.storage.catalogue import builders

pytestmark = pytest.mark.anyio


@pytest.fixture
async def session(catalogue: Catalogue, school: School, clock: Clock) -> Session:
    """A class of the school's teacher that begins now."""
    async with catalogue.transaction() as tx:
        return await builders.session(tx, school.place, clock.now)


async def go_live(catalogue: Catalogue, session: Session, clock: Clock) -> None:
    async with catalogue.transaction() as tx:
        await builders.take(tx, session, clock.now)


async def test_each_person_sees_what_concerns_them(client: Client, school: School, session: Session) -> None:
    for person in (school.teacher, school.learner, school.academic):
        await client.sign_in(person.login)
        listed = (await client.get("/api/v1/sessions")).json()["items"]
        assert [one["id"] for one in listed] == [str(session.id)], person.display_name
        assert (await client.get(f"/api/v1/sessions/{session.id}")).status_code == 200
    await client.sign_in(school.stranger.login)
    assert (await client.get("/api/v1/sessions")).json()["code"] == "not_permitted"
    assert (await client.get(f"/api/v1/sessions/{session.id}")).status_code == 403


async def test_the_week_is_asked_for_by_instants_with_their_zone(
    client: Client, school: School, session: Session, clock: Clock
) -> None:
    await client.sign_in(school.teacher.login)
    monday: dict[str, str | bool] = {
        "from": clock.now.isoformat(),
        "to": (clock.now + timedelta(days=7)).isoformat(),
        "mine": True,
    }
    (found,) = (await client.get("/api/v1/sessions", params=monday)).json()["items"]
    assert found["title"] == session.title
    assert set(found["may"]) >= {"session_publish", "session_control"}
    before = {"to": (clock.now - timedelta(days=7)).isoformat()}
    assert (await client.get("/api/v1/sessions", params=before)).json()["items"] == []
    naive = await client.get("/api/v1/sessions", params={"from": "2026-09-14T00:00:00"})
    assert (naive.status_code, naive.json()["code"]) == (400, "invalid_input")


async def test_the_instructor_gets_a_key_that_stays_until_it_is_renewed(
    client: Client, school: School, session: Session, catalogue: Catalogue, clock: Clock
) -> None:
    await client.sign_in(school.teacher.login)
    path = f"/api/v1/sessions/{session.id}/ingest"
    first, again = (await client.get(path)).json(), (await client.get(path)).json()
    assert first == again
    renewed = (await client.post(f"{path}/renewal")).json()
    assert renewed["key"] != first["key"]
    async with catalogue.transaction() as tx:
        old = await credentials.present(tx, key_hash(first["key"]))
        new = await credentials.present(tx, key_hash(renewed["key"]))
    assert old is not None
    assert old.row.revoked_at == clock.now
    assert new is not None
    assert new.row.revoked_at is None
    assert new.session.id == session.id


@pytest.mark.parametrize("address", ["", "rtmps://lectern.test:1936/live"])
async def test_the_encrypted_address_is_shown_where_it_is_offered(
    resources: Resources, school: School, session: Session, address: str
) -> None:
    offering = replace(resources, settings=replace(resources.settings, rtmps_public_url=address))
    async with client_of(offering) as client:
        await client.sign_in(school.teacher.login)
        told = (await client.get(f"/api/v1/sessions/{session.id}/ingest")).json()
    assert (told["rtmps_server"], told["rtmp_server"]) == (address or None, resources.settings.rtmp_public_url)


async def test_nobody_else_gets_the_key(client: Client, school: School, session: Session) -> None:
    for person in (school.learner, school.stranger, school.publicity):
        await client.sign_in(person.login)
        assert (await client.get(f"/api/v1/sessions/{session.id}/ingest")).status_code in (403, 404)


async def test_watching_needs_a_live_session_and_a_place_on_its_roster(
    client: Client, school: School, session: Session, catalogue: Catalogue, clock: Clock, resources: Resources
) -> None:
    path = f"/api/v1/sessions/{session.id}/playback"
    await client.sign_in(school.learner.login)
    early = await client.post(path)
    assert (early.status_code, early.json()["code"]) == (409, "not_live")
    await go_live(catalogue, session, clock)
    given = (await client.post(path)).json()
    assert given["live"] is True
    token = given["url"].split("/")[-2]
    claim = check(resources.keys.playback, token, kind="live", item_id=session.id, now=clock.now)
    assert claim.account_id == school.learner.id
    async with client_of(resources) as other:
        await other.sign_in(school.stranger.login)
        assert (await other.post(path)).status_code == 403


async def test_a_preview_is_for_who_teaches_or_controls_and_else_it_is_watching(
    client: Client, school: School, session: Session, catalogue: Catalogue, clock: Clock, resources: Resources
) -> None:
    await go_live(catalogue, session, clock)
    path = f"/api/v1/sessions/{session.id}/playback"
    asks: list[tuple[Account, str, PlaybackKind, str]] = [
        (school.teacher, "?view=preview", "preview", "preview"),
        (school.teacher, "?view=monitor", "monitor", "live"),
        (school.teacher, "", "live", "live"),
        (school.learner, "?view=preview", "live", "live"),
        (school.learner, "?view=monitor", "live", "live"),
    ]
    for person, asked, kind, door in asks:
        await client.sign_in(person.login)
        given = (await client.post(path + asked)).json()
        assert given["live"] is True
        assert f"/{door}/{session.id}/" in given["url"]
        token = given["url"].split("/")[-2]
        claim = check(resources.keys.playback, token, kind=kind, item_id=session.id, now=clock.now)
        assert claim.account_id == person.id


async def test_cut_resume_and_end_are_recorded_with_their_reason(
    client: Client, school: School, session: Session, catalogue: Catalogue, clock: Clock
) -> None:
    await go_live(catalogue, session, clock)
    await client.sign_in(school.teacher.login)
    path = f"/api/v1/sessions/{session.id}"
    cut = await client.post(f"{path}/cut", json={"reason": "有人误入"})
    assert (cut.json()["state"], cut.json()["cut_reason"]) == ("cut", "有人误入")
    assert (await client.post(f"{path}/cut", json={"reason": "again"})).json()["code"] == "move_not_allowed"
    assert (await client.post(f"{path}/resume", json={"reason": "好了"})).json()["state"] == "live"
    ended = (await client.post(f"{path}/end", json={"reason": "下课"})).json()
    assert ended["state"] == "ended"
    assert ended["recording_id"] is not None
    assert ended["recording_state"] == "capturing"
    assert (await client.post(f"{path}/end", json={"reason": ""})).status_code == 400
    assert (await client.post(f"{path}/kick", json={"reason": "x"})).json()["code"] == "not_live"


async def test_an_order_reaches_the_catalogue_while_the_owner_is_away(
    client: Client, school: School, session: Session, catalogue: Catalogue, clock: Clock
) -> None:
    """The owner's control address answers nobody here: the NOTIFY of the same transaction must carry the order."""
    await go_live(catalogue, session, clock)
    await client.sign_in(school.teacher.login)
    async with catalogue.listen([sessions.CONTROL_CHANNEL]) as notes:
        await client.post(f"/api/v1/sessions/{session.id}/cut", json={"reason": "reason"})
        note = await anext(aiter(notes))
    assert str(session.id) in note.payload
    assert '"cut"' in note.payload


async def test_a_change_needs_the_version_that_was_seen(client: Client, school: School, session: Session) -> None:
    await client.sign_in(school.teacher.login)
    path = f"/api/v1/sessions/{session.id}"
    seen = (await client.get(path)).headers["etag"]
    assert (await client.patch(path, json={"title": "新题目"})).status_code == 428
    changed = await client.patch(path, json={"title": "新题目"}, headers={"If-Match": seen})
    assert (changed.status_code, changed.json()["title"]) == (200, "新题目")
    stale = await client.patch(path, json={"title": "旧"}, headers={"If-Match": seen})
    assert (stale.status_code, stale.json()["code"]) == (412, "stale_version")
    assert (await client.patch(path, json={"state": "live"}, headers={"If-Match": '"2"'})).status_code == 400


async def test_a_viewer_sees_that_it_is_live_and_nothing_of_how(
    resources: Resources, people: People, school: School, session: Session, clock: Clock
) -> None:
    told = LiveState(
        session_id=session.id, node="ingest-7", state="live", at=clock.now, take_number=2, encoder="OBS 31", width=1280,
        height=720, video_kbps=2400, viewers=40, problem_code="disk_full", problem_facts={"free": 3},
    )  # fmt: skip
    await publish(resources.valkey, told)
    inspector = await people.with_role(Role.inspector)
    for person, sees in ((school.teacher, True), (school.academic, True), (school.learner, False), (inspector, False)):
        async with client_of(resources) as browser:
            await browser.sign_in(person.login)
            shown = (await browser.get(f"/api/v1/sessions/{session.id}/live")).json()
        if sees:
            assert (shown["node"], shown["encoder"], shown["viewers"]) == ("ingest-7", "OBS 31", 40)
        else:
            assert {name for name, value in shown.items() if value} == {"session_id", "state", "at"}, shown
            assert shown["state"] == "live"


async def test_whose_encoder_was_not_let_in_is_told_why_and_nobody_else(
    resources: Resources, school: School, session: Session, clock: Clock
) -> None:
    refusal = LiveState(
        session_id=session.id, node="ingest-7", state="refused", at=clock.now, problem_code="department_full",
        problem_facts={"max_publishers": 4},
    )  # fmt: skip
    waiting = LiveState(session_id=session.id, node="ingest-3", state="waiting", at=clock.now)
    publishing = LiveState(session_id=session.id, node="ingest-3", state="live", at=clock.now, take_id=session.id)
    path, shown = f"/api/v1/sessions/{session.id}/live", []
    async with client_of(resources) as teacher, client_of(resources) as learner:
        await teacher.sign_in(school.teacher.login)
        await learner.sign_in(school.learner.login)
        for states in ([], [waiting], [publishing]):
            await publish_many(resources.valkey, states, [refusal])
            said = (await teacher.get(path)).json()
            shown.append((said["state"], said.get("problem_code"), said.get("problem_facts")))
            assert "problem_code" not in (await learner.get(path)).json()
    why = ("department_full", {"max_publishers": 4})
    assert shown == [("scheduled", *why), ("waiting", *why), ("live", None, None)]


async def test_without_an_encoder_the_live_state_is_the_sessions(
    client: Client, school: School, session: Session, catalogue: Catalogue, clock: Clock
) -> None:
    await client.sign_in(school.teacher.login)
    assert (await client.get(f"/api/v1/sessions/{session.id}/live")).json()["state"] == SessionState.scheduled
    async with catalogue.transaction() as tx:
        await sessions.move(tx, await sessions.lock(tx, session.id), SessionMove.cancel, clock.now, "假期")
    over = await client.get(f"/api/v1/sessions/{session.id}/ingest")
    assert over.json()["code"] == "session_not_scheduled"
