"""The library and what keeps or ends a recording."""

import asyncio
from datetime import datetime, timedelta

import pytest

from api.resources import Resources
from domain.states import RecordingState
from retention.purge import purge
from storage.catalogue import holds, recordings, retention
from storage.catalogue.tables.recording import Recording
from storage.catalogue.transaction import Actor, Catalogue
from tests.api.conftest import Client, Clock, School, client_of
from tests.storage.catalogue import builders

pytestmark = pytest.mark.anyio


@pytest.fixture
async def recording(catalogue: Catalogue, school: School, clock: Clock) -> Recording:
    """A stored recording of the school's teacher, ended now."""
    async with catalogue.transaction() as tx:
        return await builders.stored_recording(tx, school.place, clock.now)


async def test_the_roster_sees_a_daily_class_at_once_and_nobody_else_does(
    client: Client, school: School, recording: Recording
) -> None:
    for person in (school.teacher, school.learner, school.manager):
        await client.sign_in(person.login)
        assert len((await client.get("/api/v1/recordings")).json()["items"]) == 1
        assert (await client.post(f"/api/v1/recordings/{recording.id}/playback")).status_code == 201
    await client.sign_in(school.stranger.login)
    assert (await client.post(f"/api/v1/recordings/{recording.id}/playback")).status_code == 403


async def test_what_waits_for_review_is_not_shown_to_its_roster(
    client: Client, school: School, recording: Recording, catalogue: Catalogue
) -> None:
    async with catalogue.transaction() as tx:
        (await recordings.lock(tx, recording.id)).release = "after_review"  # type: ignore[assignment]
    await client.sign_in(school.learner.login)
    assert (await client.get("/api/v1/recordings")).json()["items"] == []
    assert (await client.post(f"/api/v1/recordings/{recording.id}/playback")).status_code == 404
    await client.sign_in(school.teacher.login)
    assert (await client.post(f"/api/v1/recordings/{recording.id}/playback")).status_code == 201


async def test_its_shape_tells_the_clock(client: Client, school: School, recording: Recording, clock: Clock) -> None:
    await client.sign_in(school.teacher.login)
    shown = (await client.get(f"/api/v1/recordings/{recording.id}")).json()
    assert shown["state"] == "stored"
    assert shown["expires_at"].startswith("2027-03-14")
    assert shown["encoding"] == {"done": 0, "total": 0, "failed": 0}
    assert "recording_purge" not in shown["may"]


async def test_a_hold_stops_a_purge_and_lifting_lets_it_go_on(
    client: Client, school: School, recording: Recording
) -> None:
    path = f"/api/v1/recordings/{recording.id}"
    await client.sign_in(school.academic.login)
    hold = await client.post(f"{path}/holds", json={"reason": "投诉调查"})
    assert hold.status_code == 201
    order = {"reason": "误录", "confirm_title": recording.title}
    assert (await client.post(f"{path}/purge", json=order)).json()["code"] == "on_hold"
    lifting = f"{path}/holds/{hold.json()['id']}/lifting"
    assert (await client.post(lifting, json={"reason": ""})).status_code == 400
    assert (await client.post(lifting, json={"reason": "调查已结束"})).status_code == 204
    shown = (await client.get(path)).json()
    assert shown["holds"] == []
    (lifted,) = shown["lifted_holds"]
    academic = {"id": str(school.academic.id), "display_name": school.academic.display_name}
    assert (lifted["reason"], lifted["lift_reason"]) == ("投诉调查", "调查已结束")
    assert lifted["placed_by"] == lifted["lifted_by"] == academic
    assert lifted["lifted_at"] >= lifted["placed_at"]
    purged = await client.post(f"{path}/purge", json=order)
    assert (purged.status_code, purged.json()["state"]) == (202, "marked")
    assert purged.json()["purge_begins_at"] is None, "what a person orders away goes at once"
    await client.sign_in(school.learner.login)
    assert (await client.get(path)).json()["lifted_holds"] == []


async def test_a_teacher_lifts_only_the_hold_that_is_his(
    client: Client, school: School, recording: Recording, resources: Resources
) -> None:
    path = f"/api/v1/recordings/{recording.id}/holds"
    await client.sign_in(school.teacher.login)
    mine = (await client.post(path, json={"reason": "备课要用"})).json()["id"]
    async with client_of(resources) as other:
        await other.sign_in(school.academic.login)
        theirs = (await other.post(path, json={"reason": "投诉调查"})).json()["id"]
    why = {"reason": "不再需要"}
    assert (await client.post(f"{path}/{theirs}/lifting", json=why)).json()["code"] == "not_permitted"
    assert (await client.post(f"{path}/{mine}/lifting", json=why)).status_code == 204


async def test_purging_needs_the_very_title_and_the_right(client: Client, school: School, recording: Recording) -> None:
    path = f"/api/v1/recordings/{recording.id}/purge"
    await client.sign_in(school.academic.login)
    wrong = await client.post(path, json={"reason": "误录", "confirm_title": "别的"})
    assert wrong.json()["code"] == "confirmation_mismatch"
    await client.sign_in(school.teacher.login)
    mine = await client.post(path, json={"reason": "误录", "confirm_title": recording.title})
    assert mine.json()["code"] == "not_permitted"


async def test_the_same_key_places_one_hold(
    client: Client, school: School, recording: Recording, catalogue: Catalogue
) -> None:
    await client.sign_in(school.teacher.login)
    path, key = f"/api/v1/recordings/{recording.id}/holds", {"Idempotency-Key": "once"}
    first = await client.post(path, json={"reason": "a"}, headers=key)
    again = await client.post(path, json={"reason": "a"}, headers=key)
    assert (again.status_code, again.json()) == (201, first.json())
    other = await client.post(path, json={"reason": "b"}, headers=key)
    assert other.json()["code"] == "idempotency_conflict"
    async with catalogue.transaction() as tx:
        assert await holds.count_standing(tx, recording.id) == 1


async def test_rescue_from_the_trash(
    client: Client, school: School, recording: Recording, catalogue: Catalogue, clock: Clock
) -> None:
    clock.now += timedelta(days=200)
    async with catalogue.transaction() as tx:
        await retention.mark(tx, await recordings.lock(tx, recording.id), "expired", clock.now)
    await client.sign_in(school.teacher.login)
    marked = (await client.get(f"/api/v1/recordings/{recording.id}")).json()
    begins = datetime.fromisoformat(marked["purge_begins_at"])
    assert begins - datetime.fromisoformat(marked["marked_at"]) == timedelta(hours=72)
    rescued = (await client.post(f"/api/v1/recordings/{recording.id}/rescue")).json()
    assert rescued["state"] == "stored"
    assert rescued["expires_at"] > clock.now.isoformat()[:10]


async def test_a_promotion_racing_with_a_purge_has_one_winner(
    client: Client, school: School, recording: Recording, resources: Resources
) -> None:
    """Two people press their buttons at the same moment, five times over two real connections."""
    async with client_of(resources) as other:
        await client.sign_in(school.academic.login)
        await other.sign_in(school.teacher.login)
        path = f"/api/v1/recordings/{recording.id}"
        order = {"reason": "清理", "confirm_title": recording.title}
        promotion = {"title": "精品", "audience": "scoped"}
        purge_answer, promote_answer = await asyncio.gather(
            client.post(f"{path}/purge", json=order), other.post(f"{path}/promotion", json=promotion)
        )
    codes = {purge_answer.status_code, promote_answer.status_code}
    assert codes in ({202, 409}, {409, 201})
    state = (await client.get(path)).json()["state"]
    assert state == ("marked" if purge_answer.status_code == 202 else "promoted")


async def test_the_certificate_is_there_after_the_purge_and_playback_is_over(
    client: Client, school: School, recording: Recording, resources: Resources, clock: Clock
) -> None:
    await client.sign_in(school.academic.login)
    path = f"/api/v1/recordings/{recording.id}"
    assert (await client.get(f"{path}/certificate")).status_code == 404
    await client.post(f"{path}/purge", json={"reason": "误录", "confirm_title": recording.title})
    await purge(resources.catalogue, resources.objects, recording.id, Actor.system("test"), clock)
    certificate = (await client.get(f"{path}/certificate")).json()
    assert (certificate["reason"], certificate["actor"]) == ("ordered: 误录", school.academic.display_name)
    assert (await client.get("/api/v1/certificates")).json()["items"] == [certificate]
    assert (await client.get(path)).json()["state"] == RecordingState.purged
    assert (await client.post(f"{path}/playback")).json()["code"] == "already_purged"
