"""Builds each process from its rooms: the only place where rooms are put together."""

import asyncio
import os
import signal
from datetime import UTC, datetime

import httpx
import redis
import structlog
from granian import Granian
from granian.constants import Interfaces, Loops
from granian.log import LogLevels
from litestar import Litestar
from redis.asyncio import Redis

import retention.reactions
import transcode.reactions
from api.app import create_app
from api.resources import ApiKeys, Resources
from ingest.service import IngestKeys, IngestService
from lectern import logs
from lectern.complaint import Complaint
from lectern.keys import derive
from lectern.outbox_pump import OutboxPump
from lectern.scheduler import Scheduler
from lectern.settings import Settings, load
from lectern.stopping import stop_signals
from storage import queue
from storage.catalogue.transaction import Catalogue
from storage.objects.store import ObjectStore
from storage.parent_death import die_with_parent
from storage.reactions import JobOrder
from storage.settings import StorageSettings
from storage.worker import make_worker
from storage.workshop import Workshop, install
from transcode import failures

log = structlog.get_logger()

CONTROL_SECONDS = 3.0
ROOMS_REACTIONS = (transcode.reactions.REACTIONS, retention.reactions.REACTIONS)


def now() -> datetime:
    """The clock of every process."""
    return datetime.now(UTC)


def require_stores(storage: StorageSettings) -> None:
    """Complaint naming the first store that has no address."""
    for field in ("database_url", "valkey_url", "s3_endpoint", "s3_access_key", "s3_secret_key"):
        if not getattr(storage, field):
            raise Complaint(f"LECTERN_STORAGE_{field.upper()} is not set (`lectern up` starts servers of its own)")


def run_api(settings: Settings) -> None:
    """Serve the HTTP API until SIGTERM; each worker process builds its own application from the environment."""
    require_stores(settings.storage)
    derive(settings.lectern)
    Granian(
        "lectern.wiring:api_app",
        factory=True,
        address=settings.api.host,
        port=settings.api.port,
        interface=Interfaces.ASGI,
        loop=Loops.uvloop,
        workers=settings.api.workers,
        websockets=True,
        log_access=False,
        log_level=LogLevels.warning,
    ).serve()


def api_app() -> Litestar:
    """The application of one API process; granian calls this in each of its workers."""
    die_with_parent(signal.SIGTERM, os.getppid())
    settings = load(os.environ)
    logs.configure("api", settings.lectern.log_level, settings.lectern.log_format)
    keys = derive(settings.lectern)
    return create_app(
        Resources(
            settings=settings.api,
            catalogue=Catalogue.from_settings(settings.storage, "lectern-api"),
            objects=ObjectStore(settings.storage),
            valkey=Redis.from_url(settings.storage.valkey_url, socket_timeout=5.0),
            http=httpx.AsyncClient(timeout=CONTROL_SECONDS),
            keys=ApiKeys(keys.playback, keys.ingest, keys.control, keys.csrf),
            clock=now,
        )
    )


def run_worker(settings: Settings, name: str | None = None) -> None:
    """Run jobs until SIGTERM, then finish the one in hand."""
    require_stores(settings.storage)
    rooms = {type(room): room for room in (settings.transcode, settings.retention, settings.teaching)}
    install(Workshop(settings.storage, now, rooms))
    connection = queue.connect(settings.storage.valkey_url)
    make_worker(connection, name=name, on_failure=failures.record).work(logging_level="WARNING")


async def run_scheduler(settings: Settings) -> None:
    """Deliver facts and keep the clocks until SIGTERM."""
    require_stores(settings.storage)
    catalogue = Catalogue.from_settings(settings.storage, "lectern-scheduler")
    connection = queue.connect(settings.storage.valkey_url)
    pump = OutboxPump(catalogue, ROOMS_REACTIONS, lambda order: put(connection, settings, order), now)
    scheduler = Scheduler(catalogue, ObjectStore(settings.storage), settings, pump, now)
    with stop_signals() as asked:
        running, stopping = asyncio.create_task(scheduler.run()), asyncio.create_task(asked.wait())
        await asyncio.wait({running, stopping}, return_when=asyncio.FIRST_COMPLETED)
        for task in (running, stopping):
            task.cancel()
        await asyncio.gather(running, stopping, return_exceptions=True)
    await catalogue.close()


def put(connection: redis.Redis, settings: Settings, order: JobOrder) -> bool:
    """Put one order into the queue, once."""
    return queue.enqueue(
        connection,
        order.queue,
        order.job,
        *order.arguments,
        job_id=order.job_id,
        timeout_seconds=settings.transcode.job_timeout_seconds,
        retry_seconds=settings.transcode.retry_waits_seconds,
    )


async def run_ingest(settings: Settings) -> None:
    """Take encoders in and serve live until SIGTERM, then drain what was captured."""
    require_stores(settings.storage)
    keys = derive(settings.lectern)
    catalogue = Catalogue.from_settings(settings.storage, "lectern-ingest")
    service = IngestService(
        settings.ingest,
        IngestKeys(keys.playback, keys.control),
        catalogue,
        ObjectStore(settings.storage),
        settings.storage.valkey_url,
        wall=now,
    )
    with stop_signals() as asked:
        await service.start()
        await asked.wait()
        await service.stop()
    await catalogue.close()
