"""Several ingest processes on one machine, at the same ports: who each of them is, and their parent.

The kernel deals connections out among them; whoever gets a viewer of another's class forwards. The first keeps the
node's name and spool, so that nothing changes for what is in it when there are more or fewer; each further one has a
name and a folder made from its number, and keeps them over restarts: it finds its own spool by them. Each answers at a
port of its own too, the shared one plus its number, where the others and the api process reach it alone.
"""

import asyncio
import dataclasses
from pathlib import Path
from urllib.parse import urlsplit

import structlog

from ingest.settings import IngestSettings
from ingest.spool_recovery import take_folders
from lectern.settings import Settings, to_environ
from lectern.supervisor import Supervisor

log = structlog.get_logger()

FOLDER = "process-"
MOST = 64


def settings_of(settings: IngestSettings, number: int, processes: int) -> IngestSettings:
    """What the process of this number, from 1, is told."""
    url, port = urlsplit(settings.control_url), settings.http_port + number
    host = f"[{url.hostname}]" if url.hostname and ":" in url.hostname else url.hostname
    shared = dataclasses.replace(
        settings,
        shared_ports=True,
        own_http_port=port,
        control_url=f"{url.scheme}://{host}:{port}",
        verified_keep_bytes=settings.verified_keep_bytes // processes,
    )
    if number == 1:
        return shared
    return dataclasses.replace(
        shared, node=f"{settings.node}-{number}", spool_folder=settings.spool_folder / f"{FOLDER}{number}"
    )


def left_behind(spool_folder: Path, processes: int) -> list[int]:
    """The numbers above `processes` whose spools still hold something: they run too, until that is stored."""
    numbers = (path.name.removeprefix(FOLDER) for path in spool_folder.glob(f"{FOLDER}*") if any(take_folders(path)))
    return sorted(int(one) for one in numbers if one.isdigit() and processes < int(one) <= MOST)


def numbers_of(settings: IngestSettings, processes: int) -> list[int]:
    """Who runs when so many are asked for: none where one process runs alone, without a number."""
    more = left_behind(settings.spool_folder, processes)
    return [*range(1, processes + 1), *more] if processes > 1 or more else []


def own_ports(settings: IngestSettings, processes: int) -> list[int]:
    """The ports beside the shared one, each process's own."""
    return [settings.http_port + number for number in numbers_of(settings, processes)]


async def run_processes(settings: Settings, processes: int, asked: asyncio.Event) -> None:
    """Starts them, starts again whoever ends by itself, and ends them all when asked."""
    numbers = numbers_of(settings.ingest, processes)
    if len(numbers) > processes:
        log.warning("spools_left_behind", processes=numbers[processes:])
    supervisor = Supervisor(to_environ(settings))
    try:
        for number in numbers:
            await supervisor.start(
                f"ingest {number}", "ingest", "--processes", str(processes), "--process", str(number)
            )
        await asked.wait()
    finally:
        killed = await supervisor.stop()
        if killed:
            log.error("had to be killed", processes=killed)
