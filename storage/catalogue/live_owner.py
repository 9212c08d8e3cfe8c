"""Who owns a live session. Only the newest owner may begin takes or change the session: `check` is that fence.

The epoch only grows: a claim raises it, whoever claims, so that a node that was cut off and comes back with its old
epoch is refused by the catalogue, whatever it believes.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert

from domain.states import SessionState
from storage.catalogue.faults import StaleOwner
from storage.catalogue.tables.live_owner import LiveOwner
from storage.catalogue.tables.session import Session
from storage.catalogue.transaction import Transaction


@dataclass(frozen=True, slots=True)
class Owner:
    """The owner of a live session, as a forwarder or the API needs it."""

    session_id: UUID
    epoch: int
    node: str
    control_url: str
    since: datetime


async def claim(tx: Transaction, session_id: UUID, node: str, control_url: str, now: datetime) -> int:
    """Makes `node` the session's owner and returns its epoch. Whoever owned it until now is refused from here on."""
    values = {"node": node, "control_url": control_url, "since": now}
    statement = (
        insert(LiveOwner)
        .values(session_id=session_id, epoch=1, **values)
        .on_conflict_do_update(index_elements=["session_id"], set_={**values, "epoch": LiveOwner.epoch + 1})
        .returning(LiveOwner.epoch)
    )
    return (await tx.session.scalars(statement)).one()


async def check(tx: Transaction, session_id: UUID, epoch: int) -> None:
    """Holds the owner's row to the transaction's end; StaleOwner unless `epoch` is the newest."""
    statement = select(LiveOwner.epoch).where(LiveOwner.session_id == session_id).with_for_update(read=True)
    current = await tx.session.scalar(statement)
    if current != epoch:
        raise StaleOwner(session_id, epoch, current)


async def find(tx: Transaction, session_id: UUID) -> Owner | None:
    """The newest owner; None where the session never went live."""
    row = await tx.session.get(LiveOwner, session_id, populate_existing=True)
    return None if row is None else Owner(row.session_id, row.epoch, row.node, row.control_url, row.since)


async def epochs(tx: Transaction, session_ids: Collection[UUID]) -> dict[UUID, int]:
    """The newest epochs of these sessions: by them a node learns of which it is the owner no more."""
    statement = select(LiveOwner.session_id, LiveOwner.epoch).where(LiveOwner.session_id.in_(session_ids))
    return {row.session_id: row.epoch for row in await tx.session.execute(statement)}


async def answers_at(tx: Transaction, node: str, control_url: str) -> None:
    """`node` is reached there from now on, by whoever wants a session of its own."""
    await tx.session.execute(
        update(LiveOwner)
        .where(LiveOwner.node == node, LiveOwner.control_url != control_url)
        .values(control_url=control_url)
    )


async def owned_by(tx: Transaction, node: str) -> list[Owner]:
    """The sessions under way that `node` owns: what it takes up again after a restart."""
    statement = (
        select(LiveOwner)
        .join(Session, Session.id == LiveOwner.session_id)
        .where(LiveOwner.node == node, Session.state.in_((SessionState.scheduled, SessionState.live, SessionState.cut)))
    )
    rows = (await tx.session.scalars(statement)).all()
    return [Owner(row.session_id, row.epoch, row.node, row.control_url, row.since) for row in rows]
