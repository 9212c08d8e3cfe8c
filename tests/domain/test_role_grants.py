"""Who may give which role to whom, and what one account may not be at once."""

import itertools
from uuid import UUID

import pytest

from domain.kinds import Role, ScopeKind
from domain.permissions import PERMISSIONS, Action, Grant
from domain.refusals import Refusal
from domain.role_grants import DECIDING, GRANTABLE, SEPARATED, conflicting, require_may_grant

ME, YOU, PLACE = UUID(int=1), UUID(int=2), UUID(int=3)
ACADEMIC_AFFAIRS = [Grant(Role.academic_affairs, ScopeKind.institute)]
SECURITY = [Grant(Role.security_administrator, ScopeKind.institute)]


def _no(granter: list[Grant], grant: Grant, held: tuple[Role, ...] = (), receiver: UUID = YOU) -> str:
    with pytest.raises(Refusal) as no:
        require_may_grant(ME, granter, receiver, held, grant)
    return no.value.code


def test_academic_affairs_sets_the_levels_of_those_who_teach_and_lead() -> None:
    require_may_grant(ME, ACADEMIC_AFFAIRS, YOU, (), Grant(Role.programme_lead, ScopeKind.programme, PLACE))
    require_may_grant(
        ME, ACADEMIC_AFFAIRS, YOU, (Role.teacher,), Grant(Role.department_manager, ScopeKind.department, PLACE)
    )


def test_the_security_administrator_gives_the_roles_that_run_and_audit() -> None:
    require_may_grant(ME, SECURITY, YOU, (), Grant(Role.auditor, ScopeKind.institute))


@pytest.mark.parametrize(
    ("granter", "role"),
    [
        (ACADEMIC_AFFAIRS, Role.system_administrator),
        (ACADEMIC_AFFAIRS, Role.academic_affairs),
        (SECURITY, Role.teacher),
        ([Grant(Role.system_administrator, ScopeKind.institute)], Role.teacher),
        ([Grant(Role.academic_affairs, ScopeKind.department, PLACE)], Role.teacher),  # does not fit: counts for nothing
        ([], Role.learner),
    ],
    ids=str,
)
def test_nobody_gives_what_is_not_his_to_give(granter: list[Grant], role: Role) -> None:
    assert _no(granter, Grant(role, ScopeKind.institute)) == "not_permitted"


def test_nobody_grants_to_oneself() -> None:
    assert _no(SECURITY, Grant(Role.auditor, ScopeKind.institute), receiver=ME) == "self_grant"


def test_a_scope_that_does_not_fit_the_role_is_refused() -> None:
    assert _no(ACADEMIC_AFFAIRS, Grant(Role.department_manager, ScopeKind.institute)) == "scope_not_allowed"
    assert _no(ACADEMIC_AFFAIRS, Grant(Role.programme_lead, ScopeKind.programme, None)) == "scope_not_allowed"


@pytest.mark.parametrize(
    ("held", "role"),
    [
        (Role.system_administrator, Role.auditor),
        (Role.auditor, Role.security_administrator),
        (Role.academic_affairs, Role.system_administrator),
        (Role.auditor, Role.network_centre),
        (Role.inspector, Role.auditor),
    ],
)
def test_separated_duties_do_not_meet_in_one_account(held: Role, role: Role) -> None:
    assert _no(SECURITY, Grant(role, ScopeKind.institute), (Role.learner, held)) == "roles_conflict"


def test_a_conflict_is_one_whichever_role_came_first() -> None:
    for one, other in itertools.permutations(Role, 2):
        assert (conflicting([one], other) is None) == (conflicting([other], one) is None)


def test_a_teacher_may_run_the_platform_and_the_same_role_may_be_held_twice() -> None:
    assert conflicting([Role.teacher, Role.network_centre], Role.system_administrator) is None
    assert conflicting([Role.auditor], Role.auditor) is None
    assert conflicting([Role.programme_lead], Role.department_manager) is None


def test_every_role_is_somebodys_to_give_and_who_gives_has_the_action() -> None:
    assert frozenset().union(*GRANTABLE.values()) == frozenset(Role)
    assert {role for role in Role if Action.role_grant in PERMISSIONS[role]} == set(GRANTABLE)
    assert not SEPARATED & DECIDING
