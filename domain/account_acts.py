"""What an administrator may do to one account: the separation of powers (mission R19), for every door alike.

Rule of this file: whoever runs the system has no say over those who watch him. Over an account that holds
security_administrator or auditor a system administrator sets no password, gives or takes no role, locks nothing, and so
for whatever else may come: he could sign in as them, or silence them. Nobody disables oneself or gives oneself a role.
Which role an account may be given at all is `domain.role_grants`' business.

So no account sets a security administrator's or an auditor's password: the operating system's operator does
(`lectern user password`), and the trail says so.
"""

from collections.abc import Collection, Iterable
from uuid import UUID

from domain.kinds import Role
from domain.permissions import Action, Grant, Scope, may
from domain.refusals import Refusal, RefusalCode

ACCOUNT_ACTS: tuple[Action, ...] = (Action.account_manage, Action.account_lock, Action.role_grant)
WATCHING_OVER_SYSTEM: frozenset[Role] = frozenset({Role.security_administrator, Role.auditor})
NEVER_TO_ONESELF: frozenset[Action] = frozenset({Action.account_lock, Action.role_grant})


def require_account_act(
    actor_id: UUID, actor_grants: Iterable[Grant], action: Action, account_id: UUID, held: Collection[Role]
) -> None:
    """Refusal unless this account may do `action` to that one, which holds the roles `held`.

    Codes: not_permitted (with `why`: own_account, separated_duties), self_grant.
    """
    grants = tuple(actor_grants)
    if not may(grants, action, Scope()):
        raise Refusal(RefusalCode.not_permitted, action=action)
    if actor_id == account_id and action == Action.role_grant:
        raise Refusal(RefusalCode.self_grant)
    if actor_id == account_id and action in NEVER_TO_ONESELF:
        raise Refusal(RefusalCode.not_permitted, action=action, why="own_account")
    if is_out_of_reach(grants, held):
        raise Refusal(RefusalCode.not_permitted, action=action, why="separated_duties")


def is_out_of_reach(actor_grants: Iterable[Grant], held: Collection[Role]) -> bool:
    """Whether an account with these roles is kept from whoever acts. A grant that fits nowhere bars all the same."""
    runs_the_system = any(given.role == Role.system_administrator for given in actor_grants)
    return runs_the_system and not WATCHING_OVER_SYSTEM.isdisjoint(held)


def account_acts(
    actor_id: UUID, actor_grants: Iterable[Grant], account_id: UUID, held: Collection[Role]
) -> list[Action]:  # fmt: skip
    """Which acts this account may do to that one: the `may` of an account on a page."""
    grants = tuple(actor_grants)

    def allowed(action: Action) -> bool:
        try:
            require_account_act(actor_id, grants, action, account_id, held)
        except Refusal:
            return False
        return True

    return [action for action in ACCOUNT_ACTS if allowed(action)]
