"""Which origins (RFC 6454) are Lectern's own: that of `public_url`, and on one's own machine its other spelling.

Who opens http://localhost:8080 where http://127.0.0.1:8080 was meant is at the same server, in a secure context (W3C
Secure Contexts, 3.1), and no page from elsewhere can have that origin. Scheme and port stay what they are, and any
other public address has one spelling.
"""

from typing import Any
from urllib.parse import urlsplit

from litestar.connection import ASGIConnection

LOOPBACK_NAMES = ("127.0.0.1", "localhost")


def own_origins(public_url: str) -> tuple[str, ...]:
    """`public_url` first, then its other loopback spelling where it has one."""
    host = urlsplit(public_url).hostname
    if host not in LOOPBACK_NAMES:
        return (public_url,)
    (other,) = (name for name in LOOPBACK_NAMES if name != host)
    return (public_url, public_url.replace(f"://{host}", f"://{other}", 1))


def page_origin(connection: ASGIConnection[Any, Any, Any, Any], public_url: str) -> str:
    """Which of them the asking page is at: its player may fetch from there alone. `public_url` for what is no page."""
    origin = connection.headers.get("origin")
    return origin if origin in own_origins(public_url) else public_url
