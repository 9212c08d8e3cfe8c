"""The OpenAPI 3.1 document: what Litestar reads from the handlers, completed by what holds for whole kinds of routes.

Rule of this file: what an answer can be, the document says. Errors are problem details by the same table as
`api/problems.py`; who may ask comes from each route's permit; operation ids are `{resource}_{handler}`
and never change. `tests/api/test_contract.py` holds the running API to it.
"""

from collections.abc import Iterable, Iterator
from http import HTTPStatus
from typing import Any

from litestar import Request
from litestar.handlers import HTTPRouteHandler
from litestar.openapi.plugins import JsonRenderPlugin
from litestar.routes import BaseRoute, HTTPRoute
from litestar.types.internal_types import PathParameterDefinition

from api import permit, problems
from api.idempotency import HEADER as IDEMPOTENCY_KEY
from api.media_types import wanted_type
from api.shapes import Given
from api.sign_in_cookie import COOKIE, CSRF_HEADER

SAFE = frozenset({"GET", "HEAD"})
VERSIONED = frozenset(
    {"sessions_change", "sessions_name_reviewer", "recordings_change", "courses_change", "institute_set_capacity"}
)
"""Operations that need If-Match."""
ETAGGED = VERSIONED | {
    "sessions_one", "recordings_one", "courses_one", "courses_promote", "courses_submission", "courses_review",
    "courses_filing", "courses_publication",
}  # fmt: skip
"""Operations whose answer tells a version."""
CREATING = frozenset({"recordings_hold", "courses_promote", "timetables_take", "accounts_create"})
"""Operations that take an Idempotency-Key."""
MAY_ANSWER: dict[str, tuple[int, ...]] = {
    "sign_ins_begin": (401, 403, 429),
    "sessions_ingest": (409,),
    "sessions_renewal": (409,),
    "sessions_cut": (409,),
    "sessions_resume": (409,),
    "sessions_kick": (409,),
    "sessions_end": (409,),
    "sessions_change": (409,),
    "sessions_name_reviewer": (409, 422),
    "sessions_watch": (409,),
    "recordings_replay": (410,),
    "recordings_hold": (410,),
    "recordings_purge": (409, 410),
    "recordings_rescue": (409, 410),
    "recordings_retry": (409, 410),
    "evidence_listing": (410,),
    "evidence_play": (410,),
    "courses_promote": (409, 410),
    "courses_change": (409,),
    "courses_submission": (409,),
    "courses_review": (409,),
    "courses_filing": (409,),
    "courses_publication": (409,),
    "timetables_take": (404, 422),
    "accounts_create": (422,),
    "accounts_set_password": (422,),
    "accounts_grant": (409, 422),
    "accounts_revoke": (422,),
}
"""What an operation refuses beyond what its method, its permit, its path and its body say."""

_HEADERS = {
    "ETag": {"description": "The version of what is answered, for If-Match.", "schema": {"type": "string"}},
    "Retry-After": {"description": "Seconds to wait.", "schema": {"type": "integer"}},
}
_PROBLEM = {
    "title": "Problem",
    "description": "Problem details (RFC 9457). `code` and `facts` are for programs, `errors` for forms.",
    "type": "object",
    "required": ["type", "title", "status", "detail"],
    "properties": {
        "type": {"type": "string", "description": "`urn:lectern:problem:{code}`, or about:blank without a code"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "instance": {"type": "string"},
        "code": {"type": "string", "description": "Stable; docs/api.md lists all."},
        "facts": {"type": "object", "additionalProperties": {"type": ["string", "integer"]}},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["field", "message"],
                "properties": {"field": {"type": "string"}, "message": {"type": "string"}},
            },
        },
    },
}
_SCHEMES = {
    "signIn": {
        "type": "apiKey", "in": "cookie", "name": COOKIE, "description": "Given by POST /api/v1/sign-ins.",
    },
    "csrf": {
        "type": "apiKey", "in": "header", "name": CSRF_HEADER,
        "description": "`csrf_token` of the sign-in; with every request that changes something.",
    },
}  # fmt: skip
_IF_MATCH = {
    "name": "If-Match", "in": "header", "required": True,
    "schema": {"type": "string", "pattern": '^(W/)?"[0-9]{1,9}"$'},
    "description": "The ETag that was seen; without it 428, with an old one 412.",
}  # fmt: skip
_IDEMPOTENCY = {
    "name": IDEMPOTENCY_KEY, "in": "header", "required": False,
    "schema": {"type": "string", "minLength": 1, "maxLength": 200},
    "description": "The same request with the same key makes nothing again and is answered as the first was.",
}  # fmt: skip


class DocumentPlugin(JsonRenderPlugin):
    """Serves the completed document; it is completed once."""

    _whole: dict[str, Any] | None = None

    def render(self, request: Request[Any, Any, Any], openapi_schema: dict[str, Any]) -> bytes:
        """The document as JSON."""
        if self._whole is None:
            self._whole = complete(openapi_schema, request.app.routes)
        return super().render(request, self._whole)


def operation_id(
    handler: HTTPRouteHandler, _method: str, _path_components: list[str | PathParameterDefinition]
) -> str:  # fmt: skip
    """`{resource}_{handler}`: the folder under `api/` and the function's name."""
    return f"{handler.fn.__module__.split('.')[1]}_{handler.handler_name}"


def complete(document: dict[str, Any], routes: Iterable[BaseRoute]) -> dict[str, Any]:
    """The document with errors, security, and the headers that no handler's signature shows. Changes it in place."""
    components = document["components"]
    components["schemas"]["Problem"] = _PROBLEM
    components["securitySchemes"] = _SCHEMES
    for shape in _given(Given):
        if (schema := components["schemas"].get(shape.__name__)) is not None:
            schema["additionalProperties"] = False
    for path, method, handler in _operations(routes):
        operation = document["paths"].get(path, {}).get(method.lower())
        if operation is not None:
            _complete_operation(operation, path, method, handler)
    return document


def statuses(name: str, path: str, method: str, handler: HTTPRouteHandler) -> list[int]:
    """The errors that an operation may be answered with, in their order."""
    found = {500, 503, *MAY_ANSWER.get(name, ())}
    if handler.opt[permit.OPT][0] != "public":
        found |= {401} if method in SAFE and handler.opt[permit.OPT][0] == "signed_in" else {401, 403}
    if method not in SAFE or handler.parsed_fn_signature.parameters.keys() - {"resources", "known", "actor", "request"}:
        found.add(400)
    if "{" in path:
        found.add(404)
    if wanted_type(handler) is not None:
        found |= {413, 415}
    if name in VERSIONED:
        found |= {412, 428}
    if name in CREATING:
        found.add(409)
    return sorted(found)


def _complete_operation(operation: dict[str, Any], path: str, method: str, handler: HTTPRouteHandler) -> None:
    name = operation["operationId"]
    told = operation["responses"]
    told.pop("400", None)  # Litestar's own shape of an error, which no answer of ours has
    for status, answer in told.items():
        if status == "204":
            answer.pop("content", None)
        elif name in ETAGGED:
            answer["headers"] = {"ETag": _HEADERS["ETag"]}
    for status in statuses(name, path, method, handler):
        told[str(status)] = _problem_answer(status)
    kind = handler.opt[permit.OPT][0]
    needs: dict[str, list[str]] = {"signIn": []} if method in SAFE else {"signIn": [], "csrf": []}
    operation["security"] = [] if kind == "public" else [needs]
    added = [_IF_MATCH] if name in VERSIONED else [_IDEMPOTENCY] if name in CREATING else []
    operation["parameters"] = [*operation.get("parameters", []), *added]


def _problem_answer(status: int) -> dict[str, Any]:
    answer: dict[str, Any] = {
        "description": HTTPStatus(status).phrase,
        "content": {problems.MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
    }
    if status in (429, 503):
        answer["headers"] = {"Retry-After": _HEADERS["Retry-After"]}
    return answer


def _operations(routes: Iterable[BaseRoute]) -> Iterator[tuple[str, str, HTTPRouteHandler]]:
    for route in routes:
        if isinstance(route, HTTPRoute):
            for handler in route.route_handlers:
                for method in handler.http_methods:
                    yield route.path_format, method, handler


def _given(shape: type[Given]) -> Iterator[type[Given]]:
    for each in shape.__subclasses__():
        yield each
        yield from _given(each)
