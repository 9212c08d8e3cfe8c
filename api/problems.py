"""Every error as problem details (RFC 9457): one table from a rule's no to a status, one place that writes them.

Tree of what is caught, and what it becomes:

    Refusal                  → STATUS[code], `code` and `facts` as the rule gave them
    CatalogueUnavailable     → 503 with Retry-After
    ObjectStoreUnavailable   → 503 with Retry-After
    Valkey's loss            → 503 with Retry-After
    UnkeepableValue          → 400 invalid_input: what no shape has refused before
    ValidationException      → 400 invalid_input, one entry in `errors` for each field
    HTTPException            → its own status
    anything else            → 500, logged with its traceback, nothing of it told
"""

from http import HTTPStatus
from typing import Any

import msgspec
import structlog
from litestar import Request, Response
from litestar.exceptions import HTTPException, ValidationException
from redis.exceptions import ConnectionError as ValkeyLost
from redis.exceptions import TimeoutError as ValkeySilent

from domain.refusals import Refusal, RefusalCode
from storage.catalogue.faults import CatalogueUnavailable, UnkeepableValue
from storage.objects.faults import ObjectStoreUnavailable

log = structlog.get_logger()

MEDIA_TYPE = "application/problem+json"
RETRY_AFTER_SECONDS = 2
STORES: dict[type[Exception], str] = {
    CatalogueUnavailable: "catalogue",
    ObjectStoreUnavailable: "object store",
    ValkeyLost: "queue",
    ValkeySilent: "queue",
}
_C = RefusalCode

STATUS: dict[RefusalCode, int] = {
    _C.invalid_input: 400,
    _C.too_large: 413,
    _C.not_found: 404,
    _C.stale_version: 412,
    _C.precondition_required: 428,
    _C.idempotency_conflict: 409,
    _C.confirmation_mismatch: 409,
    _C.move_not_allowed: 409,
    _C.not_signed_in: 401,
    _C.not_permitted: 403,
    _C.csrf_failed: 403,
    _C.bad_credentials: 401,
    _C.account_locked: 403,
    _C.account_disabled: 403,
    _C.password_too_weak: 422,
    _C.rate_limited: 429,
    _C.self_grant: 403,
    _C.roles_conflict: 409,
    _C.scope_not_allowed: 422,
    _C.unknown_key: 401,
    _C.key_revoked: 401,
    _C.key_expired: 401,
    _C.outside_window: 409,
    _C.session_over: 409,
    _C.session_cancelled: 409,
    _C.session_not_scheduled: 409,
    _C.filing_missing: 409,
    _C.key_in_use: 409,
    _C.node_full: 503,
    _C.department_full: 503,
    _C.disk_full: 507,
    _C.catalogue_away: 503,
    _C.unsupported_codec: 415,
    _C.token_invalid: 403,
    _C.token_expired: 403,
    _C.not_released: 403,
    _C.viewer_removed: 403,
    _C.not_live: 409,
    _C.control_invalid: 401,
    _C.control_expired: 401,
    _C.window_invalid: 422,
    _C.slot_taken: 409,
    _C.filing_incomplete: 422,
    _C.review_missing: 409,
    _C.wrong_reviewer: 403,
    _C.self_review: 403,
    _C.already_promoted: 409,
    _C.already_purged: 410,
    _C.on_hold: 409,
    _C.not_due: 409,
}


class Problem(msgspec.Struct, omit_defaults=True):
    """RFC 9457's members, with `code` and `facts` for programs and `errors` for forms."""

    type: str
    title: str
    status: int
    detail: str
    instance: str = ""
    code: str = ""
    facts: dict[str, str | int] = {}
    errors: list[dict[str, str]] = []


def from_refusal(request: Request[Any, Any, Any], refusal: Refusal) -> Response[Problem]:
    """A rule's no. `retry_after_seconds` among its facts is told as Retry-After as well."""
    status = STATUS.get(refusal.code, 409)
    problem = _problem(request, status, str(refusal), code=refusal.code.value, facts=dict(refusal.facts))
    wait = refusal.facts.get("retry_after_seconds")
    return _respond(problem, {"Retry-After": str(wait)} if wait is not None else {})


def from_unavailable(request: Request[Any, Any, Any], error: Exception) -> Response[Problem]:
    """A store is away; the caller may try again soon."""
    store = next(name for kind, name in STORES.items() if isinstance(error, kind))
    log.warning("store unavailable", store=store, route=_route(request))
    problem = _problem(request, 503, f"The {store} does not answer.", code="store_unavailable")
    return _respond(problem, {"Retry-After": str(RETRY_AFTER_SECONDS)})


def from_unkeepable(request: Request[Any, Any, Any], error: UnkeepableValue) -> Response[Problem]:
    """A value that passed its shape and that the catalogue cannot hold. Its shape should have said so: it is logged."""
    log.warning("a shape let through what cannot be kept", route=_route(request), error=str(error))
    return _respond(_problem(request, 400, "A value cannot be kept.", code=_C.invalid_input.value))


def from_undecodable(request: Request[Any, Any, Any], _error: UnicodeDecodeError) -> Response[Problem]:
    """Text that is not UTF-8, on routes whose reader leaves it to us."""
    return _respond(_problem(request, 400, "A field is not UTF-8.", code=_C.invalid_input.value))


def from_validation(request: Request[Any, Any, Any], error: ValidationException) -> Response[Problem]:
    """A body, a query or a path that does not have the documented shape."""
    listed = error.extra if isinstance(error.extra, list) else []
    errors = [
        {"field": str(one.get("key", "")), "message": str(one.get("message", ""))}
        for one in listed
        if isinstance(one, dict)
    ]
    detail = errors[0]["message"] if errors else error.detail
    return _respond(_problem(request, 400, detail, code=_C.invalid_input.value, errors=errors))


def from_http(request: Request[Any, Any, Any], error: HTTPException) -> Response[Problem]:
    """What Litestar itself refuses: no such route, wrong method, body too large. Its faults are ours."""
    if error.status_code >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return from_anything(request, error)
    code = {404: _C.not_found, 413: _C.too_large, 400: _C.invalid_input}.get(error.status_code)
    problem = _problem(request, error.status_code, error.detail, code=code.value if code else "")
    return _respond(problem, {name: value for name, value in (error.headers or {}).items() if name.lower() == "allow"})


def from_anything(request: Request[Any, Any, Any], error: Exception) -> Response[Problem]:
    """A fault of ours: the log has all of it, the answer nothing."""
    log.error("unforeseen error", route=_route(request), method=request.method, exc_info=error)
    return _respond(_problem(request, 500, "Lectern failed to answer; the fault is logged.", code="fault"))


HANDLERS: dict[int | type[Exception], Any] = {
    Refusal: from_refusal,
    CatalogueUnavailable: from_unavailable,
    ObjectStoreUnavailable: from_unavailable,
    ValkeyLost: from_unavailable,
    ValkeySilent: from_unavailable,
    UnkeepableValue: from_unkeepable,
    ValidationException: from_validation,
    HTTPException: from_http,
    Exception: from_anything,
}


def _route(request: Request[Any, Any, Any]) -> str:
    """The route's template: a replay's path itself holds a playback token, which no log is to keep."""
    return str(request.scope.get("path_template") or "")


def _problem(request: Request[Any, Any, Any], status: int, detail: str, **more: Any) -> Problem:
    code = more.get("code") or "about:blank"
    return Problem(
        type=code if code == "about:blank" else f"urn:lectern:problem:{code}",
        title=HTTPStatus(status).phrase,
        status=status,
        detail=detail,
        instance=request.url.path,
        **more,
    )


def _respond(problem: Problem, headers: dict[str, str] | None = None) -> Response[Problem]:
    return Response(problem, status_code=problem.status, media_type=MEDIA_TYPE, headers=headers or {})
