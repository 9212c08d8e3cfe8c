"""The API process: granian, and in each of its workers the application."""

import os
import signal
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import httpx
from granian import Granian
from granian.constants import HTTPModes, Interfaces, Loops, RuntimeModes
from granian.log import LogLevels
from granian.utils.proxies import wrap_asgi_with_proxy_headers
from redis.asyncio import Redis

from api.app import create_app
from api.replay.door import ReplayDoor
from api.resources import ApiKeys, Resources
from lectern import logs
from lectern.clock import now
from lectern.keys import derive
from lectern.settings import Settings, load
from lectern.wiring.stores import require_stores
from storage.catalogue.transaction import Catalogue
from storage.echo import Echo
from storage.objects.store import ObjectStore
from storage.parent_death import die_with_parent

CONTROL_SECONDS = 3.0


def run_api(settings: Settings) -> None:
    """Serve the HTTP API until SIGTERM; each worker process builds its own application from the environment."""
    require_stores(settings.storage)
    derive(settings.lectern)
    Granian(
        "lectern.wiring.api:api_app",
        factory=True,
        address=settings.api.host,
        port=settings.api.port,
        interface=Interfaces.ASGI,
        # nginx speaks HTTP/1.1, and so do browsers to whoever has no TLS; a runtime of one thread wakes fewer others.
        http=HTTPModes.http1,
        runtime_mode=RuntimeModes.st,
        loop=Loops.uvloop,
        workers=settings.api.workers,
        websockets=True,
        log_access=False,
        log_level=LogLevels.warning,
    ).serve()


def api_app() -> Callable[..., Any]:
    """The ASGI application of one API process; granian calls this in each of its workers.

    Behind a trusted proxy `client` becomes the viewer's own address, for the rate limit and the audit trail.
    """
    die_with_parent(signal.SIGTERM, os.getppid())
    settings = load(os.environ)
    logs.configure("api", settings.lectern.log_level, settings.lectern.log_format)
    keys = derive(settings.lectern)
    catalogue = Catalogue.from_settings(settings.storage, "lectern-api")
    valkey = Redis.from_url(settings.storage.valkey_url, socket_timeout=5.0)
    catalogue.echo = Echo(valkey)
    app = create_app(
        Resources(
            settings=settings.api,
            catalogue=catalogue,
            objects=ObjectStore(settings.storage),
            valkey=valkey,
            http=httpx.AsyncClient(timeout=CONTROL_SECONDS),
            keys=ApiKeys(keys.playback, keys.ingest, keys.control, keys.csrf),
            clock=now,
            teaching=settings.teaching,
            trash_grace=timedelta(hours=settings.retention.trash_grace_hours),
        )
    )
    wrapped: Callable[..., Any] = wrap_asgi_with_proxy_headers(app, list(settings.api.trusted_proxies))
    return ReplayDoor(wrapped, app.state.viewing) if settings.api.accel_redirect else wrapped
