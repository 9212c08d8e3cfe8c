"""What persons were given to watch a session by, taken back: told at once on a channel, and kept for who did not hear.

A token tells when it was issued, so what is withdrawn never has to be given back: who is let in again gets a new one.
Of a class that is purged it is taken back from everybody: whatever shows it yet from its memory, the class's own node
and others, shows it no more.
"""

import json
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import select, update

from domain.playback_token import Withdrawal
from domain.refusals import Refusal, RefusalCode
from storage.catalogue.evidence import GONE
from storage.catalogue.tables.playback_withdrawal import PlaybackWithdrawal
from storage.catalogue.tables.recording import Recording
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
    await _tell(tx, Withdrawal(session_id, account_id, now + CLOCKS_APART, previews_only))


async def withdraw_all(tx: Transaction, recording: Recording) -> None:
    """Takes it back from everybody, at the commit: the recording is purged from here on, and its row tells it to who
    did not hear. It was marked after its class was over, and nobody was given anything since.
    """
    await _tell(tx, _from_all(recording))


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
    told = [
        Withdrawal(row.session_id, row.account_id, row.withdrawn_at + CLOCKS_APART, row.previews_only) for row in rows
    ]
    gone = select(Recording).where(Recording.state.in_(GONE), Recording.marked_at >= instant)
    return told + [_from_all(recording) for recording in await tx.session.scalars(gone)]


def heard(payload: str) -> Withdrawal:
    """What the channel says. Raises ValueError, KeyError, TypeError."""
    said = json.loads(payload)
    until, account = datetime.fromisoformat(said["until"]), said["account_id"]
    account_id = None if account is None else UUID(account)
    return Withdrawal(UUID(said["session_id"]), account_id, until, bool(said["previews_only"]))


def _from_all(recording: Recording) -> Withdrawal:
    if recording.marked_at is None:
        raise ValueError("what was never marked is not purged")
    return Withdrawal(recording.session_id, None, recording.marked_at + CLOCKS_APART)


async def _tell(tx: Transaction, told: Withdrawal) -> None:
    said = {
        "session_id": str(told.session_id),
        "account_id": None if told.account_id is None else str(told.account_id),
        "until": told.until.isoformat(),
        "previews_only": told.previews_only,
    }
    await tx.notify(CHANNEL, json.dumps(said, sort_keys=True))
