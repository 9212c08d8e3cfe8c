"""What is sent says that it is what the route reads (RFC 9110, 15.5.16), else 415; and JSON is UTF-8.

It also keeps a foreign page's form from being taken for JSON: a browser sends such a content type across origins only
after it has asked.
"""

from typing import Any

from litestar import Request
from litestar.connection import ASGIConnection
from litestar.enums import RequestEncodingType
from litestar.exceptions import HTTPException, ValidationException
from litestar.handlers import BaseRouteHandler, HTTPRouteHandler
from litestar.params import BodyKwarg


def guard(connection: ASGIConnection[Any, Any, Any, Any], handler: BaseRouteHandler) -> None:
    """Litestar's guard for every route of the app; one without a body, or a request without, passes."""
    wanted = wanted_type(handler)
    if wanted is None or not _has_body(connection):
        return
    sent = connection.headers.get("content-type", "").partition(";")[0].strip().lower()
    if sent != wanted:
        raise HTTPException(status_code=415, detail=f"The body must be {wanted}.")


async def require_utf8(request: Request[Any, Any, Any]) -> None:
    """Litestar's hook before each handler: JSON is UTF-8 (RFC 8259, 8.1); its decoder takes that for granted."""
    if wanted_type(request.route_handler) == RequestEncodingType.JSON.value:
        try:
            (await request.body()).decode()
        except UnicodeDecodeError as error:
            raise ValidationException("The body is not UTF-8.") from error


def wanted_type(handler: BaseRouteHandler) -> str | None:
    """The media type of the body that a route reads; None where it reads none."""
    if not isinstance(handler, HTTPRouteHandler) or handler.parsed_data_field is None:
        return None
    told = handler.parsed_data_field.kwarg_definition
    media_type = told.media_type if isinstance(told, BodyKwarg) else RequestEncodingType.JSON
    return media_type.value if isinstance(media_type, RequestEncodingType) else str(media_type)


def _has_body(connection: ASGIConnection[Any, Any, Any, Any]) -> bool:
    return "transfer-encoding" in connection.headers or connection.headers.get("content-length", "0") != "0"
