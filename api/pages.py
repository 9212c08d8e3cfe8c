"""Serves the built pages: hashed assets for good, `index.html` asked for again each time, for every page's path.

An asset's name has a hash of what is in it, so that a new build is a new address; `index.html` alone names them.
"""

import functools
from pathlib import Path
from urllib.parse import urlsplit

from litestar import Response, get
from litestar.datastructures import CacheControlHeader
from litestar.exceptions import NotFoundException
from litestar.handlers import HTTPRouteHandler
from litestar.response import File
from litestar.static_files import create_static_files_router
from litestar.types import ControllerRouterHandler

from api import permit
from api.resources import Resources

SECURITY_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
}
FOREVER = CacheControlHeader(public=True, max_age=31_536_000, immutable=True)
"""A year (RFC 9111, 5.2.2.1), not asked about at a reload either (RFC 8246). Only of what is there, not of a 404."""
INDEX = "index.html"
NOT_PAGES = ("api", "replay", "live", "whip", "whep", "schema", "assets")


@functools.cache
def content_security_policy(ingest_public_url: str) -> str:
    """What pages may do (CSP level 3): their own scripts, media from the ingest process, nothing of anybody else's.

    The player hands segments to the browser as `blob:` and works in a `blob:` worker; Vue writes style attributes.
    """
    ingest = urlsplit(ingest_public_url)
    media = f"'self' {ingest.scheme}://{ingest.netloc} blob:"
    return "; ".join(
        (
            "default-src 'self'",
            f"media-src {media}",
            f"connect-src {media}",
            "img-src 'self' data: blob:",
            "worker-src 'self' blob:",
            "style-src 'self' 'unsafe-inline'",
            "object-src 'none'",
            "base-uri 'none'",
            "form-action 'self'",
            "frame-ancestors 'none'",
        )
    )


def page_routes(static: Path) -> list[ControllerRouterHandler]:
    """Routes for the pages under `static`; without a build, each says how to make one."""
    opt = permit.public("the pages hold no data; each asks the API")
    routes: list[ControllerRouterHandler] = [_pages(static, opt)]
    if (static / "assets").is_dir():
        routes.append(
            create_static_files_router(
                "/assets", [static / "assets"], opt=opt, cache_control=FOREVER, include_in_schema=False
            )
        )
    return routes


def _pages(static: Path, opt: dict[str, object]) -> HTTPRouteHandler:
    @get(["/", "/{page:path}"], opt=opt, include_in_schema=False, response_headers=SECURITY_HEADERS)
    async def pages(resources: Resources, page: Path | None = None) -> File | Response[str]:
        """`index.html` for every page, or a file that lies beside it (an icon)."""
        name = str(page or "").strip("/")
        if name.split("/")[0] in NOT_PAGES:
            raise NotFoundException(f"/{name} does not exist")
        policy = {"Content-Security-Policy": content_security_policy(resources.settings.ingest_public_url)}
        beside = static / name
        if name not in ("", INDEX) and "/" not in name and beside.is_file():
            return File(beside, content_disposition_type="inline", headers=policy)
        if not (static / INDEX).exists():
            not_built = "The pages are not built yet: run `make web`."
            return Response(not_built, status_code=503, media_type="text/plain", headers=policy)
        return File(
            static / INDEX,
            content_disposition_type="inline",
            media_type="text/html; charset=utf-8",
            headers={"Cache-Control": "no-cache", **policy},
        )

    return pages
