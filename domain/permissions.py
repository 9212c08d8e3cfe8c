"""Who may do what, and where: one table of role x action, whose cells say how far the role reaches.

Rules of this file (mission R2, R6, R10, R19):
- An action absent from a role's row is refused. A cell says how far: everywhere in the institute, in the department or
  programme or cohort that the grant names, or only on what is the account's OWN.
- A grant whose scope does not fit its role (academic affairs of one programme) counts for nothing: it fails closed.
- The three administrators are separated: the system's makes accounts and sees no content, the security's gives roles
  and locks accounts, the auditor reads the trail. No account holds two of them, and nobody grants to oneself.
- The inspector reads and plays, and changes nothing.

OWN is a fact that the caller states, by action: a session's instructor, responsible person and (for `session_control`
and `session_play`) its reviewer, who alone owns its evidence; a recording's instructor; a hold one placed oneself; a
course's provider.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from enum import Enum, StrEnum, auto
from types import MappingProxyType
from typing import Final, Literal
from uuid import UUID

from domain.kinds import Role, ScopeKind
from domain.refusals import Refusal, RefusalCode


class Action(StrEnum):
    """What can be asked for. Every route of the API declares one of these."""

    institute_read = auto()  # departments, modules, programmes, cohorts
    timetable_read = auto()
    timetable_import = auto()
    session_read = auto()
    session_play = auto()  # watch it live
    session_create = auto()  # by hand; the timetable makes daily ones
    session_edit = auto()
    session_publish = auto()  # see its ingest address and key, and go live
    session_control = auto()  # see it ahead of its audience; cut, resume, kick, end; send a viewer away
    session_name_reviewer = auto()  # who watches it live and may cut it
    session_file = auto()  # report a major event
    session_approve = auto()  # approve what was filed
    recording_read = auto()
    recording_play = auto()
    recording_edit = auto()
    recording_review = auto()  # let it reach an audience wider than its roster
    recording_hold = auto()  # place a hold, rescue what is marked
    recording_hold_lift = auto()  # own: the hold, not the recording
    recording_reclassify = auto()  # give it another retention class
    recording_promote = auto()
    recording_purge = auto()
    evidence_read = auto()  # see and play what a cut kept from the audience
    course_read = auto()  # the door to the courses; `release.may_see_course` decides each one
    course_play = auto()
    course_edit = auto()
    course_review = auto()  # which route a course needs: `review`
    course_file = auto()
    course_publish = auto()
    account_read = auto()
    account_manage = auto()  # create, rename, set a password
    account_lock = auto()  # lock, unlock, disable, end sign-ins
    role_grant = auto()  # which roles: GRANTABLE
    audit_read = auto()
    certificate_read = auto()
    metrics_read = auto()
    capacity_edit = auto()  # see and set how many encoders a department may have on the air
    retention_run = auto()


class Own(Enum):
    """The narrowest reach: only what is the account's own."""

    OWN = "own"


OWN: Final = Own.OWN
_INSTITUTE, _DEPARTMENT, _PROGRAMME, _COHORT = ScopeKind
_A = Action


def _row(reach: ScopeKind | Literal[Own.OWN], *actions: Action) -> dict[Action, ScopeKind | Literal[Own.OWN]]:
    return dict.fromkeys(actions, reach)


# Published courses are there for everyone who studies, teaches, leads or inspects.
_COURSES_AND_PLACES = (_A.institute_read, _A.course_read, _A.course_play)
_WATCHING = (_A.timetable_read, _A.session_read, _A.session_play, _A.recording_read, _A.recording_play)
# What those who teach may do with what is theirs.
_TEACHING = (
    *_WATCHING, _A.session_edit, _A.session_publish, _A.session_control, _A.session_file, _A.recording_edit,
    _A.recording_hold, _A.recording_hold_lift, _A.recording_promote, _A.course_edit, _A.certificate_read,
)  # fmt: skip
# What those who answer for others' teaching may do within their reach.
_LEADING = (
    *_WATCHING, _A.timetable_import, _A.session_create, _A.session_edit, _A.session_control, _A.session_file,
    _A.recording_edit, _A.recording_review, _A.recording_hold, _A.recording_hold_lift, _A.recording_reclassify,
    _A.recording_promote, _A.evidence_read,
    _A.course_edit, _A.course_review, _A.course_publish, _A.certificate_read,
)  # fmt: skip
# Sets everyone's task: the one role that approves filings, and the only one to file scoped courses.
_ACADEMIC_AFFAIRS = (
    *_COURSES_AND_PLACES, *_LEADING, _A.session_publish, _A.session_approve, _A.session_name_reviewer,
    _A.recording_purge, _A.course_file,
    _A.account_read, _A.role_grant,
)  # fmt: skip
# Runs the platform and a major event's encoders; decides on no content and destroys none.
_NETWORK_CENTRE = (
    _A.institute_read, _A.timetable_read, _A.session_read, _A.session_play, _A.session_publish, _A.session_control,
    _A.recording_read, _A.metrics_read, _A.capacity_edit, _A.retention_run,
)  # fmt: skip

PERMISSIONS: Mapping[Role, Mapping[Action, ScopeKind | Literal[Own.OWN]]] = MappingProxyType(
    {
        Role.learner: {**_row(_INSTITUTE, *_COURSES_AND_PLACES), **_row(_COHORT, *_WATCHING)},
        Role.teacher: {**_row(_INSTITUTE, *_COURSES_AND_PLACES), **_row(OWN, *_TEACHING, _A.evidence_read)},
        Role.programme_lead: {
            **_row(_INSTITUTE, *_COURSES_AND_PLACES),
            **_row(_PROGRAMME, *_LEADING),
            **_row(OWN, _A.session_publish),
        },
        Role.department_manager: {
            **_row(_INSTITUTE, *_COURSES_AND_PLACES),
            **_row(_DEPARTMENT, *_LEADING, _A.session_name_reviewer, _A.recording_purge),
            **_row(OWN, _A.session_publish),
        },
        Role.academic_affairs: _row(_INSTITUTE, *_ACADEMIC_AFFAIRS),
        # Files open courses (宣传部备案); watches and cuts only where it is named as an event's reviewer.
        Role.publicity_office: {
            **_row(_INSTITUTE, *_COURSES_AND_PLACES, _A.course_file),
            **_row(OWN, _A.session_read, _A.session_play, _A.session_control, _A.evidence_read),
        },
        Role.network_centre: _row(_INSTITUTE, *_NETWORK_CENTRE),
        Role.inspector: _row(_INSTITUTE, *_COURSES_AND_PLACES, *_WATCHING, _A.evidence_read, _A.certificate_read),
        Role.system_administrator: _row(
            _INSTITUTE,
            _A.institute_read,
            _A.account_read,
            _A.account_manage,
            _A.metrics_read,
            _A.capacity_edit,
        ),
        Role.security_administrator: _row(
            _INSTITUTE, _A.institute_read, _A.account_read, _A.account_lock, _A.role_grant
        ),
        Role.auditor: _row(_INSTITUTE, _A.institute_read, _A.account_read, _A.audit_read, _A.certificate_read),
    }
)

# The scopes in which a role can be granted at all.
ROLE_SCOPES: Mapping[Role, frozenset[ScopeKind]] = MappingProxyType(
    {role: frozenset({_INSTITUTE}) for role in Role}
    | {
        # A learner of the institute in no cohort yet sees the open courses; the roster adds cohorts and programmes.
        Role.learner: frozenset({_INSTITUTE, _PROGRAMME, _COHORT}),
        Role.teacher: frozenset(ScopeKind),
        Role.programme_lead: frozenset({_PROGRAMME}),
        Role.department_manager: frozenset({_DEPARTMENT}),
    }
)


@dataclass(frozen=True)
class Grant:
    """One role of an account and where it holds; `scope_id` is None for the institute alone."""

    role: Role
    scope_kind: ScopeKind
    scope_id: UUID | None = None

    def fits(self) -> bool:
        """Whether the role can be held in this scope; a grant that does not fit counts for nothing."""
        named = self.scope_id is not None
        return self.scope_kind in ROLE_SCOPES[self.role] and named == (self.scope_kind != _INSTITUTE)


@dataclass(frozen=True)
class Scope:
    """Where a thing stands: the department that owns it, the programme and the cohort it is for."""

    department_id: UUID | None = None
    programme_id: UUID | None = None
    cohort_id: UUID | None = None


@dataclass(frozen=True)
class Reach:
    """How far an account reaches with one action: what a list selects by, and what `may` asks for one thing."""

    everywhere: bool = False
    own: bool = False
    department_ids: frozenset[UUID] = frozenset()
    programme_ids: frozenset[UUID] = frozenset()
    cohort_ids: frozenset[UUID] = frozenset()
    # As a learner: only what is for the whole programme, not what is for another of its cohorts.
    audience_programme_ids: frozenset[UUID] = frozenset()

    def covers(self, thing: Scope, own: bool) -> bool:
        """Whether one thing lies within; `own` says that it is the account's."""
        return (
            self.everywhere
            or (self.own and own)
            or thing.department_id in self.department_ids
            or thing.programme_id in self.programme_ids
            or thing.cohort_id in self.cohort_ids
            or (thing.cohort_id is None and thing.programme_id in self.audience_programme_ids)
        )

    def nowhere(self) -> bool:
        """Whether the account has this action for nothing at all."""
        return self == Reach()


def reach(grants: Iterable[Grant], action: Action) -> Reach:
    """How far these grants together reach with this action."""
    everywhere = own = False
    found: dict[ScopeKind, set[UUID]] = {_DEPARTMENT: set(), _PROGRAMME: set(), _COHORT: set()}
    audiences: set[UUID] = set()
    for grant in grants:
        cell = PERMISSIONS[grant.role].get(action)
        if cell is None or not grant.fits():
            continue
        if cell is OWN:
            own = True
        elif cell == _INSTITUTE:
            everywhere = True
        elif grant.scope_id is not None and grant.scope_kind == cell:
            found[grant.scope_kind].add(grant.scope_id)
        elif grant.scope_id is not None and cell == _COHORT and grant.scope_kind == _PROGRAMME:
            audiences.add(grant.scope_id)
    return Reach(
        everywhere,
        own,
        frozenset(found[_DEPARTMENT]),
        frozenset(found[_PROGRAMME]),
        frozenset(found[_COHORT]),
        frozenset(audiences),
    )


def may(grants: Iterable[Grant], action: Action, thing: Scope, own: bool = False) -> bool:
    """Whether an account with these grants may do this to a thing that stands there."""
    return reach(grants, action).covers(thing, own)


def require(grants: Iterable[Grant], action: Action, thing: Scope, own: bool = False) -> None:
    """As `may`, with Refusal("not_permitted") for a no."""
    if not may(grants, action, thing, own):
        raise Refusal(RefusalCode.not_permitted, action=action)


def may_anywhere(grants: Iterable[Grant], action: Action) -> bool:
    """Whether the account has this action for anything at all: a route's first question, before a thing is read."""
    return not reach(grants, action).nowhere()


def actions(
    grants: Iterable[Grant], thing: Scope, own: bool = False, among: Collection[Action] = tuple(Action)
) -> list[Action]:
    """Which of these actions the account may do to a thing, in their order: the `may` of an item on a page."""
    held = tuple(grants)
    return [action for action in among if may(held, action, thing, own)]


def roster_grants(cohort_ids: Iterable[UUID], programme_ids: Iterable[UUID] = ()) -> tuple[Grant, ...]:
    """The learner's grants that standing on rosters gives: the cohorts, and the programmes they belong to."""
    cohorts = [Grant(Role.learner, _COHORT, cohort_id) for cohort_id in cohort_ids]
    return (*cohorts, *(Grant(Role.learner, _PROGRAMME, programme_id) for programme_id in programme_ids))
