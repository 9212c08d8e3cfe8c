"""WHIP where several nodes answer at one address: a publish stays with the process that took its offer.

The address that a browser is given for the rest of its publish says which process that is, signed, so that any node
passes candidates and the end on (RFC 9725 leaves the address to the server). A request is passed on once.
"""

import base64
import binascii
import hmac
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from ingest.hls.answers import NEVER, NOT_FOUND, Answer, Scope, Send, header, send
from ingest.nodes.passes import HEADER as PASSED_ON
from ingest.nodes.upstream import NodeUnreachable, Upstream
from ingest.whip import request

MARK = "~"
MAX_BODY_BYTES = 64 * 1024
BODY_SECONDS = 5.0
ANSWER_SECONDS = 10.0
_CONTEXT = b"lectern whip place 1 "
_MAC_BYTES = 12
_PASSED = (b"authorization", b"content-type", b"if-match")
_AWAY = Answer(503, b"The server of this publish does not answer.\n", headers=(NEVER, (b"retry-after", b"1")))
Mounted = Callable[[Scope, request.Receive, Send], Awaitable[None]]


class WhipDoor:
    """`inner` answers what is this process's; `url` is where other nodes reach it."""

    def __init__(self, inner: Mounted, upstream: Upstream, secret: bytes, *, url: str) -> None:
        self._inner = inner
        self._upstream = upstream
        self._secret = secret
        self._url = url

    async def __call__(self, scope: Scope, receive: request.Receive, to: Send) -> None:
        path, mark, place = scope["path"].partition(MARK)
        if not mark:
            await self._inner(scope, receive, self._placed(to))
            return
        url = self._read(place)
        if url == self._url:
            await self._inner({**scope, "path": path}, receive, to)
        elif url is None or header(scope, PASSED_ON) is not None:
            await send(NOT_FOUND, to)
        else:
            await send(await self._from(url, scope, receive), to)

    def _placed(self, to: Send) -> Send:
        """Adds this process's place to the address of a publish that begins."""

        async def placed(message: MutableMapping[str, Any]) -> None:
            if message["type"] == "http.response.start" and message["status"] == 201:
                place = b"%s%s" % (MARK.encode(), self._written(self._url).encode())
                headers = [
                    (name, value + place if name == b"location" else value) for name, value in message["headers"]
                ]
                message = {**message, "headers": headers}
            await to(message)

        return placed

    async def _from(self, url: str, scope: Scope, receive: request.Receive) -> Answer:
        try:
            body = await request.body(receive, MAX_BODY_BYTES, BODY_SECONDS)
            passed = [(name, value) for name in _PASSED if (value := header(scope, name)) is not None]
            reply = await self._upstream.ask(
                scope["method"],
                url,
                scope["path"],
                [*passed, (PASSED_ON, b"whip")],
                body.encode(),
                timeout_seconds=ANSWER_SECONDS,
            )
        except (NodeUnreachable, TimeoutError, request.ClientGone):
            return _AWAY
        return Answer(reply.status, reply.body, reply.headers.get(b"content-type", b"text/plain"))

    def _written(self, url: str) -> str:
        return base64.urlsafe_b64encode(self._mac(url) + url.encode()).decode().rstrip("=")

    def _read(self, place: str) -> str | None:
        """The address of the process that has the publish; None for what none of ours has written."""
        try:
            data = base64.urlsafe_b64decode(place + "=" * (-len(place) % 4))
            mac, url = data[:_MAC_BYTES], data[_MAC_BYTES:].decode()
        except (binascii.Error, ValueError):
            return None
        return url if hmac.compare_digest(mac, self._mac(url)) else None

    def _mac(self, url: str) -> bytes:
        return hmac.digest(self._secret, _CONTEXT + url.encode(), "sha256")[:_MAC_BYTES]
