"""`lectern user`: accounts and roles from the terminal of whoever runs the machine.

Passwords are typed at a prompt or read from standard input, never given as arguments: those stand in every process list
and in the shell's history.

Whoever runs this holds the catalogue's address, and with it could write every row by hand: no account's rights are
asked (`domain.account_acts` binds accounts), since to refuse here would only send him there, past the trail. It is also
the one way to a security administrator's or an auditor's password, which no account may set. What is asked instead is
that nothing is silent. The entry stands in the same transaction as the act and names the operating system's own user
(not what $USER or $LOGNAME say) and, under sudo, who called it; a new password's entry tells the roles of its account,
and the operator is told what was written. Roles that exclude each other are refused here as everywhere.
"""

import sys
from collections.abc import Collection, Sequence
from datetime import UTC, datetime
from uuid import UUID

import click
from argon2 import PasswordHasher
from rich.console import Console
from rich.table import Table

from domain.account_acts import WATCHING_OVER_SYSTEM
from domain.kinds import Role, ScopeKind
from domain.passwords import require_strong
from domain.permissions import ROLE_SCOPES, Grant
from domain.role_grants import conflicting
from lectern.complaint import Complaint
from lectern.operator_acts import actor, in_transaction, operator
from storage.catalogue import accounts, institute, sign_ins
from storage.catalogue.tables.account import Account
from storage.catalogue.tables.cohort import Cohort
from storage.catalogue.tables.department import Department
from storage.catalogue.tables.programme import Programme
from storage.catalogue.transaction import Transaction

PAGE = 200


@click.group("user")
def command() -> None:
    """Accounts: add one, give it roles, set its password, list them."""


@command.command("add")
@click.argument("login")
@click.option("--name", required=True, help="The person's name, as others see it.")
@click.option("--role", type=click.Choice(Role), help="A first role, for the whole institute or the scope named below.")
@click.option("--scope", metavar="KIND:SLUG", help="Where the role holds: department:…, programme:… or cohort:…")
@click.option("--no-password", is_flag=True, help="Nobody signs in to it until a password is set.")
@click.pass_context
def add(
    context: click.Context, login: str, name: str, role: Role | None, scope: str | None, no_password: bool
) -> None:  # fmt: skip
    """Add an account. Its password is asked for, or read from standard input where that is no terminal."""
    login = accounts.folded(login)
    secret = None if no_password else _hashed(login)

    async def work(tx: Transaction) -> str:
        await tx.lock(f"login:{login}")
        if await accounts.by_login(tx, login) is not None:
            raise Complaint(f"{login} has an account already (`lectern user password {login}` sets its password)")
        account = await accounts.add(tx, login, name, secret)
        await tx.audit(actor(), "account_added", "account", account.id, login=login)
        if role is not None:
            await _give(tx, account, await _grant(tx, role, scope))
            return f"{login} added{_witnessed([role])}"
        return f"{login} added"

    if scope is not None and role is None:
        raise Complaint("--scope says where a role holds: name the role with --role")
    click.echo(in_transaction(context, work))


@command.command("role")
@click.argument("login")
@click.argument("role", type=click.Choice(Role))
@click.option("--scope", metavar="KIND:SLUG", help="Where it holds: department:…, programme:… or cohort:…")
@click.option("--remove", is_flag=True, help="Take the role back.")
@click.pass_context
def give(context: click.Context, login: str, role: Role, scope: str | None, remove: bool) -> None:
    """Give an account a role, or take it back. Roles that must be kept apart are refused here too."""

    async def work(tx: Transaction) -> str:
        account = await _account(tx, login)
        given = await _grant(tx, role, scope)
        if not remove:
            if not await _give(tx, account, given):
                return f"{account.login} was {role}"
            return f"{account.login} is {role}{_witnessed([role])}"
        if not await accounts.revoke(tx, account.id, given):
            raise Complaint(f"{account.login} is not {role}{f' of {scope}' if scope else ' of the institute'}")
        await tx.audit(actor(), "role_revoked", "account", account.id, **_told(given))
        return f"{account.login} is no longer {role}{_witnessed([role])}"

    click.echo(in_transaction(context, work))


@command.command("password")
@click.argument("login")
@click.pass_context
def password(context: click.Context, login: str) -> None:
    """Set an account's password and lift its lock. Its open sign-in ends, and the audit trail names who did it."""
    secret = _hashed(accounts.folded(login))

    async def work(tx: Transaction) -> str:
        account = await _account(tx, login)
        await accounts.set_password(tx, account.id, secret)
        await sign_ins.end_of_account(tx, account.id, "password_changed", datetime.now(UTC))
        held = sorted({one.role for one in await accounts.grants_of(tx, account.id)})
        await tx.audit(actor(), "password_set", "account", account.id, held=held)
        return f"{account.login}: password set{_witnessed(held)}"

    click.echo(in_transaction(context, work))


@command.command("list")
@click.option("-q", "search", default="", help="Only logins and names that have this in them.")
@click.pass_context
def listing(context: click.Context, search: str) -> None:
    """List accounts with their roles."""
    table = Table("login", "name", "roles", "state", box=None, pad_edge=False)

    async def work(tx: Transaction) -> None:
        cursor = None
        while True:
            page = await accounts.listing(tx, q=search, cursor=cursor, limit=PAGE)
            for one in page.items:
                roles = ", ".join(_shown(given) for given in await accounts.grants_of(tx, one.id))
                table.add_row(one.login, one.display_name, roles or "–", _state(one))
            if (cursor := page.next_cursor) is None:
                return

    in_transaction(context, work)
    Console(soft_wrap=True).print(table)


def _hashed(login: str) -> str:
    """A password from the prompt, twice, or from the first line of standard input; Refusal("password_too_weak")."""
    if sys.stdin.isatty():
        typed = str(click.prompt("Password", hide_input=True, confirmation_prompt=True))
    else:
        typed = sys.stdin.readline().rstrip("\r\n")
    if not typed:
        raise Complaint("no password was given on standard input")
    require_strong(login, typed)
    return PasswordHasher().hash(typed)


async def _account(tx: Transaction, login: str) -> Account:
    account = await accounts.by_login(tx, login)
    if account is None:
        raise Complaint(f"no account has the login {accounts.folded(login)} (`lectern user list` shows them)")
    return await accounts.lock(tx, account.id)


async def _give(tx: Transaction, account: Account, given: Grant) -> bool:
    held = [one.role for one in await accounts.grants_of(tx, account.id)]
    if (other := conflicting(held, given.role)) is not None:
        raise Complaint(f"{account.login} is {other}: nobody may be {given.role} beside it")
    if not await accounts.grant(tx, account.id, given, None, datetime.now(UTC)):
        return False
    await tx.audit(actor(), "role_granted", "account", account.id, **_told(given))
    return True


async def _grant(tx: Transaction, role: Role, scope: str | None) -> Grant:
    """The grant that `role` and `kind:slug` mean; Complaint where the role cannot be held there."""
    kind, scope_id = ScopeKind.institute, None
    if scope is not None:
        kind, scope_id = await _place(tx, scope)
    given = Grant(role, kind, scope_id)
    if not given.fits():
        held_in = ", ".join(sorted(ROLE_SCOPES[role]))
        raise Complaint(f"{role} is held in: {held_in}" + ("" if scope else " (name it with --scope KIND:SLUG)"))
    return given


async def _place(tx: Transaction, scope: str) -> tuple[ScopeKind, UUID]:
    kind, _, slug = scope.partition(":")
    found = await institute.overview(tx)
    places: dict[str, Sequence[Department | Programme | Cohort]] = {
        ScopeKind.department: found.departments,
        ScopeKind.programme: found.programmes,
        ScopeKind.cohort: found.cohorts,
    }
    if kind not in places:
        raise Complaint(f"--scope is department:SLUG, programme:SLUG or cohort:SLUG, not {scope}")
    ids = [one.id for one in places[kind] if slug in (one.slug, str(one.id))]
    if len(ids) != 1:
        how_many = "no" if not ids else f"{len(ids)}"
        raise Complaint(f"there is {how_many} {kind} called {slug}" + (" (use its id instead)" if ids else ""))
    return ScopeKind(kind), ids[0]


def _witnessed(roles: Collection[Role]) -> str:
    """What the operator is told who touched one of those that watch over the system."""
    watching = sorted(WATCHING_OVER_SYSTEM.intersection(roles))
    return f" ({', '.join(watching)}: the audit trail names {operator()} for it)" if watching else ""


def _told(given: Grant) -> dict[str, str | None]:
    return {
        "role": given.role.value,
        "scope_kind": given.scope_kind.value,
        "scope_id": str(given.scope_id) if given.scope_id else None,
    }


def _shown(given: Grant) -> str:
    return given.role.value if given.scope_id is None else f"{given.role.value} ({given.scope_kind.value})"


def _state(account: Account) -> str:
    if account.disabled_at is not None:
        return "disabled"
    if account.password_hash is None:
        return "no password"
    return "locked" if account.locked_until and account.locked_until > datetime.now(UTC) else "open"
