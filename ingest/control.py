"""Orders to a live session's owner: cut, resume, kick, end. Said twice, by signed HTTP and by the catalogue's NOTIFY,
so each is idempotent and the second changes nothing.

What an order means to the session's row has been written by whoever gives it, before it is sent; here it is carried
out on the media. After a connection to the catalogue was lost, `reconcile` reads from the rows what was missed.
"""

import json
from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import structlog

from domain.control import check
from domain.refusals import Refusal
from domain.states import SessionState
from ingest.hls.answers import Answer, Scope, Send, header, send
from ingest.lives import Lives
from ingest.rtmp.commands import DENIED
from storage.catalogue import sessions
from storage.catalogue.transaction import Catalogue

log = structlog.get_logger()

PREFIX = "/control/"
HEADER = b"lectern-control"
MAX_BODY_BYTES = 16 * 1024
COMMANDS = ("cut", "resume", "kick", "end")
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]

_TAKEN, _NOT_HERE = Answer(204, b""), Answer(404, b"This session is not live here.\n")


@dataclass(frozen=True, slots=True)
class Order:
    session_id: UUID
    command: str
    reason: str


class Control:
    """Carries orders out; `ended` is told of sessions that end without being here, so that their recordings
    complete.
    """

    def __init__(self, secret: bytes, lives: Lives, *, wall: Callable[[], datetime]) -> None:
        self._secret = secret
        self._lives = lives
        self._wall = wall

    def carry_out(self, order: Order) -> bool:
        """False when the session is not live here."""
        session = self._lives.find(order.session_id)
        if session is None:
            return False
        log.info("order", session=str(order.session_id), command=order.command, reason=order.reason)
        if order.command == "cut":
            session.cut()
        elif order.command == "resume":
            session.resume()
        elif order.command == "kick":
            if session.take:
                session.take.hang_up(DENIED, "This publish was ended by the reviewer.", "kicked")
        elif order.command == "end":
            self._lives.end(session, order.reason or "ended", DENIED, "This session is over.")
        return True

    def notified(self, payload: str) -> None:
        """An order by NOTIFY, `{"session_id", "command", …}`. One that cannot be read is logged."""
        try:
            fields = json.loads(payload)
            order = Order(UUID(fields["session_id"]), str(fields["command"]), str(fields.get("reason", "")))
        except (ValueError, KeyError, TypeError) as error:
            log.error("order_unreadable", error=str(error))
            return
        self.carry_out(order)

    async def reconcile(self, catalogue: Catalogue) -> None:
        """Brings every session here to what its row says. Raises CatalogueUnavailable."""
        here = list(self._lives.sessions)
        if not here:
            return
        async with catalogue.transaction() as tx:
            rows = await sessions.by_id(tx, here)
            states = {one: (row.state, row.end_reason or "ended") for one, row in rows.items()}
        for session_id, (state, reason) in states.items():
            command = {SessionState.cut: "cut", SessionState.live: "resume", SessionState.ended: "end"}.get(state)
            session = self._lives.find(session_id)
            if command is None or session is None or session.ended:
                continue
            if (command == "cut") != session.gate.is_cut or command == "end":
                self.carry_out(Order(session_id, command, reason))

    async def __call__(self, scope: Scope, receive: Receive, to: Send) -> None:
        """POST /control/sessions/{id}/{command} with {"reason"}, signed as `domain.control` says."""
        await send(await self._answer(scope, receive), to)

    async def _answer(self, scope: Scope, receive: Receive) -> Answer:
        pieces = scope["path"].split("/")
        if scope["method"] != "POST" or len(pieces) != 5 or pieces[2] != "sessions" or pieces[4] not in COMMANDS:
            return Answer(404, b"")
        body = await _body(receive)
        signature = (header(scope, HEADER) or b"").decode("latin-1")
        try:
            if body is None:
                return Answer(413, b"")
            check(self._secret, signature, "POST", scope["path"], body, now=self._wall())
            session_id = UUID(pieces[3])
            reason = str(json.loads(body or b"{}").get("reason", ""))
        except Refusal as refusal:
            return Answer(403, f"{refusal.code}\n".encode())
        except (ValueError, AttributeError):
            return Answer(400, b"")
        return _TAKEN if self.carry_out(Order(session_id, pieces[4], reason)) else _NOT_HERE


async def _body(receive: Receive) -> bytes | None:
    """The request's body; None when it is too long."""
    body = b""
    while True:
        message = await receive()
        piece: bytes = message.get("body", b"")
        body += piece
        if len(body) > MAX_BODY_BYTES:
            return None
        if not message.get("more_body"):
            return body
