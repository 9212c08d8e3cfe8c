"""Sends a stretch of an object to a viewer: by nginx where it stands in front (`by_nginx.py`), else from here."""

import asyncio
import re
from typing import Any

from litestar import Request, Response

from api.by_nginx import HEADER, Stretch
from api.resources import Resources

# What a token's owner has fetched may stay in their browser; nobody between may keep it.
IMMUTABLE = {"Cache-Control": "private, max-age=86400, immutable"}
# More digits than any object has bytes are no range that can be read.
_RANGE = re.compile(r"bytes=(\d{0,18})-(\d{0,18})")


async def send_object(
    request: Request[Any, Any, Any],
    resources: Resources,
    key: str,
    media_type: str,
    stretch: Stretch | None = None,
) -> Response[bytes]:
    """The object, or its bytes from `stretch[0]` to `stretch[1]`, both included. A Range is one within that."""
    if resources.settings.accel_redirect:
        place = await resources.by_nginx.place(resources.objects, key, stretch, resources.clock())
        return Response(b"", media_type=media_type, headers={**IMMUTABLE, HEADER: place})
    if stretch is None:
        content = await asyncio.to_thread(resources.objects.read, key)
        return Response(content, media_type=media_type, headers=IMMUTABLE)
    first, last = stretch
    size = last - first + 1
    wanted = _wanted(request.headers.get("range"), size)
    if wanted is None:
        content = await asyncio.to_thread(resources.objects.read, key, first, last)
        return Response(content, media_type=media_type, headers={**IMMUTABLE, "Accept-Ranges": "bytes"})
    begin, end = wanted
    if begin > end:
        return Response(b"", status_code=416, headers={"Content-Range": f"bytes */{size}"})
    content = await asyncio.to_thread(resources.objects.read, key, first + begin, first + end)
    headers = {**IMMUTABLE, "Content-Range": f"bytes {begin}-{end}/{size}", "Accept-Ranges": "bytes"}
    return Response(content, status_code=206, media_type=media_type, headers=headers)


def _wanted(header: str | None, size: int) -> tuple[int, int] | None:
    """The one range that is asked for (RFC 9110, 14.1.2), as offsets within `size`; None for all of it.

    A range that begins past the end comes back empty, as first > last; several ranges, or none that can be read, are
    answered whole, as the RFC allows.
    """
    found = _RANGE.fullmatch(header.strip()) if header else None
    if found is None or found.groups() == ("", ""):
        return None
    first, last = found.groups()
    if not first:
        return max(0, size - int(last)), size - 1
    end = min(int(last), size - 1) if last else size - 1
    return int(first), end
