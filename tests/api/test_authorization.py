"""Each thing is read and changed by those within whose reach it stands, and by nobody else (mission R2).

Two schools side by side: whoever belongs to one asks for what is the other's, on every route that names a thing. That
each role reaches what is its own is told by the tests of each resource, and by `test_may.py`.
"""

from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

import pytest

from api.app import create_app
from api.resources import Resources
from domain.kinds import Audience, Release, Role, ScopeKind
from domain.permissions import Grant
from domain.playback_token import PlaybackClaim, sign
from retention.purge import purge
from storage.catalogue import courses, holds, institute, recordings, retention, timetables
from storage.catalogue.tables.account import Account
from storage.catalogue.transaction import Catalogue
from tests.api.conftest import Clock, People, School, client_of
from tests.house.test_permits import handlers
from tests.storage.catalogue import builders

pytestmark = pytest.mark.anyio

V1 = {"If-Match": '"1"'}
REASON = {"reason": "r"}


@dataclass(frozen=True)
class Things:
    """What the other school has."""

    session_id: UUID
    recording_id: UUID
    purged_id: UUID
    hold_id: UUID
    course_id: UUID
    timetable: str
    version: int


@pytest.fixture
async def things(catalogue: Catalogue, school: School, resources: Resources, clock: Clock) -> Things:
    now = clock.now
    async with catalogue.transaction() as tx:
        recording = await builders.stored_recording(tx, school.place, now)
        kept = await builders.stored_recording(tx, school.place, now.replace(month=3))
        gone = await builders.stored_recording(tx, school.place, now.replace(month=2))
        hold = await holds.place(tx, recording.id, "r", school.teacher.id, now)
        course = await courses.promote(
            tx, kept.id, title="精品", summary="", audience=Audience.scoped, provider_id=school.teacher.id, now=now
        )
        table = await timetables.put(tx, f"t{uuid4().hex[:8]}", "课表", cohort_id=school.place.cohort_id)
        await retention.mark(tx, await recordings.lock(tx, gone.id), "expired", now)
    await purge(catalogue, resources.objects, gone.id, builders.SYSTEM, clock)
    return Things(recording.session_id, recording.id, gone.id, hold.id, course.id, table.slug, recording.version)


@pytest.fixture
async def foreigners(people: People, catalogue: Catalogue) -> dict[str, Account]:
    """People of another school, one of each role whose reach ends somewhere."""
    async with catalogue.transaction() as tx:
        other = await builders.place(tx, f"o{uuid4().hex[:8]}")
    scope = other.scope
    learner = await people.add(name="learner")
    async with catalogue.transaction() as tx:
        await institute.enrol(tx, other.cohort_id, [learner.id])
    return {
        "learner": learner,
        "teacher": await people.with_role(Role.teacher),
        "programme_lead": await people.add(Grant(Role.programme_lead, ScopeKind.programme, scope.programme_id)),
        "department_manager": await people.add(
            Grant(Role.department_manager, ScopeKind.department, scope.department_id)
        ),
        "publicity_office": await people.with_role(Role.publicity_office),
        "system_administrator": await people.with_role(Role.system_administrator),
        "security_administrator": await people.with_role(Role.security_administrator),
    }


def requests_for(things: Things) -> list[tuple[str, str, dict[str, Any]]]:
    """Every request that names one of the things: (method, path, what goes with it)."""
    session, recording = f"/sessions/{things.session_id}", f"/recordings/{things.recording_id}"
    course = f"/courses/{things.course_id}"
    change = {"json": {"title": "t"}, "headers": V1}
    return [
        ("GET", session, {}),
        ("PATCH", session, change),
        ("GET", f"{session}/reviewers", {}),
        ("PATCH", f"{session}/reviewer", {"json": {"account_id": None}, "headers": V1}),
        ("GET", f"{session}/ingest", {}),
        ("POST", f"{session}/ingest/renewal", {}),
        ("GET", f"{session}/live", {}),
        *(("POST", f"{session}/{order}", {"json": REASON}) for order in ("cut", "resume", "kick", "end")),
        ("POST", f"{session}/playback", {}),
        ("GET", f"{session}/viewers", {}),
        *(("POST", f"{session}/viewers/{uuid4()}/{what}", {"json": REASON}) for what in ("removal", "readmission")),
        ("GET", recording, {}),
        ("PATCH", recording, change),
        ("GET", f"{recording}/poster", {}),
        ("GET", f"{recording}/stills", {}),
        ("GET", f"{recording}/stills/0", {}),
        ("GET", f"{recording}/work", {}),
        ("GET", f"{recording}/report", {}),
        ("POST", f"{recording}/work/{uuid4()}/retry", {}),
        ("POST", f"{recording}/playback", {}),
        ("GET", f"{recording}/evidence", {}),
        ("POST", f"{recording}/evidence/playback", {"json": REASON}),
        ("POST", f"{recording}/holds", {"json": REASON}),
        ("POST", f"{recording}/holds/{things.hold_id}/lifting", {"json": REASON}),
        ("POST", f"{recording}/purge", {"json": {**REASON, "confirm_title": "教育心理学 3"}}),
        ("POST", f"{recording}/rescue", {}),
        ("POST", f"{recording}/promotion", {"json": {"title": "t", "audience": "open"}}),
        ("GET", f"/recordings/{things.purged_id}/certificate", {}),
        ("GET", course, {}),
        ("PATCH", course, change),
        *(("POST", f"{course}/{step}", {}) for step in ("submission", "filing", "publication", "playback")),
        ("POST", f"{course}/review", {"json": {"decision": "approve"}}),
        ("GET", f"{course}/poster", {}),
        ("PUT", f"/capacities/{uuid4()}", {"json": {"max_publishers": 1}}),
        ("POST", "/timetable-imports", {"data": {"timetable": things.timetable}, "files": {"file": ("t.csv", b"x")}}),
    ]


def test_the_table_names_every_route_that_names_a_thing(resources: Resources) -> None:
    nothing = UUID(int=0)
    told = {
        (method, _template(path))
        for method, path, _ in requests_for(Things(nothing, nothing, nothing, nothing, nothing, "t", 1))
    }
    served = {
        (method, _template(path.removeprefix("/api/v1")))
        for method, path, _ in handlers(create_app(resources))
        if path.startswith("/api/v1/") and "{" in path and not path.startswith("/api/v1/accounts")
    }
    assert served - told == set()


@pytest.mark.parametrize(
    "who",
    [
        "learner", "teacher", "programme_lead", "department_manager", "publicity_office", "system_administrator",
        "security_administrator",
    ],
)  # fmt: skip
async def test_nobody_reaches_what_is_another_schools(
    resources: Resources, things: Things, foreigners: dict[str, Account], who: str, catalogue: Catalogue
) -> None:
    async with client_of(resources) as browser:
        await browser.sign_in(foreigners[who].login)
        for method, path, more in requests_for(things):
            answer = await browser.request(method, f"/api/v1{path}", **more)
            assert answer.status_code in (403, 404), f"{who} {method} {path}: {answer.status_code} {answer.text}"
            assert "教育心理学" not in answer.text, f"{who} {method} {path}"
        for path in ("/sessions", "/recordings", "/courses", "/certificates", "/timetables"):
            listed = await browser.get(f"/api/v1{path}")
            assert listed.status_code == 403 or listed.json()["items"] == [], f"{who} {path}: {listed.text}"
    async with catalogue.transaction() as tx:
        recording = await recordings.get(tx, things.recording_id)
        assert (recording.version, recording.title) == (things.version, "教育心理学 3")
        assert await holds.count_standing(tx, things.recording_id) == 1


async def test_a_certificate_of_another_department_is_not_found(
    resources: Resources, school: School, things: Things, foreigners: dict[str, Account]
) -> None:
    for person, status, count in ((school.manager, 200, 1), (foreigners["department_manager"], 404, 0)):
        async with client_of(resources) as browser:
            await browser.sign_in(person.login)
            answer = await browser.get(f"/api/v1/recordings/{things.purged_id}/certificate")
            assert answer.status_code == status
            page = (await browser.get("/api/v1/certificates?limit=1")).json()
            assert (len(page["items"]), page["next_cursor"]) == (count, None)


async def test_a_reviewer_sees_and_cuts_and_does_no_more(
    resources: Resources, school: School, people: People, catalogue: Catalogue, clock: Clock
) -> None:
    """A teacher who reviews another's session is not its teacher: no key of it, no edit, no promotion."""
    reviewer = await people.with_role(Role.teacher)
    async with catalogue.transaction() as tx:
        session = await builders.session(tx, school.place, clock.now, reviewer_id=reviewer.id)
    path = f"/api/v1/sessions/{session.id}"
    async with client_of(resources) as browser:
        await browser.sign_in(reviewer.login)
        assert (await browser.get(path)).json()["may"] == ["session_control", "session_play"]
        assert (await browser.get(f"{path}/ingest")).status_code == 403
        assert (await browser.post(f"{path}/ingest/renewal")).status_code == 403
        assert (await browser.patch(path, json={"title": "t"}, headers=V1)).status_code == 403
        assert (await browser.post(f"{path}/cut", json=REASON)).status_code == 409


async def test_pictures_are_for_who_may_see_the_recording(
    resources: Resources, school: School, catalogue: Catalogue, clock: Clock
) -> None:
    async with catalogue.transaction() as tx:
        recording = await builders.stored_recording(tx, school.place, clock.now)
        await recordings.set_poster(tx, recording.id, f"recordings/{recording.id}/poster.jpg")
        (await recordings.lock(tx, recording.id)).release = Release.after_review
    resources.objects.put_bytes(f"recordings/{recording.id}/poster.jpg", b"\xff\xd8jpeg")
    path = f"/api/v1/recordings/{recording.id}/poster"
    for person, status in ((school.teacher, 200), (school.manager, 200), (school.learner, 404), (school.stranger, 403)):
        async with client_of(resources) as browser:
            await browser.sign_in(person.login)
            answer = await browser.get(path)
            assert answer.status_code in (status, 404 if status == 403 else status), person.display_name
    async with client_of(resources) as nobody:
        assert (await nobody.get(path)).status_code == 401


async def test_a_live_token_opens_no_replay(resources: Resources, school: School, things: Things, clock: Clock) -> None:
    async with client_of(resources) as browser:
        signed_in = await browser.sign_in(school.teacher.login)
        for kind, item in (("live", things.recording_id), ("replay", things.session_id)):
            claim = PlaybackClaim(
                kind=kind, item_id=item, account_id=school.teacher.id, sign_in_id=UUID(signed_in["id"]),  # type: ignore[arg-type]
                expires_at=clock.now.replace(hour=23),
            )  # fmt: skip
            token = sign(resources.keys.playback, claim)
            answer = await browser.get(f"/replay/{things.recording_id}/{token}/index.m3u8")
            assert (answer.status_code, answer.json()["code"]) == (403, "token_invalid")


@pytest.mark.parametrize("role", Role)
async def test_the_trail_is_read_by_the_auditor_alone(resources: Resources, people: People, role: Role) -> None:
    async with client_of(resources) as browser:
        await browser.sign_in((await people.with_role(role)).login)
        for path in ("/api/v1/audit-entries", "/api/v1/audit-chain"):
            assert ((await browser.get(path)).status_code == 200) == (role == Role.auditor)


def _template(path: str) -> str:
    """A path with what names a thing left out."""
    parts = [
        "{}" if part.startswith("{") or len(part) == 36 or part == "0" else part for part in path.strip("/").split("/")
    ]
    return "/".join(parts)
