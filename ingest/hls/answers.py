"""HTTP answers of the delivery, on bare ASGI: what every answer has in common, and byte ranges (RFC 9110 §14)."""

import re
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from dataclasses import dataclass
from functools import lru_cache
from http import HTTPStatus
from typing import Any, NamedTuple

Scope = MutableMapping[str, Any]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

Header = tuple[bytes, bytes]

_CORS: tuple[Header, ...] = (
    (b"access-control-allow-origin", b"*"),
    (b"access-control-expose-headers", b"content-length, content-range, date"),
)
IMMUTABLE: Header = (b"cache-control", b"public, max-age=31536000, immutable")
REVALIDATE: Header = (b"cache-control", b"no-cache")
SECOND: Header = (b"cache-control", b"public, max-age=1")
"""Of a playlist that was waited for: whoever asks for the same may have the same, at any time."""
NEVER: Header = (b"cache-control", b"no-store")

PLAYLIST = b"application/vnd.apple.mpegurl"
SEGMENT = b"video/iso.segment"
INIT = b"video/mp4"
_TEXT = b"text/plain; charset=utf-8"
_GZIP = re.compile(rb"(?:^|,)\s*gzip\s*(?:,|$|;\s*q=(?:1|0\.0*[1-9]))", re.IGNORECASE)
"""Named, and not with a weight of nothing."""


@dataclass(frozen=True, slots=True)
class Answer:
    """`body` is sent as it is; `content_type` and the headers say what it is."""

    status: int
    body: bytes
    content_type: bytes = _TEXT
    headers: tuple[Header, ...] = (NEVER,)


PREFLIGHT = Answer(
    204,
    b"",
    _TEXT,
    (
        (b"access-control-allow-methods", b"GET, HEAD, OPTIONS"),
        (b"access-control-allow-headers", b"range, if-none-match"),
        (b"access-control-max-age", b"86400"),
    ),
)
NOT_FOUND = Answer(404, b"There is no such thing here.\n")
FORBIDDEN = Answer(403, b"This address does not let you in.\n")
GONE_TOKEN = Answer(410, b"This address has expired.\n")
NOT_ALLOWED = Answer(405, b"Only GET and HEAD.\n", _TEXT, (NEVER, (b"allow", b"GET, HEAD, OPTIONS")))
TOO_LONG = Answer(503, b"What was asked for did not come in time.\n", _TEXT, (NEVER, (b"retry-after", b"1")))
STORE_AWAY = Answer(503, b"The store is away.\n", _TEXT, (NEVER, (b"retry-after", b"2")))


def bad_request(reason: str) -> Answer:
    return Answer(400, f"{reason}\n".encode())


class Stretch(NamedTuple):
    """What is sent of a resource that never changes, from `first` to before `end`: all, the one range that was asked
    for, or nothing.
    """

    status: int
    headers: tuple[Header, ...]
    first: int
    end: int


def stretch(length: int, wanted_range: bytes | None) -> Stretch:
    """Of a resource of so many bytes."""
    headers: tuple[Header, ...] = (IMMUTABLE, (b"accept-ranges", b"bytes"))
    span = _range(wanted_range, length) if wanted_range else None
    if span is None:
        return Stretch(200, headers, 0, length)
    first, last = span
    if first > last:
        return Stretch(416, (NEVER, (b"content-range", b"bytes */%d" % length)), 0, 0)
    shown = (b"content-range", b"bytes %d-%d/%d" % (first, last, length))
    return Stretch(206, (*headers, shown), first, last + 1)


def media(body: bytes, content_type: bytes, wanted_range: bytes | None) -> Answer:
    """A whole resource that never changes, or the one range of it that was asked for."""
    shown = stretch(len(body), wanted_range)
    return Answer(shown.status, body[shown.first : shown.end], content_type, shown.headers)


def playlist(body: bytes, *, gzip: bool, blocking: bool = False) -> Answer:
    """`blocking` where the request said what the playlist must show (RFC 8216bis 6.2.5.2)."""
    headers: tuple[Header, ...] = (SECOND if blocking else REVALIDATE, (b"vary", b"accept-encoding"))
    return Answer(200, body, PLAYLIST, (*headers, (b"content-encoding", b"gzip")) if gzip else headers)


def head(answer: Answer) -> bytes:
    """Status line and fields of an HTTP/1.1 answer, but for the date and the blank line (RFC 9112)."""
    return head_of(answer.status, answer.content_type, answer.headers, len(answer.body))


def head_of(status: int, content_type: bytes, headers: tuple[Header, ...], length: int) -> bytes:
    """The same of an answer whose body lies elsewhere."""
    return b"%bcontent-length: %d\r\n" % (_fields(status, content_type, headers), length)


@lru_cache(maxsize=256)
def _fields(status: int, content_type: bytes, headers: tuple[Header, ...]) -> bytes:
    lines = [b"HTTP/1.1 %d %b" % (status, HTTPStatus(status).phrase.encode()), b"content-type: " + content_type]
    lines += [b"%b: %b" % field for field in (*_CORS, *headers)]
    return b"\r\n".join(lines) + b"\r\n"


async def send(answer: Answer, to: Send, *, head: bool = False) -> None:
    headers = [
        (b"content-type", answer.content_type),
        (b"content-length", b"%d" % len(answer.body)),
        *_CORS,
        *answer.headers,
    ]
    await to({"type": "http.response.start", "status": answer.status, "headers": headers})
    await to({"type": "http.response.body", "body": b"" if head else answer.body})


def header(scope: Scope, name: bytes) -> bytes | None:
    """A request's header; ASGI has their names in small letters."""
    value: bytes
    for key, value in scope["headers"]:
        if key == name:
            return value
    return None


def takes_gzip(headers: Iterable[Header]) -> bool:
    """By the request's Accept-Encoding (RFC 9110 12.5.3); one that says nothing of gzip does not take it."""
    return any(_GZIP.search(value) is not None for name, value in headers if name == b"accept-encoding")


def _range(text: bytes, length: int) -> tuple[int, int] | None:
    """First and last byte of a single range, both included; first > last when it cannot be had; None: not one of
    ours.
    """
    unit, _, spec = text.partition(b"=")
    first, dash, last = spec.strip().partition(b"-")
    if unit.strip().lower() != b"bytes" or not dash or b"," in spec:
        return None  # RFC 9110 §14.2: a range that is not understood is passed over
    if not (first.isdigit() or first == b"") or not (last.isdigit() or last == b"") or (first == last == b""):
        return None
    if len(first) > 18 or len(last) > 18:
        return 1, 0
    if first == b"":
        wanted = int(last)
        return (max(0, length - wanted), length - 1) if wanted else (1, 0)
    start = int(first)
    end = min(int(last), length - 1) if last else length - 1
    if last and int(last) < start:
        return None
    return (start, end) if start < length else (1, 0)
