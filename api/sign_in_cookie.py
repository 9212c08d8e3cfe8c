"""The sign-in cookie and the CSRF token that goes with it.

The cookie is `__Host-`: Secure, HttpOnly, of this host alone (RFC 6265bis, 4.1.3.2); browsers keep it on
http://127.0.0.1 and localhost too, and on no other plain-HTTP origin. The catalogue has only the SHA-256 of its token.
The CSRF token is an HMAC of that, so that nothing needs to be stored to check it.
"""

import hashlib
import hmac
import secrets

from litestar.datastructures import Cookie

COOKIE = "__Host-lectern-sign-in"
CSRF_HEADER = "X-CSRF-Token"
TOKEN_BYTES = 32


def new_token() -> str:
    """A fresh token, 256 random bits."""
    return secrets.token_urlsafe(TOKEN_BYTES)


def token_hash(token: str) -> bytes:
    """What the catalogue keeps of a token."""
    return hashlib.sha256(token.encode()).digest()


def csrf_token(key: bytes, token: str) -> str:
    """The CSRF token of a sign-in, to be sent as X-CSRF-Token with every change."""
    return hmac.new(key, token_hash(token), hashlib.sha256).hexdigest()


def csrf_matches(key: bytes, token: str, sent: str) -> bool:
    """Whether `sent` is this sign-in's CSRF token, compared in constant time."""
    return hmac.compare_digest(csrf_token(key, token).encode(), sent.encode())


def cookie(token: str, max_age_seconds: int) -> Cookie:
    """The cookie that carries a token; empty with age 0 takes it away."""
    return Cookie(
        key=COOKIE, value=token, max_age=max_age_seconds, path="/", secure=True, httponly=True, samesite="lax"
    )
