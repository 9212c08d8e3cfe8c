"""Whether this process lives, and whether it can serve."""

import asyncio
from uuid import uuid4

from litestar import Response, get

from api import permit
from api.resources import Resources
from storage.objects import keys

CHECK_SECONDS = 2.0


@get("/healthz", opt=permit.public("the supervisor asks"), include_in_schema=False)
async def healthz() -> dict[str, str]:
    """The process answers."""
    return {"status": "ok"}


@get("/readyz", opt=permit.public("the load balancer asks"), include_in_schema=False)
async def readyz(resources: Resources) -> Response[dict[str, str]]:
    """Each store that a request needs, and whether it answers; 503 when one does not."""
    checks = {
        "catalogue": resources.catalogue.ping(),
        "valkey": resources.valkey.ping(),
        "objects": asyncio.to_thread(resources.objects.prefix_is_empty, keys.probe_prefix(uuid4())),
    }
    results = await asyncio.gather(
        *(asyncio.wait_for(one, CHECK_SECONDS) for one in checks.values()), return_exceptions=True
    )
    found = {
        name: "ok" if not isinstance(result, BaseException) else type(result).__name__
        for name, result in zip(checks, results, strict=True)
    }
    ready = all(state == "ok" for state in found.values())
    return Response(found, status_code=200 if ready else 503)


HEALTH_ROUTES = [healthz, readyz]
