"""Signing in and out. Neither an answer nor the time it takes tells whether a login exists, unless its password is
known: one that nobody has locks after as many failures.
"""

import asyncio
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from api.rate_limit import allow
from api.resources import Resources
from api.sign_in_cookie import csrf_token, new_token, token_hash
from api.sign_ins import strangers
from api.sign_ins.schemas import Credentials
from domain.passwords import after_failure, after_success, require_unlocked
from domain.refusals import Refusal, RefusalCode
from storage.catalogue import accounts, sign_ins
from storage.catalogue.sign_ins import Known, NewSignIn
from storage.catalogue.tables.account import Account
from storage.catalogue.tables.audit_entry import ActorKind
from storage.catalogue.transaction import Actor, Transaction

LONGEST_USER_AGENT = 300
_hasher = PasswordHasher()


@dataclass(frozen=True)
class Visitor:
    """Where a sign-in comes from."""

    address: str
    user_agent: str


@dataclass(frozen=True)
class SignedIn:
    """A new sign-in: who, and the token that the cookie will carry."""

    known: Known
    token: str


async def sign_in(resources: Resources, given: Credentials, visitor: Visitor) -> SignedIn:
    """Check the password and begin a sign-in; the account's other one ends (R18).

    Refusals: rate_limited, bad_credentials, account_locked, account_disabled. A wrong password is counted and audited.
    """
    now = resources.clock()
    await allow(resources.valkey, f"sign-in:{visitor.address}", resources.settings.sign_in_attempts_per_minute, now)
    async with resources.catalogue.transaction() as tx:
        account = await accounts.by_login(tx, given.login)
    stranger_until = await strangers.locked_until(resources.valkey, accounts.folded(given.login))
    require_unlocked(account.locked_until if account is not None else stranger_until, now)
    right = await asyncio.to_thread(_verify, account, given.password)
    if account is None or not right:
        await _count_failure(resources, account, given.login, visitor)
        raise Refusal(RefusalCode.bad_credentials)
    return await _begin(resources, account, visitor)


async def sign_out(resources: Resources, known: Known, visitor: Visitor) -> None:
    """End this sign-in, and its playback tokens with it."""
    async with resources.catalogue.transaction() as tx:
        await sign_ins.end(tx, known.sign_in.id, "signed_out", resources.clock())
        await tx.audit(_actor(known.account, visitor), "sign_out", "sign_in", known.sign_in.id)


def csrf_of(resources: Resources, token: str) -> str:
    """The CSRF token that belongs to a cookie's token."""
    return csrf_token(resources.keys.csrf, token)


async def _begin(resources: Resources, account: Account, visitor: Visitor) -> SignedIn:
    now, token = resources.clock(), new_token()
    async with resources.catalogue.transaction() as tx:
        await _require_unchanged(tx, account, now)
        started = await sign_ins.start(
            tx,
            NewSignIn(
                account_id=account.id,
                token_hash=token_hash(token),
                csrf_hash=None,
                expires_at=now + timedelta(seconds=resources.settings.sign_in_idle_seconds),
                address=visitor.address,
                user_agent=visitor.user_agent[:LONGEST_USER_AGENT],
            ),
            now,
        )
        await accounts.save_attempts(tx, account.id, after_success())
        await tx.audit(_actor(account, visitor), "sign_in", "sign_in", started.id)
        known = await sign_ins.find(tx, token_hash(token), now)
    if known is None:
        raise Refusal(RefusalCode.account_disabled)
    return SignedIn(known, token)


async def _require_unchanged(tx: Transaction, verified: Account, now: datetime) -> None:
    """The password was checked without a lock: meanwhile others may have failed, or it may have been changed."""
    account = await accounts.lock(tx, verified.id)
    require_unlocked(account.locked_until, now)
    if account.password_hash != verified.password_hash:
        raise Refusal(RefusalCode.bad_credentials)


async def _count_failure(resources: Resources, account: Account | None, login: str, visitor: Visitor) -> None:
    if account is None:
        await strangers.count_failure(resources.valkey, accounts.folded(login), resources.clock())
    stranger = Actor(None, ActorKind.account, visitor.address, login)
    async with resources.catalogue.transaction() as tx:
        if account is not None:
            locked = await accounts.lock(tx, account.id)
            await accounts.save_attempts(tx, account.id, after_failure(locked.failed_attempts, resources.clock()))
        item = account.id if account is not None else login
        await tx.audit(stranger, "sign_in_failed", "account", item)


def _actor(account: Account, visitor: Visitor) -> Actor:
    return Actor(account.id, ActorKind.account, visitor.address, account.display_name)


def _verify(account: Account | None, password: str) -> bool:
    stored = account.password_hash if account is not None and account.password_hash else _nobodys_hash()
    try:
        return _hasher.verify(stored, password) and account is not None
    except (VerificationError, InvalidHashError):
        return False


@cache
def _nobodys_hash() -> str:
    """Verified for logins that do not exist, so that they take as long."""
    return _hasher.hash(new_token())
