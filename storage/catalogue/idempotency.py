"""Idempotency keys: a creating request that comes again gets the first one's answer, and makes nothing new.

`begin` waits for a first request that is still at work (the row's unique key makes it queue) and is part of the same
transaction as what the request makes, so that an answer is kept exactly when the thing was made.
"""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import delete, select, update
from sqlalchemy.dialects.postgresql import insert

from domain.refusals import Refusal, RefusalCode
from storage.catalogue.tables.idempotency_key import IdempotencyKey
from storage.catalogue.transaction import Transaction

LONGEST_KEY = 200


@dataclass(frozen=True, slots=True)
class Answer:
    """What the first request was answered."""

    status: int
    body: bytes


async def begin(tx: Transaction, account_id: UUID, key: str, request_sha256: bytes, now: datetime) -> Answer | None:
    """None where the request is the first with this key: it goes on and calls `finish`. Else the first one's answer.

    Refusal("idempotency_conflict") where the key came with another request before.
    """
    if not 0 < len(key) <= LONGEST_KEY:
        raise Refusal(RefusalCode.invalid_input, field="Idempotency-Key", max_characters=LONGEST_KEY)
    statement = (
        insert(IdempotencyKey)
        .values(account_id=account_id, key=key, request_sha256=request_sha256, created_at=now)
        .on_conflict_do_nothing()
        .returning(IdempotencyKey.key)
    )
    if await tx.session.scalar(statement) is not None:
        return None
    row = await tx.session.get_one(IdempotencyKey, (account_id, key), populate_existing=True)
    if row.request_sha256 != request_sha256 or row.status is None or row.body is None:
        raise Refusal(RefusalCode.idempotency_conflict)
    return Answer(row.status, row.body)


async def finish(tx: Transaction, account_id: UUID, key: str, status: int, body: bytes) -> None:
    """Keeps the answer."""
    statement = update(IdempotencyKey).where(IdempotencyKey.account_id == account_id, IdempotencyKey.key == key)
    await tx.session.execute(statement.values(status=status, body=body))


async def forget(tx: Transaction, before: datetime, limit: int = 10_000) -> int:
    """Removes answers older than `before`; returns how many."""
    old = select(IdempotencyKey.account_id, IdempotencyKey.key).where(IdempotencyKey.created_at < before).limit(limit)
    rows = (await tx.session.execute(old)).all()
    for row in rows:
        which = (IdempotencyKey.account_id == row.account_id, IdempotencyKey.key == row.key)
        await tx.session.execute(delete(IdempotencyKey).where(*which))
    return len(rows)
