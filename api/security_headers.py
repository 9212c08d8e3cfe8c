"""Headers that every answer carries, whoever made it: added as it is sent, where the answer has none of its own."""

from typing import Any

from litestar.datastructures import MutableScopeHeaders
from litestar.types import Message, Scope

NO_SNIFFING = ("X-Content-Type-Options", "nosniff")
NOT_KEPT = ("Cache-Control", "no-store")
"""What the API tells is about persons, or for one alone: nothing on the way keeps it, nor does the browser's disk."""
KEPT_PATHS = ("/replay/",)


async def add_headers(message: Message, scope: Scope) -> None:
    """Litestar's `before_send` hook."""
    if message["type"] != "http.response.start":
        return
    headers = MutableScopeHeaders.from_message(message)
    headers.setdefault(*NO_SNIFFING)
    if _is_personal(scope):
        headers.setdefault(*NOT_KEPT)


def _is_personal(scope: Any) -> bool:
    path: str = scope["path"]
    return path.startswith("/api/") or (path.startswith(KEPT_PATHS) and scope.get("method") != "GET")
