"""What people say to a live session, carried out on its media: cut, resume, kick, end.

Rule of this file: of two orders the newer counts, however they come. Each is numbered by the version that its session's
row has with it, so one that was overtaken on its way, said twice or played back by a stranger changes nothing, and a
row that was read before the newest order is passed over. What an order means to the row was written before it is sent.
"""

from collections.abc import Collection
from dataclasses import dataclass
from functools import partial
from uuid import UUID

import structlog

from domain.broadcast_delay import SILENCE_SECONDS
from domain.states import SessionState
from ingest.live_session import LiveSession
from ingest.lives import Lives
from ingest.rtmp.commands import DENIED
from storage.catalogue import sessions
from storage.catalogue.tables.session import Session
from storage.catalogue.transaction import Catalogue

log = structlog.get_logger()

COMMANDS = ("cut", "resume", "kick", "end")
_AS_ROWS_SAY = {SessionState.cut: "cut", SessionState.live: "resume", SessionState.ended: "end"}


@dataclass(frozen=True, slots=True)
class Order:
    """`number` is the version that the session's row has with it."""

    session_id: UUID
    command: str
    reason: str
    number: int


def carry_out(lives: Lives, order: Order) -> bool:
    """False when the session is not live here."""
    session = lives.find(order.session_id)
    if session is None:
        return False
    newest = session.kicked if order.command == "kick" else session.obeyed
    if order.number <= newest:
        return True
    log.info("order", session=str(order.session_id), command=order.command, reason=order.reason, number=order.number)
    if order.command == "kick":
        session.kicked = order.number
    else:
        session.obeyed = order.number
    _do(session, order.command, order.reason)
    return True


async def reconcile(catalogue: Catalogue, lives: Lives, of: Collection[UUID] | None = None) -> None:
    """Brings sessions here (all, or these) to what their rows say; which proves that a cut would have been heard.

    Raises CatalogueUnavailable.
    """
    here = list(lives.sessions) if of is None else list(of)
    if not here:
        return
    asked_at = lives.clock()
    async with catalogue.glance() as tx:
        rows = await sessions.by_id(tx, here)
    for session_id, row in rows.items():
        session = lives.find(session_id)
        if session is None or session.ended or row.version < session.obeyed:
            continue
        if lives.guard.run("obey", partial(_obey, session, row), of=session_id):
            session.gate.trust(asked_at + SILENCE_SECONDS)


def reviewed(lives: Lives) -> list[UUID]:
    """The sessions here whose gates freeze unless their rows are read again and again."""
    return [one.facts.session_id for one in lives.sessions.values() if one.facts.reviewed and not one.ended]


def _obey(session: LiveSession, row: Session) -> None:
    session.obeyed = row.version
    command = _AS_ROWS_SAY.get(row.state)
    if command == "end" and session.ending:
        return
    if command == "end" or (command is not None and (command == "cut") != session.gate.is_cut):
        log.info("order_by_row", session=str(row.id), command=command, number=row.version)
        _do(session, command, row.end_reason or "")


def _do(session: LiveSession, command: str, reason: str) -> None:
    if command == "cut":
        session.cut()
    elif command == "resume":
        session.resume()
    elif command == "end":
        session.end(reason or "ended", DENIED, "This session is over.")
    elif session.take:
        session.take.hang_up(DENIED, "This publish was ended by the reviewer.", "kicked")
