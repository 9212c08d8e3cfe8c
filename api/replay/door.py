"""Stands before the whole application where nginx sends the bytes: names a replay's piece to nginx for a viewer who was
let in a moment ago. An application's router costs ten times what the answer does, and a class asks for nothing else.

Rule: it answers only what `Viewing` found within the last second and would say again; the first request in that time,
each refusal and everything else is the application's, by the very same memory.
"""

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from api.by_nginx import HEADER
from api.object_bytes import IMMUTABLE
from api.replay import pieces
from api.replay.viewing import Viewing

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Any]]
Send = Callable[[Any], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]

# The empty body's length keeps nginx's connection to us open.
_HEAD = [
    (b"content-type", pieces.MEDIA_TYPE.encode()),
    (b"content-length", b"0"),
    *((name.lower().encode(), value.encode()) for name, value in IMMUTABLE.items()),
]
_BODY = {"type": "http.response.body", "body": b"", "more_body": False}
_REDIRECT = HEADER.lower().encode()


class ReplayDoor:
    """The ASGI callable; `viewing` is that of `behind`, the application."""

    def __init__(self, behind: Application, viewing: Viewing) -> None:
        self._behind = behind
        self._viewing = viewing

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        place = self._place(scope) if scope["type"] == "http" else None
        if place is None:
            await self._behind(scope, receive, send)
            return
        headers = [*_HEAD, (_REDIRECT, place.encode())]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send(_BODY)

    def _place(self, scope: Scope) -> str | None:
        """Where nginx finds what is asked for; None where that is not known at once."""
        pieces_of_path = scope["path"].split("/")
        if len(pieces_of_path) != 6 or scope["method"] not in ("GET", "HEAD"):
            return None
        _, door, recording, token, rendition, name = pieces_of_path
        index = self._viewing.known(recording, token) if door == "replay" else None
        piece = pieces.find(index, rendition, name) if index is not None else None
        if piece is None:
            return None
        resources = self._viewing.resources
        return resources.by_nginx.known(piece.key, piece.stretch, resources.clock())
