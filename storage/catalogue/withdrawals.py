"""What persons were given to watch a session by, taken back: told at once on a channel, and kept for who did not hear.

A token tells when it was issued, so what is withdrawn never has to be given back: who is let in again gets a new one.
"""

import json
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import select, update

from domain.playback_token import Withdrawal
from domain.refusals import Refusal, RefusalCode
from storage.catalogue.tables.playback_withdrawal import PlaybackWithdrawal
from storage.catalogue.transaction import Transaction

CHANNEL = "playback_withdrawn"
CLOCKS_APART = timedelta(seconds=2)
"""Tokens are issued by the clocks of several processes: one that another issued just before must not outlive this."""


async def withdraw(
    tx: Transaction,
    session_id: UUID,
    account_id: UUID,
    now: datetime,
    *,
    previews_only: bool = False,
    bars: bool = False,
) -> None:
    """Takes it back, at the commit; `bars`: nothing more is given until `readmit`."""
    if bars and await is_barred(tx, session_id, account_id):
        return
    row = PlaybackWithdrawal(
        session_id=session_id, account_id=account_id, previews_only=previews_only, withdrawn_at=now, bars=bars
    )
    tx.session.add(row)
    await tx.session.flush()
    said = {
        "session_id": str(session_id),
        "account_id": str(account_id),
        "until": (now + CLOCKS_APART).isoformat(),
        "previews_only": previews_only,
    }
    await tx.notify(CHANNEL, json.dumps(said, sort_keys=True))


async def readmit(tx: Transaction, session_id: UUID, account_id: UUID) -> bool:
    """The person may be given something again; False where nothing stood against it."""
    statement = (
        update(PlaybackWithdrawal)
        .where(
            PlaybackWithdrawal.session_id == session_id,
            PlaybackWithdrawal.account_id == account_id,
            PlaybackWithdrawal.bars,
        )
        .values(bars=False)
        .returning(PlaybackWithdrawal.id)
    )
    return await tx.session.scalar(statement) is not None


async def is_barred(tx: Transaction, session_id: UUID, account_id: UUID) -> bool:
    """Whether the person was sent away from the session."""
    return account_id in await barred(tx, session_id, account_id)


async def require_not_barred(tx: Transaction, session_id: UUID, account_id: UUID) -> None:
    """Refusal("viewer_removed") for whoever was sent away from the session."""
    if await is_barred(tx, session_id, account_id):
        raise Refusal(RefusalCode.viewer_removed)


async def barred(tx: Transaction, session_id: UUID, account_id: UUID | None = None) -> dict[UUID, datetime]:
    """Who was sent away from the session, and when; `account_id` asks for one person alone."""
    statement = select(PlaybackWithdrawal).where(PlaybackWithdrawal.session_id == session_id, PlaybackWithdrawal.bars)
    if account_id is not None:
        statement = statement.where(PlaybackWithdrawal.account_id == account_id)
    return {row.account_id: row.withdrawn_at for row in await tx.session.scalars(statement)}


async def since(tx: Transaction, instant: datetime) -> list[Withdrawal]:
    """What was withdrawn from `instant` on."""
    rows = await tx.session.scalars(select(PlaybackWithdrawal).where(PlaybackWithdrawal.withdrawn_at >= instant))
    return [
        Withdrawal(row.session_id, row.account_id, row.withdrawn_at + CLOCKS_APART, row.previews_only) for row in rows
    ]


def heard(payload: str) -> Withdrawal:
    """What the channel says. Raises ValueError, KeyError, TypeError."""
    said = json.loads(payload)
    until = datetime.fromisoformat(said["until"])
    return Withdrawal(UUID(said["session_id"]), UUID(said["account_id"]), until, bool(said["previews_only"]))
