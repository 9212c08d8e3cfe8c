"""Who may review a session, and when one may be named, one may follow another, or none may be there."""

from dataclasses import replace
from uuid import UUID

import pytest

from domain.kinds import Role, ScopeKind, SessionKind
from domain.live_review import Reviewed, may_review, require_may_change, require_may_review
from domain.permissions import Grant, Scope
from domain.refusals import Refusal
from domain.states import SessionState

SPEAKER, ONE, OTHER, DEPARTMENT = (UUID(int=n) for n in range(1, 5))
CLASS = Reviewed(
    SessionKind.daily, SessionState.scheduled, 0, None, SPEAKER, Scope(department_id=DEPARTMENT), was_live=False
)
EVENT = replace(CLASS, kind=SessionKind.major, reviewer_id=ONE)


def anywhere(role: Role) -> list[Grant]:
    return [Grant(role, ScopeKind.institute)]


@pytest.mark.parametrize("role", [Role.teacher, Role.publicity_office, Role.academic_affairs, Role.network_centre])
def test_whoever_could_cut_it_may_review_it(role: Role) -> None:
    require_may_review(anywhere(role), CLASS, ONE)


@pytest.mark.parametrize("role", [Role.learner, Role.inspector, Role.auditor, Role.system_administrator])
def test_who_could_not_cut_it_reviews_nothing(role: Role) -> None:
    assert not may_review(anywhere(role), CLASS, ONE)
    with pytest.raises(Refusal, match="wrong_reviewer"):
        require_may_review(anywhere(role), CLASS, ONE)


def test_a_manager_reviews_in_the_own_department_alone() -> None:
    here, there = (Grant(Role.department_manager, ScopeKind.department, one) for one in (DEPARTMENT, OTHER))
    assert may_review([here], CLASS, ONE)
    assert not may_review([there], CLASS, ONE)


def test_nobody_reviews_what_he_says_himself() -> None:
    with pytest.raises(Refusal, match="self_review"):
        require_may_review(anywhere(Role.academic_affairs), CLASS, SPEAKER)
    assert not may_review(anywhere(Role.academic_affairs), CLASS, SPEAKER)


def test_before_it_is_live_one_may_be_named_and_taken_back() -> None:
    require_may_change(CLASS, ONE)
    require_may_change(replace(CLASS, reviewer_id=ONE), None)
    require_may_change(replace(CLASS, reviewer_id=ONE), OTHER)


def test_a_major_event_is_never_without_one() -> None:
    require_may_change(EVENT, OTHER)
    with pytest.raises(Refusal) as no:
        require_may_change(EVENT, None)
    assert (no.value.code, no.value.facts) == ("filing_incomplete", {"missing": "reviewer_id"})


def test_once_it_was_live_one_follows_another_and_how_it_is_shown_stays() -> None:
    live = replace(CLASS, state=SessionState.live, was_live=True)
    require_may_change(replace(live, reviewer_id=ONE), OTHER)
    require_may_change(replace(live, delay_seconds=10), ONE)
    require_may_change(replace(live, delay_seconds=10, reviewer_id=ONE), None)
    for session, reviewer in ((live, ONE), (replace(live, reviewer_id=ONE), None)):
        with pytest.raises(Refusal, match="move_not_allowed"):
            require_may_change(session, reviewer)


@pytest.mark.parametrize("state", [SessionState.ended, SessionState.cancelled])
def test_what_is_over_keeps_whom_it_had(state: SessionState) -> None:
    with pytest.raises(Refusal, match="session_over"):
        require_may_change(replace(CLASS, state=state), ONE)
