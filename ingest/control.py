"""The two ways on which orders reach a live session's owner: signed HTTP, and the catalogue's NOTIFY. Both may fail,
and both say everything; `orders.py` sees to that. What neither brought is read from the rows (`orders.reconcile`).
"""

import json
from collections.abc import Awaitable, Callable, MutableMapping
from datetime import datetime
from typing import Any
from uuid import UUID

import structlog

from domain.control import check
from domain.refusals import Refusal
from ingest.hls.answers import Answer, Scope, Send, header, send
from ingest.lives import Lives
from ingest.orders import COMMANDS, Order, carry_out

log = structlog.get_logger()

PREFIX = "/control/"
HEADER = b"lectern-control"
MAX_BODY_BYTES = 16 * 1024
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]

_TAKEN, _NOT_HERE = Answer(204, b""), Answer(404, b"This session is not live here.\n")


class Control:
    def __init__(self, secret: bytes, lives: Lives, *, wall: Callable[[], datetime]) -> None:
        self._secret = secret
        self._lives = lives
        self._wall = wall

    def notified(self, payload: str) -> None:
        """An order by NOTIFY, `{"session_id", "command", "number", …}`. One that cannot be read is logged."""
        try:
            fields = json.loads(payload)
            order = _order(UUID(fields["session_id"]), str(fields["command"]), fields)
        except (ValueError, KeyError, TypeError) as error:
            log.error("order_unreadable", error=str(error))
            return
        carry_out(self._lives, order)

    async def __call__(self, scope: Scope, receive: Receive, to: Send) -> None:
        """POST /control/sessions/{id}/{command} with {"number", "reason"}, signed as `domain.control` says."""
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
            order = _order(UUID(pieces[3]), pieces[4], json.loads(body))
        except Refusal as refusal:
            return Answer(403, f"{refusal.code}\n".encode())
        except (ValueError, KeyError, TypeError):
            return Answer(400, b"")
        return _TAKEN if carry_out(self._lives, order) else _NOT_HERE


def _order(session_id: UUID, command: str, fields: dict[str, Any]) -> Order:
    """Raises KeyError, TypeError, ValueError."""
    return Order(session_id, command, str(fields.get("reason", "")), int(fields["number"]))


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
