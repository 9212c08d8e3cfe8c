"""The own side of a benchmark: embedded servers in a folder of the run, and real `lectern` processes on them."""

import contextlib
import dataclasses
import os
import tempfile
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import psutil

from bench.processes import Program, running, until
from lectern.embedded import servers_for
from lectern.settings import CONFIG_VARIABLE, PREFIX, Settings, load, to_environ
from lectern.supervisor import console_script
from storage.catalogue.transaction import Catalogue
from storage.embedded.ports import LOOPBACK, free_ports
from storage.migrations.run import migrate
from storage.objects.store import ObjectStore

READY_SECONDS = 60.0
STORES = ("postgres", "valkey-server", "weed")


@contextlib.contextmanager
def run_folder() -> Iterator[Path]:
    """A folder for one run, gone afterwards; others may pass through it, as PostgreSQL does under root."""
    with tempfile.TemporaryDirectory(prefix="lectern-bench-run-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        yield folder


@dataclass(frozen=True)
class House:
    """Migrated stores that answer, and the settings that reach them."""

    settings: Settings
    folder: Path
    catalogue: Catalogue
    store: ObjectStore

    def store_pids(self) -> list[int]:
        """The embedded servers' processes: children of this one."""
        return [one.pid for one in psutil.Process().children() if one.name() in STORES]

    @contextlib.asynccontextmanager
    async def ingest(self, name: str, **changes: Any) -> AsyncIterator[tuple[Program, Settings]]:
        """A real `lectern ingest` with these settings, on free ports, with a spool and a node name of its own."""
        rtmp_port, http_port = free_ports(2)
        made = dataclasses.replace(
            self.settings.ingest, spool_folder=self.folder / name / "spool", node=name, rtmp_port=rtmp_port,
            http_port=http_port, control_url=f"http://{LOOPBACK}:{http_port}", **changes,
        )  # fmt: skip
        settings = dataclasses.replace(self.settings, ingest=made)
        async with self.process(name, "ingest", settings, f"http://{LOOPBACK}:{http_port}/healthz") as program:
            yield program, settings

    @contextlib.asynccontextmanager
    async def api(self, name: str = "api", **changes: Any) -> AsyncIterator[tuple[Program, Settings]]:
        """A real `lectern api` with these settings, on a free port."""
        (port,) = free_ports(1)
        made = dataclasses.replace(self.settings.api, port=port, public_url=f"http://{LOOPBACK}:{port}", **changes)
        settings = dataclasses.replace(self.settings, api=made)
        async with self.process(name, "api", settings, f"{made.public_url}/readyz") as program:
            yield program, settings

    @contextlib.asynccontextmanager
    async def process(self, name: str, command: str, settings: Settings, url: str) -> AsyncIterator[Program]:
        """`lectern COMMAND` under nothing but these settings; it answers at `url` when the block begins."""
        foreign = {key: value for key, value in os.environ.items() if not key.startswith(PREFIX)}
        environ = {**foreign, **to_environ(settings), CONFIG_VARIABLE: "", "PYTHONSAFEPATH": "1"}
        async with running([*console_script(), command], self.folder / f"{name}.log", environ) as program:
            await until(lambda: answers(url), READY_SECONDS, f"starting lectern {command}", [program])
            yield program


@contextlib.asynccontextmanager
async def house(folder: Path) -> AsyncIterator[House]:
    """Start the stores in `folder` and migrate them."""
    async with servers_for(load({f"{PREFIX}DATA_FOLDER": str(folder / "data")})) as settings:
        await migrate(settings.storage.database_owner_url)
        catalogue = Catalogue.from_settings(settings.storage, "lectern-bench")
        try:
            store = ObjectStore(settings.storage)
            store.ensure_bucket()
            yield House(settings, folder, catalogue, store)
        finally:
            await catalogue.close()


async def answers(url: str) -> bool:
    """Whether a GET there succeeds now."""
    try:
        async with httpx.AsyncClient(timeout=2.0) as client:
            return (await client.get(url)).is_success
    except httpx.HTTPError:
        return False


async def metric(settings: Settings, name: str) -> float:
    """One gauge of an ingest process."""
    async with httpx.AsyncClient(timeout=5.0) as client:
        told = (await client.get(f"{settings.ingest.control_url}/metrics")).text
    line = next(line for line in told.splitlines() if line.startswith(f"lectern_ingest_{name} "))
    return float(line.split()[1])
