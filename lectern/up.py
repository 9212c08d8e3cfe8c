"""The whole house on one machine: embedded servers, migrations, one process of each kind, watched until told to stop.

Order of stopping: ingest first and alone, so that what it has captured is uploaded and told while everybody else is
there; then the other processes together, then the servers.
"""

import asyncio
import contextlib
import dataclasses
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import structlog

from lectern.complaint import Complaint
from lectern.data_folder import held
from lectern.embedded import servers_for
from lectern.free_ports import require_free_ports
from lectern.running_house import announced
from lectern.settings import Settings, to_environ
from lectern.supervisor import Supervisor
from storage.migrations.run import migrate
from storage.objects.store import ObjectStore

log = structlog.get_logger()

READY_SECONDS = 120.0
READY_POLL_SECONDS = 0.1
PROCESSES = ("api", "ingest", "worker", "scheduler")
DRAINED_FIRST = ("ingest",)


@dataclass(frozen=True)
class House:
    """A running Lectern: its settings with every address filled in, and its processes."""

    settings: Settings
    supervisor: Supervisor


@contextlib.asynccontextmanager
async def house(settings: Settings, log_folder: Path | None = None) -> AsyncIterator[House]:
    """Start everything; it answers when the block begins, and is gone, uploads drained, when it ends.

    Complaint where the data folder or a port is somebody else's.
    """
    with held(settings.lectern.data_folder.resolve()):
        await asyncio.to_thread(require_free_ports, settings)
        async with _started(settings, log_folder) as running:
            yield running


@contextlib.asynccontextmanager
async def _started(settings: Settings, log_folder: Path | None) -> AsyncIterator[House]:
    async with servers_for(_in_folder(settings)) as complete:
        await migrate(complete.storage.database_owner_url)
        await asyncio.to_thread(ObjectStore(complete.storage).ensure_bucket)
        supervisor = Supervisor(to_environ(complete), log_folder)
        try:
            for name in PROCESSES:
                await supervisor.start(name, name)
            await _until_ready(complete)
            with announced(settings, complete):
                yield House(complete, supervisor)
        finally:
            killed = await supervisor.stop(DRAINED_FIRST)
            if killed:
                log.error("had to be killed", processes=killed)


def _in_folder(settings: Settings) -> Settings:
    """Folders that were not set lie in the data folder, whatever folder `up` was started in."""
    data = settings.lectern.data_folder.resolve()
    ingest, transcode = settings.ingest, settings.transcode
    if settings.sources["ingest.spool_folder"] == "default":
        ingest = dataclasses.replace(ingest, spool_folder=data / "spool")
    if settings.sources["transcode.work_folder"] == "default":
        transcode = dataclasses.replace(transcode, work_folder=data / "work")
    own = dataclasses.replace(settings.lectern, data_folder=data)
    return dataclasses.replace(settings, lectern=own, ingest=ingest, transcode=transcode)


async def _until_ready(settings: Settings) -> None:
    """Both processes that serve must say that they are ready; Complaint when they do not in time."""
    api, ingest = settings.api, settings.ingest
    waiting = {
        "api": f"http://{api.host}:{api.port}/readyz",
        "ingest": f"http://{ingest.http_host}:{ingest.http_port}/healthz",
    }
    async with httpx.AsyncClient(timeout=2.0) as client:
        try:
            async with asyncio.timeout(READY_SECONDS):
                for url in waiting.values():
                    while not await _answers(client, url):  # noqa: ASYNC110 - another process, no event to wait on
                        await asyncio.sleep(READY_POLL_SECONDS)
        except TimeoutError:
            raise Complaint(f"Lectern was not ready within {READY_SECONDS:.0f} s; the logs tell why") from None


async def _answers(client: httpx.AsyncClient, url: str) -> bool:
    try:
        return (await client.get(url)).is_success
    except httpx.HTTPError:
        return False
