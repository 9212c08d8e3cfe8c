"""Sign-ins: an account has one that is open (R18); a new one ends the old, and its playback tokens with it.

An end is told twice: as a fact, which is delivered for sure, and on the channel `sign_in_ended` (payload: the sign-in's
id), which is quick. Who listens there and was away asks `ended_since` once it listens again.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import ColumnElement, select, update

from domain.facts import SignInEnded
from domain.permissions import Grant
from domain.refusals import Refusal, RefusalCode
from domain.release import Viewer
from storage.catalogue import accounts, institute
from storage.catalogue.tables.account import Account
from storage.catalogue.tables.sign_in import SignIn
from storage.catalogue.transaction import Transaction

ENDED_CHANNEL = "sign_in_ended"
PROLONGED_BY_AT_LEAST = timedelta(minutes=1)
"""Less than this more is not worth a write: a page asks several times a minute."""


@dataclass(frozen=True, slots=True)
class Known:
    """Who a cookie belongs to, and all that permissions ask about them."""

    sign_in: SignIn
    account: Account
    grants: tuple[Grant, ...]
    cohort_ids: frozenset[UUID]
    programme_ids: frozenset[UUID]

    def viewer(self) -> Viewer:
        """As `domain.release` sees them."""
        return Viewer(self.account.id, self.cohort_ids, self.grants, self.programme_ids)


@dataclass(frozen=True, slots=True)
class NewSignIn:
    """What a sign-in is made of; tokens come as their SHA-256."""

    account_id: UUID
    token_hash: bytes
    csrf_hash: bytes | None
    expires_at: datetime
    address: str | None = None
    user_agent: str | None = None


async def start(tx: Transaction, new: NewSignIn, now: datetime) -> SignIn:
    """Begins a sign-in and ends the account's open one. The account's row is locked, so that two queue."""
    account = await accounts.lock(tx, new.account_id)
    if account.disabled_at is not None:
        raise Refusal(RefusalCode.account_disabled)
    await end_of_account(tx, new.account_id, "replaced", now)
    sign_in = SignIn(
        account_id=new.account_id,
        token_hash=new.token_hash,
        csrf_hash=new.csrf_hash,
        created_at=now,
        expires_at=new.expires_at,
        address=new.address,
        user_agent=new.user_agent,
    )
    tx.session.add(sign_in)
    await tx.session.flush()
    return sign_in


async def find(tx: Transaction, token_hash: bytes, now: datetime) -> Known | None:
    """Who has this cookie; None where it was never given, is over, has expired, or its account is disabled."""
    statement = (
        select(SignIn, Account)
        .join(Account, Account.id == SignIn.account_id)
        .where(SignIn.token_hash == token_hash, SignIn.ended_at.is_(None), SignIn.expires_at > now)
        .where(Account.disabled_at.is_(None))
    )
    row = (await tx.session.execute(statement)).one_or_none()
    if row is None:
        return None
    sign_in, account = row.tuple()
    cohorts = await institute.cohorts_of(tx, account.id)
    return Known(
        sign_in=sign_in,
        account=account,
        grants=await accounts.grants_of(tx, account.id),
        cohort_ids=frozenset(cohort.id for cohort in cohorts),
        programme_ids=frozenset(cohort.programme_id for cohort in cohorts),
    )


async def prolong(tx: Transaction, sign_in: SignIn, until: datetime) -> bool:
    """Lets an open sign-in last until then; False where it lasts about as long already, or was ended meanwhile."""
    if until - sign_in.expires_at < PROLONGED_BY_AT_LEAST:
        return False
    statement = (
        update(SignIn)
        .where(SignIn.id == sign_in.id, SignIn.ended_at.is_(None), SignIn.expires_at < until)
        .values(expires_at=until)
        .returning(SignIn.id)
    )
    return await tx.session.scalar(statement) is not None


async def end(tx: Transaction, sign_in_id: UUID, reason: str, now: datetime) -> bool:
    """Ends a sign-in; False where it was over already."""
    return bool(await _end(tx, SignIn.id == sign_in_id, reason, now))


async def end_of_account(tx: Transaction, account_id: UUID, reason: str, now: datetime) -> bool:
    """Ends the account's open sign-in; one that expired is ended as such. False where there was none."""
    return bool(await _end(tx, SignIn.account_id == account_id, reason, now))


async def is_open(tx: Transaction, sign_in_id: UUID, now: datetime) -> bool:
    """Whether the sign-in stands."""
    statement = select(SignIn.id).where(SignIn.id == sign_in_id, SignIn.ended_at.is_(None), SignIn.expires_at > now)
    return await tx.session.scalar(statement) is not None


async def ended_since(tx: Transaction, instant: datetime) -> list[UUID]:
    """The sign-ins that were ended from `instant` on."""
    return list((await tx.session.scalars(select(SignIn.id).where(SignIn.ended_at >= instant))).all())


async def _end(tx: Transaction, which: ColumnElement[bool], reason: str, now: datetime) -> list[UUID]:
    statement = (
        update(SignIn)
        .where(which, SignIn.ended_at.is_(None))
        .values(ended_at=now, end_reason=reason)
        .returning(SignIn.id, SignIn.account_id)
    )
    ended = (await tx.session.execute(statement)).all()
    for sign_in_id, account_id in ended:
        await tx.fact(SignInEnded(sign_in_id=sign_in_id, account_id=account_id))
        await tx.notify(ENDED_CHANNEL, str(sign_in_id))
    return [sign_in_id for sign_in_id, _ in ended]
