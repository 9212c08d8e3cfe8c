"""A WHIP request as read from ASGI: its key, its body within limits, its media type."""

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from domain.refusals import Refusal, RefusalCode
from ingest.hls.answers import Scope, header

Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
MAX_TEXT_CHARACTERS = 200


class ClientGone(Exception):  # noqa: N818 - not a fault
    """The client hung up before its request was whole: there is nobody to answer."""


def text(scope: Scope, name: bytes) -> str:
    """A header, or ""."""
    return (header(scope, name) or b"").decode("latin-1").strip()


def media_type(scope: Scope) -> bytes:
    """The content type without its parameters, in small letters."""
    return (header(scope, b"content-type") or b"").partition(b";")[0].strip().lower()


def bearer(scope: Scope) -> str | None:
    """The key of `Authorization: Bearer KEY` (RFC 6750 §2.1); None without one."""
    scheme, _, key = text(scope, b"authorization").partition(" ")
    return key.strip() or None if scheme.lower() == "bearer" else None


def encoder(scope: Scope) -> str:
    """What the client calls itself."""
    return text(scope, b"user-agent")[:MAX_TEXT_CHARACTERS]


def address(scope: Scope) -> str:
    """The client's IP address."""
    client = scope.get("client")
    return str(client[0]) if client else ""


async def body(receive: Receive, limit: int, seconds: float) -> str:
    """The body as text. Raises Refusal (too_large, invalid_input), TimeoutError, ClientGone."""
    content = bytearray()
    async with asyncio.timeout(seconds):
        while True:
            message = await receive()
            if message["type"] == "http.disconnect":
                raise ClientGone
            content += message.get("body", b"")
            if len(content) > limit:
                raise Refusal(RefusalCode.too_large, limit_bytes=limit)
            if not message.get("more_body"):
                break
    try:
        return content.decode()
    except UnicodeDecodeError:
        raise Refusal(RefusalCode.invalid_input) from None
