"""A spool on a disk that takes what is written and cannot keep it: `fdatasync` fails, nothing else does.

It is a file system in a file on a disk of a few megabytes, which is thinner than it promises: as a volume that was not
given its room, or hardware that fails. Root may make one; without, this is left out.
"""

import subprocess
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import pytest

from ingest.events import CLOCK
from ingest.settings import IngestSettings
from media.packet import Packet
from tests.ingest.live_house import House, lecture
from tests.ingest.test_small_disk import fill, frames

PROMISED = 64 << 20
THERE = 2 << 20


def _run(*command: str | Path) -> None:
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"no such disk can be made here: {done.stderr.strip()}")


@pytest.fixture
def thin(tmp_path: Path) -> Iterator[tuple[Path, Path]]:
    """The disk, and what is under it."""
    under, disk = tmp_path / "under", tmp_path / "disk"
    under.mkdir()
    disk.mkdir()
    with ExitStack() as stack:
        _run("mount", "-t", "tmpfs", "-o", f"size={THERE}", "tmpfs", under)
        stack.callback(_run, "umount", "-l", under)
        with (under / "image").open("wb") as image:
            image.truncate(PROMISED)
        _run("mkfs.ext4", "-q", "-O", "^has_journal", "-m", "0", under / "image")
        _run("mount", "-o", "loop", under / "image", disk)
        stack.callback(_run, "umount", "-l", disk)
        yield disk, under


def test_a_disk_that_does_not_keep_what_it_took_is_told_of_and_live_goes_on(
    settings: IngestSettings, thin: tuple[Path, Path]
) -> None:
    disk, under = thin
    house = House(replace(settings, spool_folder=disk / "spool", reel_seconds=4.0))
    take = house.take()
    packets = lecture(24)
    third = len(packets) // 3

    def fed(packets: list[Packet]) -> bool:
        """Whether the disk failed, once it has been asked to keep all of this."""
        house.feed(take, packets)
        for _ in range(4):
            house.threads.submit(lambda: None).result()
        return house.session.recording.failing

    assert not fed(packets[:third])
    ballast = fill(under, 0)
    assert fed(packets[third : 2 * third])
    assert not house.session.recording.paused, (
        "writing goes on: what is there can be sent, whatever a crash would leave"
    )
    ballast.unlink()
    assert not fed(packets[2 * third :]), "well again"
    take.ended("disconnected")
    house.threads.shutdown(wait=True)
    take.spool.close()
    assert sum(segment.duration for segment in house.session.window.segments) == 24 * CLOCK
    assert frames(house) == 24 * 30, "without a crash all of it is there"
