"""What an administrator may do to one account: those who run the system have no say over those who watch them."""

import itertools
from uuid import UUID

import pytest

from domain.account_acts import ACCOUNT_ACTS, account_acts, require_account_act
from domain.kinds import Role, ScopeKind
from domain.permissions import PERMISSIONS, Action, Grant
from domain.refusals import Refusal

ME, YOU = UUID(int=1), UUID(int=2)
SYSTEM = Grant(Role.system_administrator, ScopeKind.institute)
SECURITY = Grant(Role.security_administrator, ScopeKind.institute)


def _no(grants: list[Grant], action: Action, held: tuple[Role, ...] = (), account_id: UUID = YOU) -> tuple[str, object]:
    with pytest.raises(Refusal) as no:
        require_account_act(ME, grants, action, account_id, held)
    return no.value.code.value, no.value.facts.get("why")


@pytest.mark.parametrize("watcher", [Role.security_administrator, Role.auditor])
def test_a_system_administrator_sets_no_password_of_those_who_watch_him(watcher: Role) -> None:
    assert _no([SYSTEM], Action.account_manage, (watcher,)) == ("not_permitted", "separated_duties")
    assert _no([SYSTEM], Action.account_manage, (Role.teacher, watcher)) == ("not_permitted", "separated_duties")
    assert account_acts(ME, [SYSTEM], YOU, (watcher,)) == []


@pytest.mark.parametrize("action", ACCOUNT_ACTS)
@pytest.mark.parametrize("beside", sorted(Role))
def test_no_other_role_beside_it_opens_the_way(action: Action, beside: Role) -> None:
    """Roles that exclude each other may still meet in old rows: the bar holds whatever else is there."""
    both = [Grant(beside, ScopeKind.institute), SYSTEM]
    with pytest.raises(Refusal):
        require_account_act(ME, both, action, YOU, (Role.auditor,))


def test_over_everybody_else_each_administrator_does_what_is_his() -> None:
    for held in sorted(set(Role) - {Role.security_administrator, Role.auditor}):
        assert account_acts(ME, [SYSTEM], YOU, (held,)) == [Action.account_manage]
    for held in Role:
        assert account_acts(ME, [SECURITY], YOU, (held,)) == [Action.account_lock, Action.role_grant]


def test_the_security_administrator_sets_nobodys_password() -> None:
    assert _no([SECURITY], Action.account_manage, (Role.auditor,)) == ("not_permitted", None)


def test_nobody_locks_oneself_or_gives_oneself_a_role() -> None:
    assert _no([SECURITY], Action.account_lock, account_id=ME) == ("not_permitted", "own_account")
    assert _no([SECURITY], Action.role_grant, account_id=ME) == ("self_grant", None)
    assert account_acts(ME, [SECURITY], ME, (Role.security_administrator,)) == []
    assert account_acts(ME, [SYSTEM], ME, (Role.system_administrator,)) == [Action.account_manage]


def test_who_may_not_do_it_to_anybody_is_told_so_before_anything_of_the_account() -> None:
    for action, role in itertools.product(ACCOUNT_ACTS, Role):
        if action not in PERMISSIONS[role]:
            assert _no([Grant(role, ScopeKind.institute)], action, (Role.auditor,), ME) == ("not_permitted", None)
