"""Which review and which filing a course needs, and who may give them.

Rule of this file (article 13; mission R10): an open course is reviewed by academic affairs and filed with the
publicity office (宣传部备案); a scoped course is reviewed by the owning department or the programme's lead and filed
with academic affairs. First review, then filing, then its audience; nobody reviews what he provides.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from uuid import UUID

from domain.kinds import Audience, Role
from domain.permissions import Action, Grant, Scope, may
from domain.refusals import Refusal, RefusalCode
from domain.states import COURSE, CourseMove, CourseState


@dataclass(frozen=True)
class Route:
    """Who reviews, and with whom it is filed then."""

    reviewers: frozenset[Role]
    filed_with: Role


ROUTES = MappingProxyType(
    {
        Audience.open: Route(frozenset({Role.academic_affairs}), Role.publicity_office),
        Audience.scoped: Route(frozenset({Role.department_manager, Role.programme_lead}), Role.academic_affairs),
    }
)


class Step(StrEnum):
    """What a course waits for."""

    submission = "submission"
    review = "review"
    filing = "filing"
    publication = "publication"
    none = "none"


@dataclass(frozen=True)
class Reviewable:
    """What the route asks about a course."""

    state: CourseState
    audience: Audience
    provider_id: UUID
    scope: Scope = field(default_factory=Scope)
    reviewed_at: datetime | None = None
    filed_at: datetime | None = None


def next_step(course: Reviewable) -> Step:
    """What the course waits for next."""
    if course.state in (CourseState.draft, CourseState.returned):
        return Step.submission
    if course.state == CourseState.in_review:
        return Step.review
    if course.state == CourseState.approved:
        return Step.filing if course.filed_at is None else Step.publication
    return Step.none


def may_review(course: Reviewable, account_id: UUID, grants: Iterable[Grant]) -> bool:
    """Whether this account is one who reviews this course, whatever state it is in."""
    return account_id != course.provider_id and _has_role(
        course, grants, Action.course_review, ROUTES[course.audience].reviewers
    )


def may_file(course: Reviewable, grants: Iterable[Grant]) -> bool:
    """Whether an account with these grants is one who records this course's filing, whatever state it is in."""
    return _has_role(course, grants, Action.course_file, frozenset({ROUTES[course.audience].filed_with}))


def require_reviewer(course: Reviewable, account_id: UUID, grants: Iterable[Grant]) -> None:
    """Refusal unless this account may review this course: self_review, wrong_reviewer, move_not_allowed.

    Whose it is comes before what state it is in, here and below: who has no part in it is told nothing else.
    """
    if account_id == course.provider_id:
        raise Refusal(RefusalCode.self_review, account_id=account_id)
    _require_role(course, grants, Action.course_review, ROUTES[course.audience].reviewers)
    COURSE.move(course.state, CourseMove.approve)


def require_filer(course: Reviewable, grants: Iterable[Grant]) -> None:
    """Refusal unless an account with these grants may record this course's filing: review_missing, wrong_reviewer."""
    _require_role(course, grants, Action.course_file, frozenset({ROUTES[course.audience].filed_with}))
    if course.state != CourseState.approved or course.reviewed_at is None:
        raise Refusal(RefusalCode.review_missing)


def require_publishable(course: Reviewable) -> None:
    """Refusal unless its review and its filing are both recorded, in this order: review_missing, filing_missing."""
    if course.reviewed_at is None:
        raise Refusal(RefusalCode.review_missing)
    if course.filed_at is None or course.filed_at < course.reviewed_at:
        raise Refusal(RefusalCode.filing_missing)
    COURSE.move(course.state, CourseMove.publish)


def _require_role(course: Reviewable, grants: Iterable[Grant], action: Action, roles: frozenset[Role]) -> None:
    if not _has_role(course, grants, action, roles):
        raise Refusal(RefusalCode.wrong_reviewer, audience=course.audience, wanted=",".join(sorted(roles)))


def _has_role(course: Reviewable, grants: Iterable[Grant], action: Action, roles: frozenset[Role]) -> bool:
    return may([grant for grant in grants if grant.role in roles], action, course.scope)
