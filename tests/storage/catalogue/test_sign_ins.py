"""An account has one open sign-in; what ends is told; who is unknown, over, expired or disabled is nobody."""

import asyncio
from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError

from domain.facts import SignInEnded, from_json
from domain.kinds import Role, ScopeKind
from domain.passwords import after_failure
from domain.permissions import Grant
from domain.refusals import Refusal, RefusalCode
from storage.catalogue import accounts, sign_ins
from storage.catalogue.sign_ins import ENDED_CHANNEL, NewSignIn
from storage.catalogue.tables.fact import FactRow
from storage.catalogue.tables.sign_in import SignIn
from storage.catalogue.transaction import Catalogue, Transaction
from tests.storage.catalogue.builders import NOON, place

pytestmark = pytest.mark.anyio


def new(account_id: UUID, token: bytes) -> NewSignIn:
    return NewSignIn(account_id, token.ljust(32, b"."), None, NOON + timedelta(hours=8), "10.0.0.1", "Firefox")


async def signed_in(catalogue: Catalogue, account_id: UUID, token: bytes) -> SignIn:
    async def fn(tx: Transaction) -> SignIn:
        return await sign_ins.start(tx, new(account_id, token), NOON)

    return await catalogue.run(fn)


async def find(catalogue: Catalogue, token: bytes, seconds: int = 0) -> sign_ins.Known | None:
    async with catalogue.transaction() as tx:
        return await sign_ins.find(tx, token.ljust(32, b"."), NOON + timedelta(seconds=seconds))


async def test_a_second_sign_in_ends_the_first_and_tells_it(catalogue: Catalogue) -> None:
    async with catalogue.transaction() as tx:
        at = await place(tx)
    first = await signed_in(catalogue, at.teacher_id, b"one")
    async with catalogue.listen([ENDED_CHANNEL]) as notes:
        second = await signed_in(catalogue, at.teacher_id, b"two")
        note = await asyncio.wait_for(anext(aiter(notes)), 10)
    assert note.payload == str(first.id)
    assert await find(catalogue, b"one") is None
    known = await find(catalogue, b"two")
    assert known is not None
    assert known.sign_in.id == second.id
    async with catalogue.transaction() as tx:
        told = [from_json(row.name, row.payload) for row in await tx.session.scalars(select(FactRow))]
        assert told == [SignInEnded(sign_in_id=first.id, account_id=at.teacher_id)]
        assert await sign_ins.ended_since(tx, NOON) == [first.id]
        assert not await sign_ins.is_open(tx, first.id, NOON)
        assert await sign_ins.is_open(tx, second.id, NOON)


async def test_many_sign_ins_at_once_leave_one_open(catalogue: Catalogue) -> None:
    async with catalogue.transaction() as tx:
        at = await place(tx)
    await asyncio.gather(*(signed_in(catalogue, at.teacher_id, str(n).encode()) for n in range(8)))
    async with catalogue.transaction() as tx:
        assert await tx.session.scalar(select(func.count()).where(SignIn.ended_at.is_(None))) == 1


async def test_an_expired_or_ended_sign_in_is_nobodys(catalogue: Catalogue) -> None:
    async with catalogue.transaction() as tx:
        at = await place(tx)
    made = await signed_in(catalogue, at.teacher_id, b"one")
    assert await find(catalogue, b"one", 8 * 3600 - 1) is not None
    assert await find(catalogue, b"one", 8 * 3600) is None
    assert await find(catalogue, b"other") is None
    async with catalogue.transaction() as tx:
        assert await sign_ins.end(tx, made.id, "signed_out", NOON)
        assert not await sign_ins.end(tx, made.id, "signed_out", NOON)
    assert await find(catalogue, b"one") is None


async def test_a_disabled_account_is_shut_out(catalogue: Catalogue) -> None:
    async with catalogue.transaction() as tx:
        at = await place(tx)
    await signed_in(catalogue, at.teacher_id, b"one")
    async with catalogue.transaction() as tx:
        await accounts.set_disabled(tx, at.teacher_id, NOON)
    assert await find(catalogue, b"one") is None
    with pytest.raises(Refusal) as caught:
        await signed_in(catalogue, at.teacher_id, b"two")
    assert caught.value.code == RefusalCode.account_disabled


async def test_a_cookie_brings_grants_and_rosters(catalogue: Catalogue) -> None:
    async with catalogue.transaction() as tx:
        at = await place(tx)
        given = Grant(Role.learner, ScopeKind.institute)
        assert await accounts.grant(tx, at.learner_id, given, at.teacher_id, NOON)
        assert not await accounts.grant(tx, at.learner_id, given, at.teacher_id, NOON), "held already"
    await signed_in(catalogue, at.learner_id, b"one")
    known = await find(catalogue, b"one")
    assert known is not None
    viewer = known.viewer()
    assert viewer.grants == (given,)
    assert viewer.cohort_ids == {at.cohort_id}
    assert viewer.programme_ids == {at.scope.programme_id}
    async with catalogue.transaction() as tx:
        assert await accounts.revoke(tx, at.learner_id, given)
        assert not await accounts.revoke(tx, at.learner_id, given)
        assert await accounts.grants_of(tx, at.learner_id) == ()


async def test_a_grant_of_the_institute_names_no_scope_and_others_do(catalogue: Catalogue) -> None:
    async with catalogue.transaction() as tx:
        at = await place(tx)

    async def grant_nonsense(tx: Transaction) -> None:
        await accounts.grant(tx, at.learner_id, Grant(Role.teacher, ScopeKind.cohort), None, NOON)

    with pytest.raises(IntegrityError):
        await catalogue.run(grant_nonsense)


async def test_logins_are_folded_and_one_of_a_kind(catalogue: Catalogue) -> None:
    async with catalogue.transaction() as tx:
        made = await accounts.add(tx, " Wang.Li ", "王丽", "hash")
        found = await accounts.by_login(tx, "WANG.LI")
        assert await accounts.by_login(tx, "wang") is None
        page = await accounts.listing(tx, q="王")
    assert found is not None
    assert found.id == made.id
    assert [row.id for row in page.items] == [made.id]

    async def add_again(tx: Transaction) -> None:
        await accounts.add(tx, "wang.li", "另一个", None)

    with pytest.raises(IntegrityError):
        await catalogue.run(add_again)


async def test_failed_attempts_are_kept_and_a_new_password_lifts_the_lock(catalogue: Catalogue) -> None:
    async with catalogue.transaction() as tx:
        at = await place(tx)
        for _ in range(5):
            account = await accounts.lock(tx, at.teacher_id)
            await accounts.save_attempts(tx, at.teacher_id, after_failure(account.failed_attempts, NOON))
    async with catalogue.transaction() as tx:
        account = await accounts.get(tx, at.teacher_id)
        assert account.failed_attempts == 5
        assert account.locked_until is not None
        await accounts.set_password(tx, at.teacher_id, "new")
    async with catalogue.transaction() as tx:
        account = await accounts.get(tx, at.teacher_id)
    assert (account.failed_attempts, account.locked_until) == (0, None)
    assert account.password_hash == "new"
