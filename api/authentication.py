"""Who asks: the middleware that turns the sign-in cookie into `request.user`, and refuses forged changes.

Litestar gives `connection.user` to guards and handlers: a `storage.catalogue.sign_ins.Known`, or None for a stranger.
Each use makes a sign-in last longer, at most once a minute, and never beyond its longest.
"""

from datetime import timedelta
from typing import Any

from litestar.connection import ASGIConnection
from litestar.middleware import AbstractAuthenticationMiddleware, AuthenticationResult

from api import permit
from api.own_origins import own_origins
from api.resources import Resources
from api.sign_in_cookie import COOKIE, CSRF_HEADER, csrf_matches, token_hash
from domain.refusals import Refusal, RefusalCode
from storage.catalogue import sign_ins
from storage.catalogue.sign_ins import Known

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


class SignInMiddleware(AbstractAuthenticationMiddleware):
    """Reads the cookie, finds its sign-in, checks origin and CSRF token of whatever changes something."""

    async def authenticate_request(self, connection: ASGIConnection[Any, Any, Any, Any]) -> AuthenticationResult:
        """A stranger is no error here: the route's permit decides. Refusal("csrf_failed") for a forged change.

        The origin is asked of strangers too, so that no foreign page signs its visitor in to an account of its own.
        """
        resources: Resources = connection.app.state.resources
        changes = connection.scope.get("method", "GET") not in SAFE_METHODS
        if changes:
            require_own_origin(resources, connection)
        token = connection.cookies.get(COOKIE)
        if not token or (not changes and _asks_nobody(connection)):
            return AuthenticationResult(user=None, auth=None)
        known = await _find(resources, token)
        if known is not None and changes:
            require_csrf(resources, connection, token)
        return AuthenticationResult(user=known, auth=token)


def require_own_origin(resources: Resources, connection: ASGIConnection[Any, Any, Any, Any]) -> None:
    """Refusal("csrf_failed") for a page of another origin, or of none (`null`). What is no browser names none."""
    origin = connection.headers.get("origin")
    if origin is not None and origin not in own_origins(resources.settings.public_url):
        raise Refusal(RefusalCode.csrf_failed, origin=origin, expected=resources.settings.public_url)


def require_csrf(resources: Resources, connection: ASGIConnection[Any, Any, Any, Any], token: str) -> None:
    """Refusal("csrf_failed") unless the request names this sign-in's CSRF token."""
    if not csrf_matches(resources.keys.csrf, token, connection.headers.get(CSRF_HEADER, "")):
        raise Refusal(RefusalCode.csrf_failed)


async def _find(resources: Resources, token: str) -> Known | None:
    now, settings = resources.clock(), resources.settings
    async with resources.catalogue.transaction() as tx:
        known: Known | None = await sign_ins.find(tx, token_hash(token), now)
        if known is not None:
            idle, longest = settings.sign_in_idle_seconds, settings.sign_in_longest_seconds
            until = min(now + timedelta(seconds=idle), known.sign_in.created_at + timedelta(seconds=longest))
            await sign_ins.prolong(tx, known.sign_in, until)
    return known


def _asks_nobody(connection: ASGIConnection[Any, Any, Any, Any]) -> bool:
    """Whether the route does not care who asks, as the pages and their pictures do not."""
    handler = connection.scope.get("route_handler")
    return handler is not None and handler.opt.get(permit.OPT, ("undeclared",))[0] in ("public", "token")
