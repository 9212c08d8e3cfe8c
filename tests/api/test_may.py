"""A thing's `may` is a promise: what is listed is never answered 403, what is not listed is nothing else.

Every combination of the sorts of people below with the sorts of things: what each is shown, and what each then gets.
409 and 410 are no broken promise: they speak of the thing's state, not of the person.
"""

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest

from api.resources import Resources
from domain.kinds import Audience, Release, Role, ScopeKind
from domain.permissions import Action, Grant
from domain.states import CourseState
from storage.catalogue import courses, holds, institute, recordings, timetables
from storage.catalogue.tables.account import Account
from storage.catalogue.transaction import Catalogue
from tests.api.conftest import Client, Clock, People, School, client_of
from tests.storage.catalogue import builders

pytestmark = pytest.mark.anyio

REASON = {"reason": "r"}
# One request for each action that a thing can list; what changes or ends the thing is refused by its body or its state.
SESSION: dict[Action, tuple[str, str, dict[str, Any]]] = {
    Action.session_edit: ("PATCH", "", {"json": {"title": "t"}}),
    Action.session_publish: ("GET", "/ingest", {}),
    Action.session_control: ("POST", "/kick", {"json": REASON}),
    Action.session_play: ("POST", "/playback", {}),
}
RECORDING: dict[Action, tuple[str, str, dict[str, Any]]] = {
    Action.recording_play: ("POST", "/playback", {}),
    Action.recording_edit: ("GET", "/work", {}),
    Action.recording_hold: ("POST", "/rescue", {}),
    Action.recording_promote: ("POST", "/promotion", {"json": {"title": "t", "audience": "open"}}),
    Action.recording_purge: ("POST", "/purge", {"json": {**REASON, "confirm_title": "not its title"}}),
    Action.certificate_read: ("GET", "/certificate", {}),
}
COURSE: dict[Action, tuple[str, str, dict[str, Any]]] = {
    Action.course_play: ("POST", "/playback", {}),
    Action.course_edit: ("PATCH", "", {"json": {"title": "t"}}),
    Action.course_review: ("POST", "/review", {"json": {"decision": "return", "note": "n"}}),
    Action.course_file: ("POST", "/filing", {}),
    Action.course_publish: ("POST", "/publication", {}),
}


@pytest.fixture
async def everybody(people: People, school: School, catalogue: Catalogue) -> dict[str, Account]:
    """Each role at the school, and the pairs of roles in which one shows what the other decides on."""
    scope = school.place.scope
    found = {
        "teacher": school.teacher,
        "learner": school.learner,
        "programme_lead": await people.add(Grant(Role.programme_lead, ScopeKind.programme, scope.programme_id)),
        "department_manager": school.manager,
        "programme learner": await people.add(Grant(Role.learner, ScopeKind.programme, scope.programme_id)),
        "colleague": await people.with_role(Role.teacher),
        "academic teacher": await people.add(
            Grant(Role.academic_affairs, ScopeKind.institute), Grant(Role.teacher, ScopeKind.institute)
        ),
        "learning operator": await people.add(Grant(Role.network_centre, ScopeKind.institute)),
        "reviewer": school.publicity,
    }
    for role in (Role.academic_affairs, Role.network_centre, Role.inspector, Role.auditor):
        found[role.value] = await people.with_role(role)
    async with catalogue.transaction() as tx:
        assert school.place.cohort_id is not None
        await institute.enrol(tx, school.place.cohort_id, [found["learning operator"].id])
    return found


async def promise(browser: Client, who: str, path: str, asked: dict[Action, tuple[str, str, dict[str, Any]]]) -> int:
    """Ask for all that could be listed; how many were."""
    answer = await browser.get(path)
    if answer.status_code in (403, 404):
        return 0
    shown = answer.json()
    for action, (method, rest, more) in asked.items():
        version = {"If-Match": f'"{(await browser.get(path)).json()["version"]}"'} if method == "PATCH" else {}
        got = await browser.request(method, f"{path}{rest}", headers=version, **more)
        listed = action.value in shown["may"]
        assert got.status_code < 500
        assert (got.status_code != 403) == listed, f"{who} {action} {shown['may']}: {got.status_code} {got.text}"
    return len(shown["may"])


@pytest.mark.parametrize("release", Release)
async def test_of_sessions(
    resources: Resources, school: School, everybody: dict[str, Account], catalogue: Catalogue, clock: Clock,
    release: Release,
) -> None:  # fmt: skip
    async with catalogue.transaction() as tx:
        session = await builders.session(
            tx, school.place, clock.now + timedelta(hours=1), release=release, reviewer_id=school.publicity.id
        )
    listed = {}
    for who, account in everybody.items():
        async with client_of(resources) as browser:
            await browser.sign_in(account.login)
            listed[who] = await promise(browser, who, f"/api/v1/sessions/{session.id}", SESSION)
    assert listed["teacher"] == 4
    assert listed["reviewer"] == 2
    assert listed["learner"] == (0 if release == Release.never else 1)


@pytest.mark.parametrize("release", Release)
async def test_of_recordings(
    resources: Resources, school: School, everybody: dict[str, Account], catalogue: Catalogue, clock: Clock,
    release: Release,
) -> None:  # fmt: skip
    """Each is asked about a recording of their own, held by the manager: what one may do ends it for nobody else."""
    for number, (who, account) in enumerate(everybody.items()):
        async with catalogue.transaction() as tx:
            held = await builders.stored_recording(tx, school.place, clock.now - timedelta(days=number + 1))
            (await recordings.lock(tx, held.id)).release = release
            hold = await holds.place(tx, held.id, "r", school.manager.id, clock.now)
        async with client_of(resources) as browser:
            await browser.sign_in(account.login)
            path = f"/api/v1/recordings/{held.id}"
            answer = await browser.get(path)
            await promise(browser, who, path, RECORDING)
            if answer.status_code != 200:
                continue
            shown = answer.json()
            lifted = await browser.post(f"{path}/holds/{hold.id}/lifting", json={"reason": "r"})
            may = "recording_hold_lift" in shown["holds"][0]["may"]
            assert ("recording_hold_lift" in shown["may"]) == may
            assert lifted.status_code == (204 if may else 403), f"{who}: {lifted.text}"


@pytest.mark.parametrize("audience", Audience)
@pytest.mark.parametrize(
    "state", [CourseState.draft, CourseState.in_review, CourseState.approved, CourseState.published]
)
async def test_of_courses(
    resources: Resources, school: School, everybody: dict[str, Account], catalogue: Catalogue, clock: Clock,
    audience: Audience, state: CourseState,
) -> None:  # fmt: skip
    for number, (who, account) in enumerate(everybody.items()):
        async with catalogue.transaction() as tx:
            made_of = await builders.stored_recording(tx, school.place, clock.now - timedelta(days=number + 1))
            course = await courses.promote(
                tx, made_of.id, title="t", summary="", audience=audience, provider_id=school.teacher.id, now=clock.now
            )
            course.state = state
            if state in (CourseState.approved, CourseState.published):
                course.reviewed_at = clock.now
        async with client_of(resources) as browser:
            await browser.sign_in(account.login)
            await promise(browser, f"{who} {audience} {state}", f"/api/v1/courses/{course.id}", COURSE)


async def test_of_accounts(resources: Resources, people: People) -> None:
    """What may be given and locked, and that nobody does so to oneself."""
    for role, given in (
        (Role.academic_affairs, "teacher"), (Role.security_administrator, "inspector"),
        (Role.system_administrator, "teacher"), (Role.auditor, "teacher"),
    ):  # fmt: skip
        account, other = await people.with_role(role), await people.add()
        async with client_of(resources) as browser:
            await browser.sign_in(account.login)
            for target in (other.id, account.id):
                path = f"/api/v1/accounts/{target}"
                may = (await browser.get(path)).json()["may"]
                for action, rest, body in (
                    ("account_lock", "/disable", REASON),
                    ("role_grant", "/grants", {"role": given}),
                    ("account_manage", "/password", {"password": "Chalk-and-board-8"}),
                ):
                    got = await browser.post(f"{path}{rest}", json=body)
                    assert (got.status_code != 403) == (action in may), f"{role} {target} {action}: {got.text}"


async def test_of_timetables(
    resources: Resources, school: School, everybody: dict[str, Account], catalogue: Catalogue
) -> None:
    async with catalogue.transaction() as tx:
        await timetables.put(tx, f"t{uuid4().hex[:8]}", "课表", cohort_id=school.place.cohort_id)
    for who, account in everybody.items():
        async with client_of(resources) as browser:
            await browser.sign_in(account.login)
            listed = await browser.get("/api/v1/timetables")
            for shown in listed.json().get("items", []):
                got = await browser.post(
                    "/api/v1/timetable-imports", data={"timetable": shown["slug"]}, files={"file": ("t.csv", b"x")}
                )
                assert (got.status_code != 403) == ("timetable_import" in shown["may"]), f"{who}: {got.text}"
