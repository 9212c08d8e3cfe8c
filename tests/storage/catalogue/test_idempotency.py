"""The same creating request makes one thing, though it comes twice at once; another one under its key is refused."""

import asyncio
from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import func, select

from domain.refusals import Refusal, RefusalCode
from storage.catalogue import idempotency
from storage.catalogue.idempotency import Answer
from storage.catalogue.tables.department import Department
from storage.catalogue.transaction import Catalogue, Transaction
from tests.storage.catalogue.builders import NOON, place

pytestmark = pytest.mark.anyio


async def create(catalogue: Catalogue, account_id: UUID, key: str = "k", request: bytes = b"r" * 32) -> Answer:
    async def fn(tx: Transaction) -> Answer:
        answered = await idempotency.begin(tx, account_id, key, request, NOON)
        if answered is not None:
            return answered
        made = Department(slug=f"made-{key}", name_zh="", name_en="")
        tx.session.add(made)
        await tx.session.flush()
        answer = Answer(201, str(made.id).encode())
        await idempotency.finish(tx, account_id, key, answer.status, answer.body)
        return answer

    return await catalogue.run(fn)


async def test_the_same_request_at_once_makes_one_thing_and_gets_one_answer(catalogue: Catalogue) -> None:
    async with catalogue.transaction() as tx:
        at = await place(tx)
    answers = await asyncio.gather(*(create(catalogue, at.teacher_id) for _ in range(6)))
    assert len(set(answers)) == 1
    async with catalogue.transaction() as tx:
        made = select(func.count()).where(Department.slug.startswith("made-"))
        assert await tx.session.scalar(made) == 1


async def test_another_request_under_the_key_is_refused(catalogue: Catalogue) -> None:
    async with catalogue.transaction() as tx:
        at = await place(tx)
    await create(catalogue, at.teacher_id)
    with pytest.raises(Refusal) as caught:
        await create(catalogue, at.teacher_id, request=b"x" * 32)
    assert caught.value.code == RefusalCode.idempotency_conflict


async def test_a_key_is_an_accounts_own_and_a_failed_request_leaves_it_free(catalogue: Catalogue) -> None:
    async with catalogue.transaction() as tx:
        at = await place(tx)

    async def fail(tx: Transaction) -> None:
        assert await idempotency.begin(tx, at.teacher_id, "k", b"r" * 32, NOON) is None
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await catalogue.run(fail)
    await create(catalogue, at.teacher_id)
    async with catalogue.transaction() as tx:
        assert await idempotency.begin(tx, at.learner_id, "k", b"x" * 32, NOON) is None
        assert await idempotency.forget(tx, NOON) == 0
        assert await idempotency.forget(tx, NOON + timedelta(seconds=1)) == 2
        assert await idempotency.begin(tx, at.teacher_id, "k", b"x" * 32, NOON) is None


@pytest.mark.parametrize("key", ["", "k" * 201])
async def test_a_key_without_sense_is_refused(catalogue: Catalogue, key: str) -> None:
    async with catalogue.transaction() as tx:
        at = await place(tx)
        with pytest.raises(Refusal, match="invalid_input"):
            await idempotency.begin(tx, at.teacher_id, key, b"r" * 32, NOON)
