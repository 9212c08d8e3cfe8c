"""Accounts and their grants. What a password must be and when an account locks is `domain.passwords`' business."""

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, delete, func, or_, select
from sqlalchemy.dialects.postgresql import insert

from domain.kinds import Role
from domain.passwords import Attempts
from domain.permissions import Grant
from storage.catalogue.paging import PAGE, Order, Page, page_of
from storage.catalogue.rows import among, found, locked
from storage.catalogue.tables.account import Account
from storage.catalogue.tables.role_grant import RoleGrant
from storage.catalogue.transaction import Transaction

ORDER = Order(Account.created_at, Account.id, descending=False)


def folded(login: str) -> str:
    """A login as it is stored: people type capitals and spaces."""
    return login.strip().casefold()


async def add(tx: Transaction, login: str, display_name: str, password_hash: str | None) -> Account:
    """A new account; IntegrityError where the login is taken."""
    account = Account(login=folded(login), display_name=display_name.strip(), password_hash=password_hash)
    tx.session.add(account)
    await tx.session.flush()
    return account


async def get(tx: Transaction, account_id: UUID) -> Account:
    """The account, or Refusal("not_found")."""
    return await found(tx, Account, account_id)


async def lock(tx: Transaction, account_id: UUID) -> Account:
    """The account, locked to the transaction's end."""
    return await locked(tx, Account, account_id)


async def by_login(tx: Transaction, login: str) -> Account | None:
    """The account that signs in as `login`."""
    rows = await tx.session.scalars(select(Account).where(Account.login == folded(login)))
    return rows.one_or_none()


async def by_id(tx: Transaction, ids: Collection[UUID]) -> dict[UUID, Account]:
    """Accounts for a page of items."""
    rows = await tx.session.scalars(select(Account).where(Account.id.in_(ids)))
    return {row.id: row for row in rows}


async def listing(tx: Transaction, *, q: str = "", cursor: str | None = None, limit: int = PAGE) -> Page[Account]:
    """Accounts in the order they were made; `q` is found anywhere in login or name."""
    return await page_of(tx, Account, ORDER, where=_called(q), cursor=cursor, limit=limit)


async def named(tx: Transaction, ids: Collection[UUID], *, q: str = "", limit: int = PAGE) -> list[Account]:
    """Those of these accounts that `q` finds, as in `listing`, by their names."""
    statement = select(Account).where(among(Account.id, ids), *_called(q))
    return list(await tx.session.scalars(statement.order_by(Account.display_name, Account.id).limit(limit)))


async def with_roles(tx: Transaction, roles: Collection[Role], *, q: str = "", limit: int = PAGE) -> list[Account]:
    """Accounts that are not disabled and have one of these roles anywhere, by their names; `q` as in `listing`."""
    holders = select(RoleGrant.account_id).where(RoleGrant.role.in_(roles))
    statement = select(Account).where(Account.id.in_(holders), Account.disabled_at.is_(None), *_called(q))
    return list(await tx.session.scalars(statement.order_by(Account.display_name, Account.id).limit(limit)))


async def save_attempts(tx: Transaction, account_id: UUID, attempts: Attempts) -> None:
    """Keeps what `domain.passwords.after_failure` or `after_success` says; the row was locked by `lock`."""
    account = await lock(tx, account_id)
    account.failed_attempts = attempts.failed_attempts
    account.locked_until = attempts.locked_until
    await tx.session.flush()


async def set_password(tx: Transaction, account_id: UUID, password_hash: str) -> None:
    """A new password, which also lifts a lock."""
    account = await lock(tx, account_id)
    account.password_hash = password_hash
    account.failed_attempts = 0
    account.locked_until = None
    await tx.session.flush()


async def set_disabled(tx: Transaction, account_id: UUID, disabled_at: datetime | None) -> None:
    """Disables the account, or with None enables it again; its sign-in is ended by `sign_ins.end_of_account`."""
    account = await lock(tx, account_id)
    account.disabled_at = disabled_at
    await tx.session.flush()


async def grants_of(tx: Transaction, account_id: UUID) -> tuple[Grant, ...]:
    """What was granted to the account; what its rosters give comes by `institute.cohorts_of`."""
    rows = await tx.session.scalars(select(RoleGrant).where(RoleGrant.account_id == account_id).order_by(RoleGrant.id))
    return tuple(Grant(row.role, row.scope_kind, row.scope_id) for row in rows)


async def grants_by_account(tx: Transaction, ids: Collection[UUID]) -> dict[UUID, tuple[Grant, ...]]:
    """The same for a page of accounts; each has an entry."""
    found: dict[UUID, list[Grant]] = {account_id: [] for account_id in ids}
    statement = select(RoleGrant).where(RoleGrant.account_id.in_(found)).order_by(RoleGrant.id)
    for row in await tx.session.scalars(statement):
        found[row.account_id].append(Grant(row.role, row.scope_kind, row.scope_id))
    return {account_id: tuple(grants) for account_id, grants in found.items()}


async def grant(tx: Transaction, account_id: UUID, given: Grant, granted_by: UUID | None, now: datetime) -> bool:
    """Gives a grant; False where the account has it already."""
    values = {
        "account_id": account_id,
        "role": given.role,
        "scope_kind": given.scope_kind,
        "scope_id": given.scope_id,
        "granted_by": granted_by,
        "granted_at": now,
    }
    statement = insert(RoleGrant).values(**values).on_conflict_do_nothing().returning(RoleGrant.id)
    return await tx.session.scalar(statement) is not None


async def revoke(tx: Transaction, account_id: UUID, given: Grant) -> bool:
    """Takes a grant back; False where the account did not have it."""
    statement = delete(RoleGrant).where(
        RoleGrant.account_id == account_id,
        RoleGrant.role == given.role,
        RoleGrant.scope_kind == given.scope_kind,
        RoleGrant.scope_id.is_not_distinct_from(given.scope_id),
    )
    return await tx.session.scalar(statement.returning(RoleGrant.id)) is not None


async def count(tx: Transaction) -> int:
    """How many accounts there are."""
    return await tx.session.scalar(select(func.count()).select_from(Account)) or 0


def _called(q: str) -> list[ColumnElement[bool]]:
    if not (word := q.strip()):
        return []
    columns = (Account.login, Account.display_name)
    return [or_(*(column.icontains(word, autoescape=True) for column in columns))]
