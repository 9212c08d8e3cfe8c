"""What administrators do with accounts, as `domain.account_acts` allows for the account under its row's lock. Each act
ends what it makes wrong: a new password and a disabling end the account's sign-in, and with it its playback tokens.
"""

import asyncio
from collections.abc import Sequence
from uuid import UUID

from argon2 import PasswordHasher

from api.accounts.schemas import AccountShape, NewAccount, NewGrant
from api.permit import grants_of
from api.resources import Resources
from api.sign_ins.schemas import GrantShape
from domain.account_acts import account_acts, require_account_act
from domain.kinds import Role, ScopeKind
from domain.passwords import require_strong
from domain.permissions import Action, Grant
from domain.refusals import Refusal, RefusalCode
from domain.role_grants import require_may_grant
from storage.catalogue import accounts, institute, sign_ins
from storage.catalogue.rows import found
from storage.catalogue.sign_ins import Known
from storage.catalogue.tables.account import Account
from storage.catalogue.tables.department import Department
from storage.catalogue.transaction import Actor, Transaction

_hasher = PasswordHasher()


async def shapes(tx: Transaction, known: Known, listed: Sequence[Account]) -> list[AccountShape]:
    """Accounts as they are shown to this one."""
    mine = grants_of(known)
    held = await accounts.grants_by_account(tx, [one.id for one in listed])
    return [
        AccountShape(
            id=one.id, login=one.login, display_name=one.display_name,
            grants=[GrantShape(given.role, given.scope_kind, given.scope_id)
                    for given in held[one.id]],
            has_password=one.password_hash is not None, locked_until=one.locked_until, disabled_at=one.disabled_at,
            created_at=one.created_at,
            may=account_acts(known.account.id, mine, one.id, [given.role for given in held[one.id]]),
        )
        for one in listed
    ]  # fmt: skip


async def hashed(login: str, password: str) -> str:
    """The password's argon2id hash, made in a thread; Refusal("password_too_weak")."""
    require_strong(accounts.folded(login), password)
    return await asyncio.to_thread(_hasher.hash, password)


async def create(tx: Transaction, actor: Actor, new: NewAccount, password_hash: str | None) -> Account:
    """A new account; Refusal("invalid_input", field="login", reason="taken")."""
    login = accounts.folded(new.login)
    # Two of one login queue here, and the second is told so, instead of a failed constraint.
    await tx.lock(f"login:{login}")
    if await accounts.by_login(tx, login) is not None:
        raise Refusal(RefusalCode.invalid_input, field="login", reason="taken")
    account = await accounts.add(tx, login, new.display_name, password_hash)
    await tx.audit(actor, "account_added", "account", account.id, login=account.login)
    await tx.session.refresh(account)
    return account


async def require_may_set_password(tx: Transaction, known: Known, account_id: UUID) -> Account:
    """The account, locked, if this one may set its password. Refusals: not_found, not_permitted."""
    account, _ = await _locked(tx, known, Action.account_manage, account_id)
    return account


async def set_password(
    tx: Transaction, resources: Resources, known: Known, actor: Actor, account_id: UUID, secret: str
) -> None:  # fmt: skip
    """Set the password whose hash is `secret`; a lock by failures is lifted, an open sign-in ends."""
    await require_may_set_password(tx, known, account_id)
    await accounts.set_password(tx, account_id, secret)
    await sign_ins.end_of_account(tx, account_id, "password_changed", resources.clock())
    await tx.audit(actor, "password_set", "account", account_id)


async def set_disabled(
    tx: Transaction, resources: Resources, known: Known, actor: Actor, account_id: UUID, reason: str, *, disabled: bool
) -> Account:  # fmt: skip
    """Disable an account or enable it again; nobody does so to oneself. Refusals: not_found, not_permitted."""
    account, _ = await _locked(tx, known, Action.account_lock, account_id)
    if (account.disabled_at is not None) != disabled:
        await accounts.set_disabled(tx, account_id, resources.clock() if disabled else None)
        if disabled:
            await sign_ins.end_of_account(tx, account_id, "disabled", resources.clock())
        await tx.audit(actor, f"account_{'disabled' if disabled else 'enabled'}", "account", account_id, reason=reason)
    return account


async def grant(
    tx: Transaction, resources: Resources, known: Known, actor: Actor, account_id: UUID, new: NewGrant
) -> Account:  # fmt: skip
    """Give a role, as `domain.role_grants` allows; giving it again changes nothing.

    Refusals: not_permitted, self_grant, scope_not_allowed, roles_conflict, not_found.
    """
    given = Grant(new.role, new.scope_kind, new.scope_id)
    account, held = await _locked(tx, known, Action.role_grant, account_id)
    require_may_grant(known.account.id, grants_of(known), account_id, held, given)
    await _require_place(tx, given)
    if await accounts.grant(tx, account_id, given, known.account.id, resources.clock()):
        await tx.audit(actor, "role_granted", "account", account_id, **_told(given))
    return account


async def revoke(tx: Transaction, known: Known, actor: Actor, account_id: UUID, given: Grant) -> None:
    """Take a role back; whoever may give it may. Refusals: not_permitted, self_grant, not_found."""
    await _locked(tx, known, Action.role_grant, account_id)
    require_may_grant(known.account.id, grants_of(known), account_id, (), given)
    if not await accounts.revoke(tx, account_id, given):
        raise Refusal(RefusalCode.not_found, kind="role_grant", id=account_id, role=given.role)
    await tx.audit(actor, "role_revoked", "account", account_id, **_told(given))


async def _locked(
    tx: Transaction, known: Known, action: Action, account_id: UUID
) -> tuple[Account, list[Role]]:  # fmt: skip
    """The account and the roles it holds, for whoever may do `action` to it.

    Its row is locked first: two administrators cannot give two roles that exclude each other, and no password is set
    while its person is made one of those who are kept from it.
    """
    account = await accounts.lock(tx, account_id)
    held = [one.role for one in await accounts.grants_of(tx, account_id)]
    require_account_act(known.account.id, grants_of(known), action, account_id, held)
    return account, held


async def _require_place(tx: Transaction, given: Grant) -> None:
    """Refusal("not_found") for a scope that does not exist."""
    if given.scope_id is None:
        return
    if given.scope_kind == ScopeKind.department:
        await found(tx, Department, given.scope_id)
    elif given.scope_kind == ScopeKind.programme:
        await institute.scope_of(tx, given.scope_id, None)
    else:
        await institute.scope_of(tx, None, given.scope_id)


def _told(given: Grant) -> dict[str, str | None]:
    return {
        "role": given.role.value,
        "scope_kind": given.scope_kind.value,
        "scope_id": str(given.scope_id) if given.scope_id else None,
    }
