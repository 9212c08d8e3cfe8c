"""Who asks: the middleware that turns the sign-in cookie into `request.user`, and refuses forged changes.

Litestar gives `connection.user` to guards and handlers: a `storage.catalogue.sign_ins.Known`, or None for a stranger.
"""

from typing import Any

from litestar.connection import ASGIConnection
from litestar.middleware import AbstractAuthenticationMiddleware, AuthenticationResult

from api.resources import Resources
from api.sign_in_cookie import COOKIE, CSRF_HEADER, csrf_matches, token_hash
from domain.refusals import Refusal, RefusalCode
from storage.catalogue import sign_ins
from storage.catalogue.sign_ins import Known

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


class SignInMiddleware(AbstractAuthenticationMiddleware):
    """Reads the cookie, finds its sign-in, checks the CSRF token of whatever changes something."""

    async def authenticate_request(self, connection: ASGIConnection[Any, Any, Any, Any]) -> AuthenticationResult:
        """A stranger is no error here: the route's permit decides. Refusal("csrf_failed") for a forged change."""
        token = connection.cookies.get(COOKIE)
        if not token:
            return AuthenticationResult(user=None, auth=None)
        resources: Resources = connection.app.state.resources
        async with resources.catalogue.transaction() as tx:
            known: Known | None = await sign_ins.find(tx, token_hash(token), resources.clock())
        if known is not None and connection.scope.get("method", "GET") not in SAFE_METHODS:
            require_csrf(resources, connection, token)
        return AuthenticationResult(user=known, auth=token)


def require_csrf(resources: Resources, connection: ASGIConnection[Any, Any, Any, Any], token: str) -> None:
    """Refusal("csrf_failed") unless the request names this sign-in's CSRF token and no foreign origin."""
    origin = connection.headers.get("origin")
    if origin is not None and origin != resources.settings.public_url:
        raise Refusal(RefusalCode.csrf_failed, origin=origin)
    if not csrf_matches(resources.keys.csrf, token, connection.headers.get(CSRF_HEADER, "")):
        raise Refusal(RefusalCode.csrf_failed)
