"""/api/v1/accounts: who has an account, its password, its lock, its roles (R2, R18, R19)."""

from typing import Annotated, Any
from uuid import UUID

from litestar import Request, Response, delete, get, post
from litestar.params import Parameter

from api import permit
from api.accounts import actions
from api.accounts.schemas import AccountShape, NewAccount, NewGrant, NewPassword
from api.idempotency import once
from api.resources import Resources
from api.shapes import NO_NUL, Cursor, Limit, PageShape, ReasonGiven, page_size
from domain.kinds import Role, ScopeKind
from domain.permissions import Action, Grant
from storage.catalogue import accounts
from storage.catalogue.sign_ins import Known
from storage.catalogue.transaction import Actor, Transaction

LONGEST_SEARCH = 100


@get("/accounts", opt=permit.action(Action.account_read))
async def listing(
    resources: Resources, known: Known, q: Annotated[str, Parameter(pattern=NO_NUL, max_length=LONGEST_SEARCH)] = "",
    cursor: Cursor = None, limit: Limit = None,
) -> PageShape[AccountShape]:  # fmt: skip
    """Accounts in the order they were made; `q` is found anywhere in login or name."""
    size = page_size(resources.settings, limit)
    async with resources.catalogue.transaction() as tx:
        page = await accounts.listing(tx, q=q, cursor=cursor, limit=size)
        return PageShape(await actions.shapes(tx, known, page.items), page.next_cursor)


@get("/accounts/{account_id:uuid}", opt=permit.action(Action.account_read))
async def one(resources: Resources, known: Known, account_id: UUID) -> AccountShape:
    """One account."""
    async with resources.catalogue.transaction() as tx:
        (shape,) = await actions.shapes(tx, known, [await accounts.get(tx, account_id)])
    return shape


@post("/accounts", opt=permit.action(Action.account_manage))
async def create(
    request: Request[Any, Any, Any], resources: Resources, known: Known, actor: Actor, data: NewAccount
) -> Response[AccountShape]:
    """Make an account; its roles are given by others."""
    secret = await actions.hashed(data.login, data.password) if data.password is not None else None

    async def make(tx: Transaction) -> AccountShape:
        (shape,) = await actions.shapes(tx, known, [await actions.create(tx, actor, data, secret)])
        return shape

    return await once(request, resources, known, make)


@post("/accounts/{account_id:uuid}/password", status_code=204, opt=permit.action(Action.account_manage))
async def set_password(
    resources: Resources, known: Known, actor: Actor, account_id: UUID, data: NewPassword
) -> None:  # fmt: skip
    """Set an account's password. Its open sign-in ends. Not of those who watch over the system administrator."""
    async with resources.catalogue.transaction() as tx:
        login = (await actions.require_may_set_password(tx, known, account_id)).login
    secret = await actions.hashed(login, data.password)
    async with resources.catalogue.transaction() as tx:
        await actions.set_password(tx, resources, known, actor, account_id, secret)


@post("/accounts/{account_id:uuid}/disable", status_code=200, opt=permit.action(Action.account_lock))
async def disable(
    resources: Resources, known: Known, actor: Actor, account_id: UUID, data: ReasonGiven
) -> AccountShape:  # fmt: skip
    """Disable an account: its sign-in and its playback end, and no new one begins."""
    return await _switch(resources, known, actor, account_id, data.reason, disabled=True)


@post("/accounts/{account_id:uuid}/enable", status_code=200, opt=permit.action(Action.account_lock))
async def enable(resources: Resources, known: Known, actor: Actor, account_id: UUID, data: ReasonGiven) -> AccountShape:
    """Let a disabled account sign in again."""
    return await _switch(resources, known, actor, account_id, data.reason, disabled=False)


@post("/accounts/{account_id:uuid}/grants", opt=permit.action(Action.role_grant))
async def grant(resources: Resources, known: Known, actor: Actor, account_id: UUID, data: NewGrant) -> AccountShape:
    """Give a role over a scope. Some roles exclude each other, and nobody gives one to oneself."""
    async with resources.catalogue.transaction() as tx:
        account = await actions.grant(tx, resources, known, actor, account_id, data)
        (shape,) = await actions.shapes(tx, known, [account])
    return shape


@delete("/accounts/{account_id:uuid}/grants/{role:str}", status_code=204, opt=permit.action(Action.role_grant))
async def revoke(
    resources: Resources, known: Known, actor: Actor, account_id: UUID, role: Role,
    scope_kind: ScopeKind = ScopeKind.institute, scope_id: UUID | None = None,
) -> None:  # fmt: skip
    """Take a role over a scope back."""
    async with resources.catalogue.transaction() as tx:
        await actions.revoke(tx, known, actor, account_id, Grant(role, scope_kind, scope_id))


async def _switch(
    resources: Resources, known: Known, actor: Actor, account_id: UUID, reason: str, *, disabled: bool
) -> AccountShape:  # fmt: skip
    async with resources.catalogue.transaction() as tx:
        account = await actions.set_disabled(tx, resources, known, actor, account_id, reason, disabled=disabled)
        (shape,) = await actions.shapes(tx, known, [account])
    return shape


ACCOUNT_ROUTES = [listing, one, create, set_password, disable, enable, grant, revoke]
