"""HEAD wherever GET is (RFC 9110, 9.3.2): answered as GET would be, header for header, and no body sent.

Rule of this file: it stands before the routes, so that no route knows of HEAD and none can forget it. Whoever may not
GET may not HEAD; what only takes POST answers 405 to both. An answer costs what GET costs: link checkers and caches ask
so now and then, no player does.
"""

from typing import Any, cast

from litestar import Litestar
from litestar.datastructures import MutableScopeHeaders
from litestar.types import LifeSpanReceive, LifeSpanScope, LifeSpanSend, Message, Receive, Scope, Send


class HeadAsGet(Litestar):
    """The application, in which HEAD is GET without its body."""

    async def __call__(
        self, scope: Scope | LifeSpanScope, receive: Receive | LifeSpanReceive, send: Send | LifeSpanSend
    ) -> None:
        """The ASGI callable; the server's own `scope` stays as it is."""
        if cast(Any, scope).get("method") == "HEAD":
            await super().__call__(_as_get(scope), receive, _headers_alone(cast(Send, send)))
        else:
            await super().__call__(scope, receive, send)


async def allow_head(message: Message, _scope: Scope) -> None:
    """Litestar's `before_send` hook: whoever is told of GET is told of HEAD (RFC 9110, 10.2.1)."""
    if message["type"] != "http.response.start":
        return
    headers = MutableScopeHeaders.from_message(message)
    allowed = {one.strip() for one in headers.get("allow", "").split(",")}
    if "GET" in allowed:
        headers["Allow"] = ", ".join(sorted(allowed | {"HEAD"}))


def _as_get(scope: Any) -> Any:
    """The same request by GET. Range counts for GET alone (RFC 9110, 14.2), so HEAD tells of the whole."""
    return {**scope, "method": "GET", "headers": [one for one in scope["headers"] if one[0].lower() != b"range"]}


def _headers_alone(send: Send) -> Send:
    """Sends what begins an answer as it comes, then one empty body; the pieces of a long one go nowhere."""
    is_over = False

    async def send_headers(message: Message) -> None:
        nonlocal is_over
        if message["type"] != "http.response.body":
            await send(message)
        elif not is_over:
            is_over = True
            await send({"type": "http.response.body", "body": b"", "more_body": False})

    return send_headers
