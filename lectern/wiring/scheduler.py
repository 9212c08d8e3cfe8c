"""The scheduler process, and what reaches the queue from it."""

import asyncio

import redis

import retention.reactions
import transcode.reactions
from lectern.clock import now
from lectern.outbox_pump import OutboxPump
from lectern.scheduler import Scheduler
from lectern.settings import Settings
from lectern.stopping import stop_signals
from lectern.wiring.stores import require_stores
from storage import queue
from storage.catalogue.transaction import Catalogue
from storage.objects.store import ObjectStore
from storage.reactions import JobOrder

ROOMS_REACTIONS = (transcode.reactions.REACTIONS, retention.reactions.REACTIONS)


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
