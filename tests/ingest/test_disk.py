"""Room on the spool's disk: what goes first, and when recording pauses. The disk's free bytes are set by hand."""

import hashlib
from dataclasses import replace

import pytest

from domain.disk_state import DiskState
from ingest.disk import Disk, free_bytes
from ingest.reels import ReelJob
from ingest.settings import IngestSettings
from storage.objects.store import ObjectStore, VerifiedCopy
from tests.ingest.live_house import House, lecture


class Room:
    """A disk whose free space is what it was given, and what was freed on it."""

    def __init__(self, free: int) -> None:
        self.free = free
        self.freed: list[ReelJob] = []

    def measure(self) -> int:
        return self.free + sum(job.plan.bytes for job in self.freed)

    def let_go(self, job: ReelJob, copy: VerifiedCopy) -> None:
        job.spool.release(copy, job.plan)
        self.freed.append(job)


@pytest.fixture
def stored(settings: IngestSettings, store: ObjectStore) -> list[tuple[ReelJob, VerifiedCopy]]:
    """Three reels of one take, each proved to be in the store."""
    house = House(replace(settings, reel_seconds=6.0))
    take = house.take()
    house.feed(take, lecture(18.5))
    take.ended("disconnected")
    proofs = []
    for job, media in zip(house.reels[:3], house.reel_media()[:3], strict=True):
        store.put_bytes(job.plan.key, media)
        proofs.append((job, store.verify(job.plan.key, hashlib.sha256(media).digest(), len(media))))
    return proofs


def exists(job: ReelJob) -> bool:
    return all((job.spool.folder / segment.source.name).exists() for segment in job.plan.segments)


def test_verified_spool_is_kept_up_to_its_share(
    settings: IngestSettings, stored: list[tuple[ReelJob, VerifiedCopy]]
) -> None:
    room = Room(100 << 30)
    share = stored[0][0].plan.bytes + stored[1][0].plan.bytes
    disk = Disk(replace(settings, verified_keep_bytes=share), room.measure, room.let_go)
    for job, copy in stored:
        disk.verified(job, copy)
    assert [exists(job) for job, _ in stored] == [False, True, True]
    assert room.freed == [stored[0][0]]
    assert disk.verified_bytes == stored[1][1].size + stored[2][1].size


def test_a_disk_that_runs_low_frees_the_oldest_first_and_no_more_than_needed(
    settings: IngestSettings, stored: list[tuple[ReelJob, VerifiedCopy]]
) -> None:
    first = stored[0][0].plan.bytes
    room = Room(1 << 30)
    disk = Disk(replace(settings, disk_low_bytes=(1 << 30) + first, disk_full_bytes=1 << 20), room.measure, room.let_go)
    for job, copy in stored:
        disk.verified(job, copy)
    disk.check()
    assert [exists(job) for job, _ in stored] == [False, True, True]
    assert not disk.full


def test_with_nothing_left_to_free_recording_pauses_until_there_is_room(
    settings: IngestSettings, stored: list[tuple[ReelJob, VerifiedCopy]]
) -> None:
    room = Room(0)
    disk = Disk(replace(settings, disk_low_bytes=1 << 30, disk_full_bytes=1 << 29), room.measure, room.let_go)
    for job, copy in stored:
        disk.verified(job, copy)
    disk.check()
    assert len(room.freed) == 3
    assert disk.verified_bytes == 0
    states = []
    for free in (0, 3 << 28, 2 << 30):
        room.free = free
        disk.check()
        states.append((disk.state, disk.full))
    assert states == [(DiskState.full, True), (DiskState.low, False), (DiskState.good, False)]


def test_what_nobody_will_seek_in_goes(settings: IngestSettings, stored: list[tuple[ReelJob, VerifiedCopy]]) -> None:
    room = Room(100 << 30)
    disk = Disk(settings, room.measure, room.let_go)
    for job, copy in stored:
        disk.verified(job, copy)
    disk.forget(lambda job: job is stored[1][0])
    assert [exists(job) for job, _ in stored] == [False, True, False]


def test_the_measure_is_the_disks(settings: IngestSettings) -> None:
    assert free_bytes(settings.spool_folder.parent) > 0
