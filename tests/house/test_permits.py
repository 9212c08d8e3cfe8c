"""Every route says who may use it, and its guard says to each role what `domain.permissions` says (mission R2)."""

import re
from collections.abc import Iterator
from typing import Any, cast
from uuid import UUID, uuid4

import httpx
import pytest
from litestar import get
from litestar.handlers import BaseRouteHandler
from litestar.routes import HTTPRoute

from api import permit
from api.app import create_app
from api.resources import Resources
from domain.kinds import Role, ScopeKind
from domain.permissions import PERMISSIONS, Action, Grant
from tests.api.conftest import ORIGIN, Client, People, client, client_of, clock, people, resources

__all__ = ["client", "clock", "people", "resources"]  # fixtures of the API's tests, used here

pytestmark = pytest.mark.anyio

NARROWEST = {
    Role.learner: ScopeKind.cohort,
    Role.programme_lead: ScopeKind.programme,
    Role.department_manager: ScopeKind.department,
}
SOMEWHERE = "00000000-0000-4000-8000-000000000000"
"""No row has this id."""
ENDS_THE_SIGN_IN = ("DELETE", "/api/v1/sign-ins/current")


def handlers(made: Any) -> Iterator[tuple[str, str, BaseRouteHandler]]:
    """(method, path, handler) of every route, but for the OPTIONS that Litestar answers by itself."""
    for route in made.routes:
        if not isinstance(route, HTTPRoute):
            yield "*", route.path, route.route_handler
            continue
        for handler in route.route_handlers:
            for method in sorted(handler.http_methods - {"OPTIONS"}):
                yield method, route.path, handler


def address(path: str) -> str:
    """A path with its parameters filled in."""
    filled = []
    for part in path.split("/"):
        kind = part.strip("{}").partition(":")[2]
        filled.append({"uuid": SOMEWHERE, "int": "1"}.get(kind, "x") if part.startswith("{") else part)
    return "/".join(filled)


async def test_every_route_declares_one_permit_and_why(resources: Resources) -> None:
    found = list(handlers(create_app(resources)))
    assert len(found) > 40
    undeclared = [f"{method} {path}" for method, path, handler in found if permit.OPT not in handler.opt]
    assert undeclared == []
    for method, path, handler in found:
        kind, what = handler.opt[permit.OPT]
        assert kind in ("public", "signed_in", "action", "token"), f"{method} {path}"
        assert isinstance(what, Action) if kind == "action" else len(str(what)) > 8, f"{method} {path}"
        if kind in ("public", "token") and path.startswith("/api/v1/"):
            assert (method, path) == ("POST", "/api/v1/sign-ins")


async def test_a_stranger_gets_no_further_than_the_guard(client: Client, resources: Resources) -> None:
    for method, path, handler in handlers(create_app(resources)):
        if handler.opt[permit.OPT][0] in ("action", "signed_in"):
            answer = await client.request(method, address(path))
            assert (answer.status_code, answer.json()["code"]) == (401, "not_signed_in"), f"{method} {path}"


@pytest.mark.parametrize("role", Role)
async def test_the_guard_says_to_each_role_what_the_table_says(
    resources: Resources, people: People, role: Role
) -> None:
    scope = NARROWEST.get(role, ScopeKind.institute)
    place: UUID | None = None if scope == ScopeKind.institute else uuid4()
    account = await people.add(Grant(role, scope, place))
    async with client_of(resources) as browser:
        await browser.sign_in(account.login)
        for method, path, handler in handlers(create_app(resources)):
            kind, needed = handler.opt[permit.OPT]
            if kind not in ("action", "signed_in") or (method, path) == ENDS_THE_SIGN_IN:
                continue
            answer = await browser.request(method, address(path))
            refused = answer.status_code == 403 and answer.json()["code"] == "not_permitted"
            allowed = kind == "signed_in" or needed in PERMISSIONS[role]
            assert refused != allowed, f"{role} {method} {path}: {answer.status_code} {answer.text}"
            assert answer.status_code < 500, f"{role} {method} {path}: {answer.text}"


async def test_a_route_that_declares_nothing_refuses_everybody(resources: Resources, people: People) -> None:
    @get("/api/v1/forgotten")
    async def forgotten() -> str:
        return "open"

    made = create_app(resources)
    made.register(forgotten)
    account = await people.with_role(Role.academic_affairs)
    async with Client(transport=httpx.ASGITransport(cast(Any, made)), base_url=ORIGIN) as browser:
        assert (await browser.get("/api/v1/forgotten")).json()["code"] == "not_signed_in"
        await browser.sign_in(account.login)
        assert (await browser.get("/api/v1/forgotten")).json()["code"] == "not_permitted"


async def test_the_document_is_open_and_names_every_operation(client: Client, resources: Resources) -> None:
    answer = await client.get("/schema/openapi.json")
    assert answer.status_code == 200
    document = answer.json()
    assert document["openapi"].startswith("3.1")
    told = {(method.upper(), path) for path, each in document["paths"].items() for method in each}
    served = {(method, path) for method, path, _ in handlers(create_app(resources)) if path.startswith("/api/v1/")}
    assert {(method, re.sub(r":\w+}", "}", path)) for method, path in served} == told
