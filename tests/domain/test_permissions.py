"""The permission table, spelled a second time as a drawing, and how a cell of it reaches a thing.

A change of who may do what is made in two places on purpose: the table and the drawing below. The rest of the file asks
what no drawing shows: that scopes hold, that a grant in the wrong scope counts for nothing, that duties stay separated.
"""

from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.kinds import Role, ScopeKind
from domain.permissions import (
    OWN,
    PERMISSIONS,
    ROLE_SCOPES,
    Action,
    Grant,
    Reach,
    Scope,
    actions,
    may,
    may_anywhere,
    reach,
    require,
    roster_grants,
)
from domain.refusals import Refusal

# I institute, D department, P programme, C cohort, o own, . nothing.
DRAWING = """
                      learn teach lead  dept acad publ netw insp sys  sec  audit
institute_read           I     I    I    I    I    I    I    I    I    I    I
timetable_read           C     o    P    D    I    .    I    I    .    .    .
timetable_import         .     .    P    D    I    .    .    .    .    .    .
session_read             C     o    P    D    I    o    I    I    .    .    .
session_play             C     o    P    D    I    o    I    I    .    .    .
session_create           .     .    P    D    I    .    .    .    .    .    .
session_edit             .     o    P    D    I    .    .    .    .    .    .
session_publish          .     o    o    o    I    .    I    .    .    .    .
session_control          .     o    P    D    I    o    I    .    .    .    .
session_name_reviewer    .     .    .    D    I    .    .    .    .    .    .
session_file             .     o    P    D    I    .    .    .    .    .    .
session_approve          .     .    .    .    I    .    .    .    .    .    .
recording_read           C     o    P    D    I    .    I    I    .    .    .
recording_play           C     o    P    D    I    .    .    I    .    .    .
recording_edit           .     o    P    D    I    .    .    .    .    .    .
recording_review         .     .    P    D    I    .    .    .    .    .    .
recording_hold           .     o    P    D    I    .    .    .    .    .    .
recording_hold_lift      .     o    P    D    I    .    .    .    .    .    .
recording_reclassify     .     .    P    D    I    .    .    .    .    .    .
recording_promote        .     o    P    D    I    .    .    .    .    .    .
recording_purge          .     .    .    D    I    .    .    .    .    .    .
evidence_read            .     o    P    D    I    o    .    I    .    .    .
course_read              I     I    I    I    I    I    .    I    .    .    .
course_play              I     I    I    I    I    I    .    I    .    .    .
course_edit              .     o    P    D    I    .    .    .    .    .    .
course_review            .     .    P    D    I    .    .    .    .    .    .
course_file              .     .    .    .    I    I    .    .    .    .    .
course_publish           .     .    P    D    I    .    .    .    .    .    .
account_read             .     .    .    .    I    .    .    .    I    I    I
account_manage           .     .    .    .    .    .    .    .    I    .    .
account_lock             .     .    .    .    .    .    .    .    .    I    .
role_grant               .     .    .    .    I    .    .    .    .    I    .
audit_read               .     .    .    .    .    .    .    .    .    .    I
certificate_read         .     o    P    D    I    .    .    I    .    .    I
metrics_read             .     .    .    .    .    .    I    .    I    .    .
capacity_edit            .     .    .    .    .    .    I    .    I    .    .
retention_run            .     .    .    .    .    .    I    .    .    .    .
"""
LETTERS = {
    "I": ScopeKind.institute,
    "D": ScopeKind.department,
    "P": ScopeKind.programme,
    "C": ScopeKind.cohort,
    "o": OWN,
    ".": None,
}
DEPARTMENT, PROGRAMME, COHORT, ELSEWHERE = (UUID(int=n) for n in range(1, 5))
HERE = Scope(DEPARTMENT, PROGRAMME, COHORT)
THERE = Scope(ELSEWHERE, ELSEWHERE, ELSEWHERE)
NATURAL = {
    Role.learner: Grant(Role.learner, ScopeKind.cohort, COHORT),
    Role.programme_lead: Grant(Role.programme_lead, ScopeKind.programme, PROGRAMME),
    Role.department_manager: Grant(Role.department_manager, ScopeKind.department, DEPARTMENT),
}
CHANGING = {action for action in Action if not action.value.endswith(("_read", "_play"))}
ids = st.none() | st.sampled_from([DEPARTMENT, PROGRAMME, COHORT, ELSEWHERE])
scopes = st.builds(Scope, ids, ids, ids)
any_grant = st.builds(Grant, st.sampled_from(Role), st.sampled_from(ScopeKind), ids)


def _grant(role: Role) -> Grant:
    return NATURAL.get(role, Grant(role, ScopeKind.institute))


def test_the_table_is_the_drawing() -> None:
    rows = [line.split() for line in DRAWING.strip().splitlines()[1:]]
    drawn = {Action(name): [LETTERS[cell] for cell in cells] for name, *cells in rows}
    assert drawn == {action: [PERMISSIONS[role].get(action) for role in Role] for action in Action}


@pytest.mark.parametrize("role", Role)
def test_each_cell_is_what_may_says_here_there_and_on_ones_own(role: Role) -> None:
    for action in Action:
        cell, grants = PERMISSIONS[role].get(action), [_grant(role)]
        everywhere = cell == ScopeKind.institute
        assert may(grants, action, HERE) == (cell is not None and cell is not OWN)
        assert may(grants, action, THERE) == everywhere
        assert may(grants, action, THERE, own=True) == (everywhere or cell is OWN)
        assert may(grants, action, Scope()) == everywhere
        assert may_anywhere(grants, action) == (cell is not None)


def test_a_no_is_a_refusal_that_names_what_was_asked() -> None:
    require([_grant(Role.auditor)], Action.audit_read, Scope())
    with pytest.raises(Refusal) as no:
        require([_grant(Role.system_administrator)], Action.audit_read, Scope())
    assert (no.value.code, no.value.facts) == ("not_permitted", {"action": "audit_read"})


def test_a_thing_is_not_ones_own_unless_that_is_said() -> None:
    teacher = [_grant(Role.teacher)]
    require(teacher, Action.session_publish, HERE, own=True)
    with pytest.raises(Refusal):
        require(teacher, Action.session_publish, HERE)
    assert not may(teacher, Action.session_publish, HERE)
    assert Action.session_publish not in actions(teacher, HERE)


def test_without_a_grant_nothing_is_allowed_not_even_ones_own() -> None:
    assert not any(may([], action, HERE, own=True) for action in Action)


def test_the_inspector_changes_nothing() -> None:
    assert not CHANGING & set(PERMISSIONS[Role.inspector])
    assert CHANGING  # the reading actions are told by their names: were none left, this test would say nothing


def test_the_three_administrators_see_no_content_and_share_no_power() -> None:
    three = [set(PERMISSIONS[role]) for role in (Role.system_administrator, Role.security_administrator, Role.auditor)]
    shared = {Action.institute_read, Action.account_read}
    for one, other in ((0, 1), (0, 2), (1, 2)):
        assert three[one] & three[other] == shared
    content = {action for action in Action if action.value.startswith(("session_", "recording_", "course_"))}
    assert not any(content & powers for powers in three)


def test_the_trail_is_read_by_the_auditor_alone_and_destroyed_by_no_action() -> None:
    assert [role for role in Role if Action.audit_read in PERMISSIONS[role]] == [Role.auditor]
    assert [action for action in Action if action.value.startswith("audit")] == [Action.audit_read]


def test_a_teacher_acts_on_what_is_his_and_on_nothing_beside() -> None:
    teacher = [Grant(Role.teacher, ScopeKind.department, DEPARTMENT)]
    for action in (Action.session_publish, Action.session_control, Action.recording_promote, Action.recording_hold):
        assert may(teacher, action, THERE, own=True)
        assert not may(teacher, action, HERE, own=False)
    assert not may(teacher, Action.recording_purge, HERE, own=True)


def test_a_lead_or_manager_of_one_place_has_no_say_in_another() -> None:
    lead, manager = [NATURAL[Role.programme_lead]], [NATURAL[Role.department_manager]]
    other_programme = Scope(DEPARTMENT, ELSEWHERE, None)
    assert may(manager, Action.recording_purge, other_programme)
    assert not may(lead, Action.course_review, other_programme)
    assert not may(manager, Action.course_review, Scope(ELSEWHERE, PROGRAMME, COHORT))


@pytest.mark.parametrize(
    "grant",
    [
        Grant(Role.academic_affairs, ScopeKind.department, DEPARTMENT),
        Grant(Role.auditor, ScopeKind.cohort, COHORT),
        Grant(Role.department_manager, ScopeKind.institute),
        Grant(Role.programme_lead, ScopeKind.department, DEPARTMENT),
        Grant(Role.learner, ScopeKind.department, DEPARTMENT),
        Grant(Role.academic_affairs, ScopeKind.institute, DEPARTMENT),  # a scope that names a thing it has no use for
        Grant(Role.learner, ScopeKind.cohort, None),  # a scope that names nothing
    ],
    ids=str,
)
def test_a_grant_that_does_not_fit_its_role_counts_for_nothing(grant: Grant) -> None:
    assert not grant.fits()
    assert not any(may([grant], action, HERE, own=True) for action in Action)
    assert not any(may_anywhere([grant], action) for action in Action)


def test_every_role_can_be_granted_in_some_scope_and_every_cell_be_reached_by_one() -> None:
    for role, row in PERMISSIONS.items():
        for cell in row.values():
            assert cell is OWN or cell == ScopeKind.institute or cell in ROLE_SCOPES[role]
    assert set(ROLE_SCOPES) == set(PERMISSIONS) == set(Role)
    assert all(ROLE_SCOPES.values())


def test_a_roster_gives_its_cohort_and_what_is_for_the_whole_programme_but_not_another_cohort() -> None:
    grants = roster_grants([COHORT], [PROGRAMME])
    assert may(grants, Action.session_play, HERE)
    assert may(grants, Action.session_play, Scope(DEPARTMENT, PROGRAMME, None))
    assert not may(grants, Action.session_play, Scope(DEPARTMENT, PROGRAMME, ELSEWHERE))
    assert not may(grants, Action.session_play, Scope(DEPARTMENT, None, None))
    assert may(grants, Action.course_play, THERE)  # the door; each course is `release`'s to open


def test_a_list_selects_by_the_same_reach() -> None:
    grants = [_grant(Role.teacher), NATURAL[Role.programme_lead], *roster_grants([COHORT], [ELSEWHERE])]
    assert reach(grants, Action.recording_play) == Reach(
        own=True,
        programme_ids=frozenset({PROGRAMME}),
        cohort_ids=frozenset({COHORT}),
        audience_programme_ids=frozenset({ELSEWHERE}),
    )
    assert reach(grants, Action.audit_read).nowhere()


def test_a_page_is_told_which_of_its_buttons_to_show() -> None:
    offered = (Action.recording_purge, Action.recording_play, Action.recording_promote)
    assert actions([_grant(Role.teacher)], HERE, True, offered) == [Action.recording_play, Action.recording_promote]
    assert actions([_grant(Role.teacher)], HERE, False, offered) == []
    assert actions(iter([_grant(Role.academic_affairs)]), HERE, among=offered) == list(offered)


@given(st.lists(any_grant, max_size=5), st.lists(any_grant, max_size=3), st.sampled_from(Action), scopes, st.booleans())
def test_more_grants_never_take_anything_away(
    held: list[Grant], more: list[Grant], action: Action, thing: Scope, own: bool
) -> None:
    if may(held, action, thing, own):
        assert may([*held, *more], action, thing, own)
        assert may([*held, *more], action, thing, True)


@given(st.lists(any_grant, max_size=6), st.sampled_from(Action), scopes, st.booleans())
def test_a_yes_comes_from_one_grant_alone(held: list[Grant], action: Action, thing: Scope, own: bool) -> None:
    """Grants add up and never combine: a programme from one and a role from another make no third right."""
    assert may(held, action, thing, own) == any(may([grant], action, thing, own) for grant in held)


@given(any_grant, st.sampled_from(Action), scopes)
def test_a_scoped_grant_reaches_no_further_than_what_it_names(grant: Grant, action: Action, thing: Scope) -> None:
    cell = PERMISSIONS[grant.role].get(action)
    if may([grant], action, thing) and cell != ScopeKind.institute:
        assert grant.scope_id is not None
        assert grant.scope_id in (thing.department_id, thing.programme_id, thing.cohort_id)
