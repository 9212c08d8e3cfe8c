"""The permission that a route declares: `opt=permit.action(Action.session_read)`, checked before its handler runs.

Rule: every route declares exactly one of `public`, `signed_in`, `action`, `token`; a route that declares none refuses
everybody, and fails `tests/house/test_permits.py`. The guard asks whether the account may do this anywhere at all; the
action asks `domain.permissions` again for the very thing (`require_for`), which the guard cannot know.
"""

from typing import Any

from litestar.connection import ASGIConnection
from litestar.handlers import BaseRouteHandler

from domain.permissions import Action, Grant, Reach, Scope, may_anywhere, reach, require, roster_grants
from domain.refusals import Refusal, RefusalCode
from storage.catalogue.sign_ins import Known

OPT = "permit"


def public(reason: str) -> dict[str, Any]:
    """Open to strangers; `reason` says why."""
    return {OPT: ("public", reason)}


def signed_in(reason: str) -> dict[str, Any]:
    """Open to whoever is signed in; `reason` says why no action is needed."""
    return {OPT: ("signed_in", reason)}


def action(needed: Action) -> dict[str, Any]:
    """Open to accounts with a grant that allows `needed` somewhere."""
    return {OPT: ("action", needed)}


def token(reason: str) -> dict[str, Any]:
    """Open to whoever has a valid playback token in the path; the handler checks it."""
    return {OPT: ("token", reason)}


def guard(connection: ASGIConnection[Any, Any, Any, Any], handler: BaseRouteHandler) -> None:
    """Litestar's guard for every route of the app. OPTIONS is answered by Litestar itself, and tells methods alone."""
    if connection.scope.get("method") == "OPTIONS":
        return
    kind, needed = handler.opt.get(OPT, ("undeclared", None))
    if kind in ("public", "token"):
        return
    known: Known | None = connection.user
    if known is None:
        raise Refusal(RefusalCode.not_signed_in)
    if kind == "signed_in":
        return
    if kind != "action" or not may_anywhere(grants_of(known), needed):
        raise Refusal(RefusalCode.not_permitted, action=str(needed))


def grants_of(known: Known) -> tuple[Grant, ...]:
    """All that the account may act by: what was granted, and what its rosters give."""
    return (*known.grants, *roster_grants(known.cohort_ids, known.programme_ids))


def reach_of(known: Known, needed: Action) -> Reach:
    """How far this account reaches with `needed`: what a list selects by."""
    return reach(grants_of(known), needed)


def require_for(known: Known, needed: Action, thing: Scope, *, own: bool = False) -> None:
    """Refusal("not_permitted") unless the account may do `needed` to this very thing."""
    require(grants_of(known), needed, thing, own)
