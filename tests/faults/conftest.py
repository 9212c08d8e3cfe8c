"""How to test faults: `lectern` is one whole Lectern for all tests of this folder that leave it as they found it.

A fault is real: a signal to a process of the house, a frozen or killed store, a full disk, noise in an object.
`lessons` (lesson.py) plans a class, `encoder` (clip.py) sends a clip of which every access unit is known. Wait with
`until` on what the house says: the API, rows, objects, playlists.
"""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults import clip as clips
from tests.faults.clip import Clip
from tests.kit.house import House, house
from tests.kit.servers import server_folder

SPOOL_MEGABYTES = 96
LOW_MEGABYTES = 32
FULL_MEGABYTES = 16


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="session")
def spool_disk() -> Iterator[Path]:
    """A small disk of its own for the spool where one can be mounted; else a folder."""
    with server_folder() as folder:
        command = ["mount", "-t", "tmpfs", "-o", f"size={SPOOL_MEGABYTES}m", "tmpfs", str(folder)]
        mounted = subprocess.run(command, capture_output=True, check=False).returncode == 0
        yield folder
        if mounted:
            subprocess.run(["umount", "-l", str(folder)], check=True)


@pytest.fixture(scope="session")
def lectern(spool_disk: Path) -> Iterator[House]:
    """The whole house: reels of four seconds, short waits before another try, a small disk for the spool."""
    settings = {
        "INGEST_REEL_SECONDS": "4",
        "INGEST_SPOOL_FOLDER": str(spool_disk / "spool"),
        "INGEST_RETRY_FIRST_SECONDS": "0.2",
        "INGEST_RETRY_LONGEST_SECONDS": "1",
        "INGEST_LINGER_SECONDS": "10",
        "INGEST_DISK_LOW_BYTES": str(LOW_MEGABYTES << 20),
        "INGEST_DISK_FULL_BYTES": str(FULL_MEGABYTES << 20),
        "TRANSCODE_RETRY_WAITS_SECONDS": "1,1",
        "TRANSCODE_PRESET": "ultrafast",
        "TRANSCODE_STILL_INTERVAL_SECONDS": "4",
    }
    with house(settings) as running:
        yield running


@pytest.fixture(scope="session")
def short_clip(tmp_path_factory: pytest.TempPathFactory) -> Clip:
    """Twelve seconds."""
    return clips.make(tmp_path_factory.mktemp("clip") / "short.flv", 12)


@pytest.fixture(scope="session")
def long_clip(tmp_path_factory: pytest.TempPathFactory) -> Clip:
    """Long enough for three outages of five seconds."""
    return clips.make(tmp_path_factory.mktemp("clip") / "long.flv", 24)


@pytest.fixture(scope="module")
def roomy() -> Iterator[House]:
    """A house for long outages: the spool on the machine's own disk, and windows that a long test fits in."""
    settings = {
        "INGEST_REEL_SECONDS": "6",
        "INGEST_RETRY_FIRST_SECONDS": "0.2",
        "INGEST_RETRY_LONGEST_SECONDS": "2",
        "INGEST_VERIFIED_KEEP_BYTES": "0",
        "TRANSCODE_PRESET": "ultrafast",
    }
    with house(settings) as running:
        yield running
