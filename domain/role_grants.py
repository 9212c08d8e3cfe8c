"""Who may give which role to whom.

Rule of this file (mission R2, R19): academic affairs sets the levels of those who teach, learn and lead; the security
administrator gives the roles that run, inspect and audit. Nobody grants to oneself. No account holds two of the three
separated administrators, nor one of them beside a role that decides on content or inspects it; the auditor does not run
the platform either, whose acts he reads.
"""

from collections.abc import Collection, Iterable, Mapping
from types import MappingProxyType
from uuid import UUID

from domain.kinds import Role
from domain.permissions import Action, Grant, may_anywhere
from domain.refusals import Refusal, RefusalCode

GRANTABLE: Mapping[Role, frozenset[Role]] = MappingProxyType(
    {
        Role.academic_affairs: frozenset(
            {Role.learner, Role.teacher, Role.programme_lead, Role.department_manager, Role.publicity_office}
        ),
        Role.security_administrator: frozenset(
            {
                Role.academic_affairs,
                Role.network_centre,
                Role.inspector,
                Role.system_administrator,
                Role.security_administrator,
                Role.auditor,
            }
        ),
    }
)

SEPARATED: frozenset[Role] = frozenset({Role.system_administrator, Role.security_administrator, Role.auditor})
DECIDING: frozenset[Role] = frozenset(
    {
        Role.programme_lead,
        Role.department_manager,
        Role.academic_affairs,
        Role.publicity_office,
        Role.inspector,
    }
)


def conflicting(held: Collection[Role], role: Role) -> Role | None:
    """The role already held that forbids this one, or None."""
    return next((other for other in held if other != role and _conflict({other, role})), None)


def _conflict(pair: set[Role]) -> bool:
    separated = pair & SEPARATED
    return len(separated) == 2 or bool(separated and pair & DECIDING) or pair == {Role.auditor, Role.network_centre}


def require_may_grant(
    granter_id: UUID, granter_grants: Iterable[Grant], receiver_id: UUID, held: Collection[Role], grant: Grant
) -> None:
    """Refusal unless this account may give this grant to that one, which holds `held` already.

    Codes: not_permitted, self_grant, scope_not_allowed, roles_conflict.
    """
    giving = tuple(granter_grants)
    roles = {given.role for given in giving if given.fits()}
    if not may_anywhere(giving, Action.role_grant) or not any(grant.role in GRANTABLE.get(r, ()) for r in roles):
        raise Refusal(RefusalCode.not_permitted, action=Action.role_grant, role=grant.role)
    if granter_id == receiver_id:
        raise Refusal(RefusalCode.self_grant, role=grant.role)
    if not grant.fits():
        raise Refusal(RefusalCode.scope_not_allowed, role=grant.role, scope_kind=grant.scope_kind)
    if (other := conflicting(held, grant.role)) is not None:
        raise Refusal(RefusalCode.roles_conflict, role=grant.role, held=other)
