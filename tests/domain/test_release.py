"""Who may see what, now: every release against every kind of viewer, and courses against every state."""

import itertools
from uuid import UUID

import pytest

from domain.kinds import Audience, Release, Role, ScopeKind, SessionKind
from domain.permissions import Grant, Scope, roster_grants
from domain.refusals import Refusal
from domain.release import (
    DEFAULT_RELEASE,
    RELEASES,
    CourseFacts,
    Playable,
    Viewer,
    may_play,
    may_see_course,
    may_watch_live,
    on_roster,
    require_play,
    require_release_fits,
    require_see_course,
    require_watch_live,
)
from domain.states import CourseState

DEPARTMENT, PROGRAMME, COHORT, OTHER, TEACHER_ID = (UUID(int=n) for n in range(1, 6))
HERE = Scope(DEPARTMENT, PROGRAMME, COHORT)
ME = UUID(int=100)


def _with(role: Role, kind: ScopeKind = ScopeKind.institute, scope_id: UUID | None = None, me: UUID = ME) -> Viewer:
    return Viewer(me, grants=(Grant(role, kind, scope_id),))


LEARNER = Viewer(ME, frozenset({COHORT}), programme_ids=frozenset({PROGRAMME}))
CLASSMATE_ELSEWHERE = Viewer(ME, frozenset({OTHER}), programme_ids=frozenset({PROGRAMME}))
STRANGER = Viewer(ME)
TEACHER = _with(Role.teacher, me=TEACHER_ID)
ANOTHER_TEACHER = _with(Role.teacher)
LEAD = _with(Role.programme_lead, ScopeKind.programme, PROGRAMME)
LEAD_ELSEWHERE = _with(Role.programme_lead, ScopeKind.programme, OTHER)
MANAGER = _with(Role.department_manager, ScopeKind.department, DEPARTMENT)
ACADEMIC_AFFAIRS = _with(Role.academic_affairs)
PUBLICITY = _with(Role.publicity_office)
INSPECTOR = _with(Role.inspector)
SYSTEM = _with(Role.system_administrator)
AUDITOR = _with(Role.auditor)
RESPONSIBLE_VIEWERS = {"teacher": TEACHER, "lead": LEAD, "manager": MANAGER, "academic": ACADEMIC_AFFAIRS}
OUTSIDERS = {
    "stranger": STRANGER,
    "classmate elsewhere": CLASSMATE_ELSEWHERE,
    "another teacher": ANOTHER_TEACHER,
    "lead elsewhere": LEAD_ELSEWHERE,
    "system": SYSTEM,
    "auditor": AUDITOR,
    "owner without a role": Viewer(TEACHER_ID),
}


def _item(release: Release, reviewed: bool = False, scope: Scope = HERE) -> Playable:
    return Playable(release, reviewed, scope, frozenset({TEACHER_ID}))


EVERY_ITEM = [_item(release, reviewed) for release, reviewed in itertools.product(Release, (False, True))]


@pytest.mark.parametrize("name", RESPONSIBLE_VIEWERS)
def test_its_own_people_and_those_who_answer_for_it_see_all_of_it(name: str) -> None:
    for item in EVERY_ITEM:
        assert may_play(RESPONSIBLE_VIEWERS[name], item)
        assert may_watch_live(RESPONSIBLE_VIEWERS[name], item)


def test_the_inspector_sees_all_of_it() -> None:
    assert all(may_play(INSPECTOR, item) and may_watch_live(INSPECTOR, item) for item in EVERY_ITEM)


@pytest.mark.parametrize("name", OUTSIDERS)
def test_everybody_else_sees_none_of_it(name: str) -> None:
    for item in EVERY_ITEM:
        assert not may_play(OUTSIDERS[name], item)
        assert not may_watch_live(OUTSIDERS[name], item)
        with pytest.raises(Refusal, match="not_released"):
            require_play(OUTSIDERS[name], item)
        with pytest.raises(Refusal, match="not_released"):
            require_watch_live(OUTSIDERS[name], item)


@pytest.mark.parametrize(
    ("release", "reviewed", "replay", "live"),
    [
        (Release.roster_at_once, False, True, True),
        (Release.roster_at_once, True, True, True),
        (Release.after_review, False, False, True),
        (Release.after_review, True, True, True),
        (Release.never, False, False, False),
        (Release.never, True, False, False),
    ],
)
def test_the_roster_sees_what_was_let_go_to_it(release: Release, reviewed: bool, replay: bool, live: bool) -> None:
    by_grant = Viewer(ME, grants=roster_grants([COHORT]))
    for learner in (LEARNER, by_grant):
        assert may_play(learner, _item(release, reviewed)) == replay
        assert may_watch_live(learner, _item(release, reviewed)) == live


def test_what_names_no_cohort_is_for_the_whole_programme_and_what_names_neither_for_nobody() -> None:
    for_all = Scope(DEPARTMENT, PROGRAMME, None)
    assert on_roster(LEARNER, for_all)
    assert on_roster(CLASSMATE_ELSEWHERE, for_all)
    assert not on_roster(STRANGER, for_all)
    assert not on_roster(LEARNER, Scope(DEPARTMENT, None, None))
    assert not may_play(LEARNER, _item(Release.roster_at_once, scope=Scope()))


def test_a_refusal_names_the_release_that_stands_in_the_way() -> None:
    with pytest.raises(Refusal) as no:
        require_play(LEARNER, _item(Release.after_review))
    assert no.value.facts == {"release": "after_review"}
    require_play(LEARNER, _item(Release.after_review, reviewed=True))
    require_watch_live(LEARNER, _item(Release.after_review))


def _course(state: CourseState, audience: Audience = Audience.open) -> CourseFacts:
    return CourseFacts(state, audience, TEACHER_ID, Scope(DEPARTMENT, PROGRAMME))


@pytest.mark.parametrize("state", set(CourseState) - {CourseState.published})
@pytest.mark.parametrize("audience", Audience)
def test_before_it_is_published_a_course_is_there_for_its_own_and_its_reviewers_alone(
    state: CourseState, audience: Audience
) -> None:
    course = _course(state, audience)
    assert all(may_see_course(viewer, course) for viewer in RESPONSIBLE_VIEWERS.values())
    for viewer in (*OUTSIDERS.values(), LEARNER, INSPECTOR):
        assert not may_see_course(viewer, course)
        with pytest.raises(Refusal, match="not_found"):
            require_see_course(viewer, course)


def test_the_publicity_office_is_handed_what_was_reviewed() -> None:
    seen = {state for state in CourseState if may_see_course(PUBLICITY, _course(state))}
    assert seen == {CourseState.approved, CourseState.published, CourseState.withdrawn}


def test_an_open_course_is_for_everyone_who_studies_teaches_leads_or_inspects() -> None:
    course = _course(CourseState.published)
    new_learner = _with(Role.learner)
    for viewer in (LEARNER, new_learner, ANOTHER_TEACHER, LEAD_ELSEWHERE, INSPECTOR, PUBLICITY):
        require_see_course(viewer, course)
    for viewer in (STRANGER, SYSTEM, AUDITOR, _with(Role.network_centre)):
        assert not may_see_course(viewer, course)


def test_a_scoped_course_is_for_its_own_programme_and_department() -> None:
    course = _course(CourseState.published, Audience.scoped)
    staff_teacher = _with(Role.teacher, ScopeKind.department, DEPARTMENT)
    for viewer in (LEARNER, staff_teacher, LEAD, MANAGER, INSPECTOR, ACADEMIC_AFFAIRS):
        assert may_see_course(viewer, course)
    elsewhere = Viewer(ME, frozenset({OTHER}), programme_ids=frozenset({OTHER}))
    for viewer in (elsewhere, _with(Role.learner), ANOTHER_TEACHER, LEAD_ELSEWHERE, SYSTEM, STRANGER):
        assert not may_see_course(viewer, course)


def test_a_grant_that_does_not_fit_puts_nobody_into_an_audience() -> None:
    misfit = _with(Role.inspector, ScopeKind.department, DEPARTMENT)
    assert not may_see_course(misfit, _course(CourseState.published, Audience.scoped))
    assert not may_play(misfit, _item(Release.roster_at_once))


def test_a_major_event_never_goes_out_before_its_review() -> None:
    with pytest.raises(Refusal) as no:
        require_release_fits(SessionKind.major, Release.roster_at_once)
    assert (no.value.code, no.value.facts["field"]) == ("invalid_input", "release")
    for kind in SessionKind:
        require_release_fits(kind, DEFAULT_RELEASE[kind])
        assert DEFAULT_RELEASE[kind] in RELEASES[kind]
    require_release_fits(SessionKind.daily, Release.roster_at_once)
