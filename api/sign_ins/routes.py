"""/api/v1/sign-ins: begin, see and end one's own sign-in."""

from typing import Any

from litestar import Request, Response, delete, get, post

from api import permit
from api.resources import Resources
from api.sign_in_cookie import cookie
from api.sign_ins.actions import Visitor, csrf_of, sign_in, sign_out
from api.sign_ins.schemas import Credentials, GrantShape, OwnAccount, SignInShape
from domain.permissions import Action, may_anywhere
from storage.catalogue.sign_ins import Known


@post("/sign-ins", opt=permit.public("how a stranger becomes known"))
async def begin(request: Request[Any, Any, Any], resources: Resources, data: Credentials) -> Response[SignInShape]:
    """Sign in with login and password. The account's other sign-in ends."""
    started = await sign_in(resources, data, visitor(request))
    shape = _shape(resources, started.known, started.token)
    return Response(shape, cookies=[cookie(started.token, resources.settings.sign_in_longest_seconds)])


@get("/sign-ins/current", opt=permit.signed_in("one's own sign-in"))
async def current(request: Request[Any, Any, Any], resources: Resources, known: Known) -> SignInShape:
    """The sign-in that the cookie belongs to."""
    return _shape(resources, known, request.auth)


@delete("/sign-ins/current", status_code=204, opt=permit.signed_in("one's own sign-in"))
async def end(request: Request[Any, Any, Any], resources: Resources, known: Known) -> Response[None]:
    """Sign out. Playback tokens of this sign-in stop working within 2 s."""
    await sign_out(resources, known, visitor(request))
    return Response(None, status_code=204, cookies=[cookie("", 0)])


def visitor(request: Request[Any, Any, Any]) -> Visitor:
    """Where a request comes from; behind nginx the server has put the real address into `client`."""
    address = request.client.host if request.client else "unknown"
    return Visitor(address, request.headers.get("user-agent", ""))


def _shape(resources: Resources, known: Known, token: str) -> SignInShape:
    account, grants = known.account, permit.grants_of(known)
    return SignInShape(
        id=known.sign_in.id,
        account=OwnAccount(account.id, account.login, account.display_name),
        grants=[GrantShape(one.role, one.scope_kind, one.scope_id) for one in grants],
        may=[one for one in Action if may_anywhere(grants, one)],
        csrf_token=csrf_of(resources, token),
        expires_at=known.sign_in.expires_at,
    )


SIGN_IN_ROUTES = [begin, current, end]
