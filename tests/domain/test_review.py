"""The two routes of article 13: who reviews, who files, in which order, and that no other order publishes."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from domain.kinds import Audience, Role, ScopeKind
from domain.permissions import Grant, Scope
from domain.refusals import Refusal
from domain.review import (
    ROUTES,
    Reviewable,
    Step,
    next_step,
    require_filer,
    require_publishable,
    require_reviewer,
)
from domain.states import CourseState

DEPARTMENT, PROGRAMME, OTHER, PROVIDER, ME = (UUID(int=n) for n in range(1, 6))
AT = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)
OPEN = Reviewable(CourseState.in_review, Audience.open, PROVIDER, Scope(DEPARTMENT, PROGRAMME))
SCOPED = replace(OPEN, audience=Audience.scoped)
ACADEMIC_AFFAIRS = Grant(Role.academic_affairs, ScopeKind.institute)
PUBLICITY = Grant(Role.publicity_office, ScopeKind.institute)
MANAGER = Grant(Role.department_manager, ScopeKind.department, DEPARTMENT)
LEAD = Grant(Role.programme_lead, ScopeKind.programme, PROGRAMME)
TEACHER = Grant(Role.teacher, ScopeKind.institute)


def _reviewers_no(course: Reviewable, grant: Grant, who: UUID = ME) -> Refusal:
    with pytest.raises(Refusal) as no:
        require_reviewer(course, who, [grant])
    return no.value


def _approved(course: Reviewable) -> Reviewable:
    return replace(course, state=CourseState.approved, reviewed_at=AT)


@pytest.mark.parametrize(("course", "grant"), [(OPEN, ACADEMIC_AFFAIRS), (SCOPED, MANAGER), (SCOPED, LEAD)])
def test_the_right_reviewer_of_each_route(course: Reviewable, grant: Grant) -> None:
    require_reviewer(course, ME, [TEACHER, grant])


@pytest.mark.parametrize(
    ("course", "grant"),
    [
        (OPEN, MANAGER),
        (OPEN, LEAD),
        (OPEN, PUBLICITY),
        (SCOPED, ACADEMIC_AFFAIRS),
        (SCOPED, TEACHER),
        (SCOPED, replace(LEAD, scope_id=OTHER)),
        (SCOPED, replace(MANAGER, scope_id=OTHER)),
        (OPEN, Grant(Role.academic_affairs, ScopeKind.department, DEPARTMENT)),
    ],
    ids=str,
)
def test_anybody_else_is_the_wrong_reviewer(course: Reviewable, grant: Grant) -> None:
    refusal = _reviewers_no(course, grant)
    assert refusal.code == "wrong_reviewer"
    assert refusal.facts["wanted"] == ",".join(sorted(ROUTES[course.audience].reviewers))


def test_nobody_reviews_what_he_provides() -> None:
    assert _reviewers_no(SCOPED, LEAD, who=PROVIDER).code == "self_review"


@pytest.mark.parametrize("state", set(CourseState) - {CourseState.in_review})
def test_only_what_was_handed_in_is_reviewed(state: CourseState) -> None:
    assert _reviewers_no(replace(OPEN, state=state), ACADEMIC_AFFAIRS).code == "move_not_allowed"


@pytest.mark.parametrize(
    ("course", "right", "wrong"), [(OPEN, PUBLICITY, ACADEMIC_AFFAIRS), (SCOPED, ACADEMIC_AFFAIRS, PUBLICITY)]
)
def test_an_open_course_is_filed_with_publicity_and_a_scoped_one_with_academic_affairs(
    course: Reviewable, right: Grant, wrong: Grant
) -> None:
    require_filer(_approved(course), [right])
    with pytest.raises(Refusal) as no:
        require_filer(_approved(course), [wrong, MANAGER])
    assert (no.value.code, no.value.facts["wanted"]) == ("wrong_reviewer", right.role.value)


@pytest.mark.parametrize("course", [OPEN, replace(_approved(OPEN), reviewed_at=None), replace(OPEN, reviewed_at=AT)])
def test_nothing_is_filed_before_its_review_is_recorded(course: Reviewable) -> None:
    with pytest.raises(Refusal, match="review_missing"):
        require_filer(course, [PUBLICITY])


def test_a_course_is_published_once_both_are_recorded_in_their_order() -> None:
    filed = replace(_approved(OPEN), filed_at=AT + timedelta(hours=1))
    require_publishable(filed)
    require_publishable(replace(filed, filed_at=AT))
    for course, code in (
        (replace(filed, reviewed_at=None), "review_missing"),
        (replace(filed, filed_at=None), "filing_missing"),
        # Reviewed anew after a change: the filing was of what it said before.
        (replace(filed, reviewed_at=AT + timedelta(hours=2)), "filing_missing"),
        (replace(filed, state=CourseState.in_review), "move_not_allowed"),
        (replace(filed, state=CourseState.published), "move_not_allowed"),
    ):
        with pytest.raises(Refusal) as no:
            require_publishable(course)
        assert no.value.code == code


def test_a_course_says_what_it_waits_for() -> None:
    waits = {state: next_step(replace(OPEN, state=state)) for state in CourseState}
    assert waits == {
        CourseState.draft: Step.submission,
        CourseState.in_review: Step.review,
        CourseState.returned: Step.submission,
        CourseState.approved: Step.filing,
        CourseState.published: Step.none,
        CourseState.withdrawn: Step.none,
    }
    assert next_step(replace(_approved(OPEN), filed_at=AT)) == Step.publication


def test_every_audience_has_its_route() -> None:
    assert set(ROUTES) == set(Audience)
