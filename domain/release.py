"""Who may see this media now.

Rule of this file (articles 13, 15, 17; mission R10, R16): nobody but its own people and those who answer for it sees
media before its review is recorded, except that a daily session's replay goes at once to those it was live for. The
permission table says who may play at all; this file says which items have been let go to an audience.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from uuid import UUID

from domain.kinds import Audience, Release, Role, SessionKind
from domain.permissions import PERMISSIONS, Action, Grant, Scope, may, may_anywhere, roster_grants
from domain.refusals import Refusal, RefusalCode
from domain.states import CourseState

# In which states a duty shows a course: to an editor always, to a reviewer once handed in, to a filer once reviewed.
_SHOWN_BY_DUTY: Mapping[Action, frozenset[CourseState]] = MappingProxyType(
    {
        Action.course_edit: frozenset(CourseState),
        Action.course_review: frozenset(CourseState) - {CourseState.draft},
        Action.course_file: frozenset({CourseState.approved, CourseState.published, CourseState.withdrawn}),
    }
)
# These two name no duty: held for the whole institute, they put nobody into a scoped course's audience.
_AUDIENCE_ROLES = frozenset({Role.learner, Role.teacher})

# Article 15: the organiser's review covers a daily class for its own roster; a major event always waits for its review.
RELEASES: Mapping[SessionKind, frozenset[Release]] = MappingProxyType(
    {
        SessionKind.daily: frozenset(Release),
        SessionKind.major: frozenset({Release.after_review, Release.never}),
    }
)
DEFAULT_RELEASE: Mapping[SessionKind, Release] = MappingProxyType(
    {SessionKind.daily: Release.roster_at_once, SessionKind.major: Release.after_review}
)


@dataclass(frozen=True)
class Viewer:
    """Who asks: the account, the cohorts whose rosters it stands on and their programmes, and its grants."""

    account_id: UUID
    cohort_ids: frozenset[UUID] = frozenset()
    grants: tuple[Grant, ...] = ()
    programme_ids: frozenset[UUID] = frozenset()

    def learns_by(self) -> tuple[Grant, ...]:
        """The learner's grants: those that were given and those that the rosters give."""
        given = (grant for grant in self.grants if grant.role == Role.learner)
        return (*given, *roster_grants(self.cohort_ids, self.programme_ids))


@dataclass(frozen=True)
class Playable:
    """What is asked for: a session's live or its recording. `owner_ids`: its instructor, responsible person, reviewer.

    `scope.cohort_id` is the roster it is for; with none, it is for all of `scope.programme_id`; with neither it has no
    roster, and only its own people and those who answer for it see it.
    """

    release: Release
    reviewed: bool
    scope: Scope = field(default_factory=Scope)
    owner_ids: frozenset[UUID] = frozenset()


@dataclass(frozen=True)
class CourseFacts:
    """What is asked for: a course."""

    state: CourseState
    audience: Audience
    provider_id: UUID
    scope: Scope = field(default_factory=Scope)


def on_roster(viewer: Viewer, scope: Scope) -> bool:
    """Whether the viewer stands on the roster of what stands there."""
    return may(viewer.learns_by(), Action.recording_play, scope)


def may_play(viewer: Viewer, item: Playable) -> bool:
    """Whether this viewer may replay this recording now."""
    if _answers_for(viewer, item, Action.recording_play):
        return True
    if item.release == Release.roster_at_once:
        return on_roster(viewer, item.scope)
    return item.release == Release.after_review and item.reviewed and on_roster(viewer, item.scope)


def may_watch_live(viewer: Viewer, item: Playable) -> bool:
    """Whether this viewer may watch this session live. A reviewer watches beside the audience, not before it; what is
    never released (a rehearsal) is for its own people alone.
    """
    if _answers_for(viewer, item, Action.session_play):
        return True
    return item.release != Release.never and on_roster(viewer, item.scope)


def may_see_course(viewer: Viewer, course: CourseFacts) -> bool:
    """Whether this viewer may see this course and play it.

    Published and open: everyone who studies, teaches, leads or inspects. Published and scoped: those of its department
    or programme. Before that, and once it is withdrawn: its provider, and those who edit, review or file it.
    """
    own = viewer.account_id == course.provider_id
    for duty, states in _SHOWN_BY_DUTY.items():
        if course.state in states and may(viewer.grants, duty, course.scope, own):
            return True
    if course.state != CourseState.published:
        return False
    if course.audience == Audience.open:
        return may_anywhere((*viewer.grants, *viewer.learns_by()), Action.course_play)
    return on_roster(viewer, course.scope) or any(_belongs(grant, course.scope) for grant in viewer.grants)


def require_play(viewer: Viewer, item: Playable) -> None:
    """As `may_play`, with Refusal("not_released") for a no."""
    if not may_play(viewer, item):
        raise Refusal(RefusalCode.not_released, release=item.release)


def require_watch_live(viewer: Viewer, item: Playable) -> None:
    """As `may_watch_live`, with Refusal("not_released") for a no."""
    if not may_watch_live(viewer, item):
        raise Refusal(RefusalCode.not_released, release=item.release)


def require_see_course(viewer: Viewer, course: CourseFacts) -> None:
    """As `may_see_course`; a no is Refusal("not_found"): that a draft exists is nobody else's business."""
    if not may_see_course(viewer, course):
        raise Refusal(RefusalCode.not_found)


def require_release_fits(kind: SessionKind, release: Release) -> None:
    """Refusal("invalid_input", field="release") for a release that a session of this kind cannot have."""
    if release not in RELEASES[kind]:
        raise Refusal(RefusalCode.invalid_input, field="release", kind=kind, release=release)


def _answers_for(viewer: Viewer, item: Playable, action: Action) -> bool:
    """Whether the viewer may by duty or as its owner. A learner's grant is no duty: the release decides for them."""
    duties = [grant for grant in viewer.grants if grant.role != Role.learner]
    return may(duties, action, item.scope, viewer.account_id in item.owner_ids)


def _belongs(grant: Grant, scope: Scope) -> bool:
    if not grant.fits() or Action.course_play not in PERMISSIONS[grant.role]:
        return False
    if grant.scope_id is None:
        return grant.role not in _AUDIENCE_ROLES
    return grant.scope_id in (scope.department_id, scope.programme_id, scope.cohort_id)
