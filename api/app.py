"""Puts the HTTP API together: routes under /api/v1, replay media, health, metrics, the document, the pages.

`create_app` takes everything it needs; nothing here or below is global.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from litestar import Litestar, Request, Router
from litestar.datastructures import State
from litestar.di import Provide
from litestar.middleware import DefineMiddleware
from litestar.openapi import OpenAPIConfig
from litestar.openapi.spec import License

from api import media_types, permit, problems
from api.accounts.routes import ACCOUNT_ROUTES
from api.acting import provide_actor
from api.audit.routes import AUDIT_ROUTES
from api.authentication import SignInMiddleware
from api.courses.routes import COURSE_ROUTES
from api.document import DocumentPlugin, operation_id
from api.evidence.routes import EVIDENCE_ROUTES
from api.head import HeadAsGet, allow_head
from api.health.routes import HEALTH_ROUTES
from api.institute.routes import INSTITUTE_ROUTES
from api.nodes.routes import NODE_ROUTES
from api.pages import page_routes
from api.recordings.routes import RECORDING_ROUTES
from api.replay.routes import replay_routes
from api.replay.viewing import Viewing
from api.resources import Resources
from api.security_headers import add_headers
from api.sessions.routes import SESSION_ROUTES
from api.sign_ins.routes import SIGN_IN_ROUTES
from api.timetables.routes import TIMETABLE_ROUTES
from storage.catalogue.sign_ins import Known

API_PATH = "/api/v1"
STATIC = Path(__file__).parent / "static"


def create_app(resources: Resources, static: Path = STATIC) -> Litestar:
    """The ASGI application of one API process over `resources`; `static` holds the built pages."""
    api = Router(
        API_PATH,
        route_handlers=[
            *SIGN_IN_ROUTES,
            *SESSION_ROUTES,
            *RECORDING_ROUTES,
            *EVIDENCE_ROUTES,
            *COURSE_ROUTES,
            *INSTITUTE_ROUTES,
            *NODE_ROUTES,
            *TIMETABLE_ROUTES,
            *ACCOUNT_ROUTES,
            *AUDIT_ROUTES,
        ],
    )
    viewing = Viewing(resources)
    return HeadAsGet(
        route_handlers=[api, *HEALTH_ROUTES, *replay_routes(resources, viewing), *page_routes(static)],
        guards=[permit.guard, media_types.guard],
        middleware=[DefineMiddleware(SignInMiddleware, exclude=["^/replay/", "^/healthz", "^/readyz", "^/assets/"])],
        before_request=media_types.require_utf8,
        before_send=[add_headers, allow_head],
        exception_handlers=problems.HANDLERS,
        dependencies={"resources": Provide(provide_resources, sync_to_thread=False),
                      "known": Provide(provide_known, sync_to_thread=False),
                      "actor": Provide(provide_actor, sync_to_thread=False)},
        state=State({"resources": resources, "viewing": viewing}),
        lifespan=[_closing(resources)],
        openapi_config=_document(),
        request_max_body_size=resources.settings.upload_max_bytes,
        logging_config=None,
    )  # fmt: skip


def provide_resources(state: State) -> Resources:
    """What handlers act on."""
    resources: Resources = state.resources
    return resources


def provide_known(request: Request[Any, Any, Any]) -> Known:
    """Who asks; only for routes whose permit needs a sign-in."""
    known: Known = request.user
    return known


def _closing(resources: Resources) -> Any:
    @asynccontextmanager
    async def lifespan(_app: Litestar) -> AsyncIterator[None]:
        yield
        await resources.http.aclose()
        await resources.valkey.aclose()
        await resources.catalogue.close()

    return lifespan


def _document() -> OpenAPIConfig:
    return OpenAPIConfig(
        title="Lectern",
        version="1",
        description="Live classes from the timetable, recordings to a course or a purge. Errors are RFC 9457 problems.",
        license=License(name="Apache-2.0", identifier="Apache-2.0"),
        openapi_router=Router(
            "/schema", route_handlers=[], include_in_schema=False, opt=permit.public("the API's document holds no data")
        ),
        render_plugins=[DocumentPlugin(path="/openapi.json")],
        operation_id_creator=operation_id,
        use_handler_docstrings=True,
    )
