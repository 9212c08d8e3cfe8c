"""What handlers act on, put together once by `lectern/wiring/api.py` and reached through Litestar's state."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import httpx
from redis.asyncio import Redis

from api.by_nginx import ByNginx
from api.settings import ApiSettings
from retention.settings import RetentionSettings
from storage.catalogue.transaction import Catalogue
from storage.objects.store import ObjectStore
from teaching.settings import TeachingSettings


@dataclass(frozen=True)
class ApiKeys:
    """Keys derived from the master secret, one for each use."""

    playback: bytes
    ingest: bytes
    control: bytes
    csrf: bytes


@dataclass(frozen=True)
class Resources:
    """The stores, the keys, the clock. `http` speaks to ingest nodes over the control channel."""

    settings: ApiSettings
    catalogue: Catalogue
    objects: ObjectStore
    valkey: Redis
    http: httpx.AsyncClient
    keys: ApiKeys
    clock: Callable[[], datetime]
    teaching: TeachingSettings = field(default_factory=TeachingSettings)
    trash_grace: timedelta = field(default_factory=lambda: timedelta(hours=RetentionSettings().trash_grace_hours))
    """How long a recording whose time was up lies marked before anything of it is deleted."""
    by_nginx: ByNginx = field(default_factory=ByNginx)
    """Used where `settings.accel_redirect` says that it stands in front."""
