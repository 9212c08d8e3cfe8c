"""A spool on a disk of a few megabytes that really fills up: any write may fail, and ends nothing but itself.

The disk is a tmpfs, which root may mount; without one these tests are left out.
"""

import os
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import anyio
import pytest

from ingest.events import CLOCK
from ingest.letting_go import remove_if_done
from ingest.live_recording import DISK_FULL
from ingest.reel_upload import send
from ingest.settings import IngestSettings
from ingest.spool import RESERVE, init_name
from ingest.spool_recovery import recover
from media.counting import count
from storage.catalogue.transaction import Catalogue
from storage.embedded import valkey as embedded_valkey
from storage.objects.store import ObjectStore
from tests.ingest.classroom import encoder, ingest, lesson, order
from tests.ingest.live_house import House, lecture
from tests.ingest.test_reported import reported, whole
from tests.ingest.test_whole_path import has_segments, until

MEGABYTES = 8


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "disk"
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", f"size={MEGABYTES}m", "tmpfs", str(folder)]
    if subprocess.run(command, capture_output=True, check=False).returncode:
        pytest.skip("no disk can be mounted here: root may")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


def fill(disk: Path, leave: int) -> Path:
    """A stranger's file that leaves so many bytes free."""
    path = disk / "ballast"
    state = os.statvfs(disk)
    size = state.f_bavail * state.f_bsize - leave
    with path.open("ab") as file, suppress(OSError):  # somebody was quicker
        if size > 0:
            os.posix_fallocate(file.fileno(), file.tell(), size)
    return path


def frames(house: House) -> int:
    """Pictures in the recovered spool, each segment read under its own init."""
    found = 0
    for folder in (house.settings.spool_folder / str(house.session.facts.recording_id)).iterdir():
        take = recover(folder)
        plans = [(plan.init_number, segment) for plan in take.plans for segment in plan.segments]
        for number, segment in [*plans, *((number, segment) for _, number, segment in take.unplanned)]:
            data = (folder / segment.source.name).read_bytes()[segment.source.offset :][: segment.source.length]
            counted = count((folder / init_name(number)).read_bytes(), [data])
            found += counted[0].frames
    return found


@pytest.mark.parametrize("leave", [0, 4096, 8192, 12_288, 20_480, 28_672])
def test_live_goes_on_over_a_full_disk_and_the_recording_after_it(
    settings: IngestSettings, disk: Path, leave: int
) -> None:
    """The disk takes nothing from some write on: perhaps not even the init, perhaps half a part."""
    house = House(replace(settings, spool_folder=disk / "spool", reel_seconds=4.0))
    take = house.take()
    ballast = fill(disk, leave)
    packets = lecture(24)
    third = len(packets) // 3
    house.feed(take, packets[:third])
    assert house.session.problem == DISK_FULL, "said on the page"
    assert not house.session.recording.endangered
    assert house.session.recording.gaps == 1
    shown = len(house.session.window.segments)
    assert shown >= 3, "live goes on from memory"
    ballast.unlink()
    house.feed(take, packets[third:])
    assert not house.session.recording.paused
    assert house.session.recording.gaps == 1
    take.ended("disconnected")
    house.threads.shutdown(wait=True)
    window = house.session.window.segments
    assert sum(segment.duration for segment in window) == 24 * CLOCK, "nothing of it was missing live"
    kept = frames(house)
    assert 16 * 30 - 6 * 30 <= kept <= 24 * 30 - 30
    plans = [job.plan for job in house.reels]
    assert any(plan.segments[0].discontinuity for plan in plans) or plans[0].segments[0].msn > 0, "the hole is said"


def test_a_reel_is_planned_and_sent_from_a_disk_that_has_no_room_left(
    settings: IngestSettings, disk: Path, store: ObjectStore
) -> None:
    """Sending is what makes room: it must not wait for it."""
    house = House(replace(settings, spool_folder=disk / "spool", reel_seconds=4.0))
    take = house.take()
    house.feed(take, lecture(9))
    house.threads.submit(lambda: None).result()
    ballast = fill(disk, 0)
    first, second = house.reels
    sent = send(store, first)
    assert not (take.spool.folder / RESERVE).exists()
    assert send(store, second).reel.size == second.plan.bytes, "the reserve has room for more than one"
    ballast.unlink()
    take.spool.release(sent.reel, first.plan)
    assert (take.spool.folder / RESERVE).exists(), "for the next time"
    take.ended("disconnected")
    house.threads.shutdown(wait=True)


def test_a_take_that_begins_on_a_full_disk_is_shown_and_recorded_as_soon_as_there_is_room(
    settings: IngestSettings, disk: Path
) -> None:
    house = House(replace(settings, spool_folder=disk / "spool", reel_seconds=4.0))
    before = house.take()
    house.feed(before, lecture(4))
    before.ended("disconnected")
    ballast = fill(disk, 0)
    take = house.take()
    made = [take.spool.is_made]
    packets = lecture(20)
    half = len(packets) // 2
    house.feed(take, packets[:half])
    shown = house.seen_seconds()
    assert shown >= 13, "live goes on"
    assert house.session.problem == DISK_FULL
    assert house.session.recording.gaps == 1
    ballast.unlink()
    house.feed(take, packets[half : half + half // 2])
    house.threads.submit(lambda: None).result()
    house.feed(take, packets[half + half // 2 :])
    made.append(take.spool.is_made)
    assert made == [False, True]
    assert house.session.problem != DISK_FULL
    take.ended("disconnected")
    house.threads.shutdown(wait=True)
    assert house.session.recording.gaps == 1
    crashed = recover(take.spool.folder)
    assert len(crashed.unplanned) >= 2
    for _, _, segment in crashed.unplanned:
        there = house.session.window.find(segment.msn)
        assert there is not None
        assert there.start == segment.start, "after a crash it has the number that it was shown by"


@pytest.mark.parametrize(("delay_seconds", "cut"), [(0.0, False), (5.0, False), (0.0, True)])
def test_a_take_that_not_even_a_folder_can_be_made_for_is_told_that_the_disk_is_full(
    settings: IngestSettings, disk: Path, delay_seconds: float, cut: bool
) -> None:
    """Not that it fails: nothing was written, for there was nowhere to write to."""
    house = House(replace(settings, spool_folder=disk / "spool"), delay_seconds=delay_seconds)
    if cut:
        house.session.cut()
    state = os.statvfs(disk)
    names = f"remount,nr_inodes={state.f_files - state.f_ffree}"
    subprocess.run(["mount", "-o", names, str(disk)], check=True)
    take = house.take()
    assert not take.spool.folder.exists()
    house.feed(take, lecture(12))
    assert house.session.problem == DISK_FULL
    assert house.session.recording.gaps == 1
    take.ended("disconnected")


def test_a_cut_that_a_full_disk_did_not_note_is_noted_before_anything_of_it_is_kept(
    settings: IngestSettings, disk: Path
) -> None:
    house = House(replace(settings, spool_folder=disk / "spool"))
    house.feed(house.take(), lecture(4))
    assert house.session.take is not None
    house.session.take.ended("disconnected")
    house.session.cut()
    ballast = fill(disk, 0)
    take = house.take()
    packets = lecture(16)
    half = len(packets) // 2
    house.feed(take, packets[:half])
    ballast.unlink()
    take.spool.make()
    house.feed(take, packets[half:])
    house.threads.submit(lambda: None).result()
    found = recover(take.spool.folder)
    assert found.is_cut
    assert found.unplanned
    assert all(evidence for evidence, _, _ in found.unplanned)
    house.threads.shutdown(wait=True)


def test_a_take_that_was_never_recorded_leaves_nothing_behind(settings: IngestSettings, disk: Path) -> None:
    house = House(replace(settings, spool_folder=disk / "spool"))
    fill(disk, 0)
    take = house.take()
    house.feed(take, lecture(5))
    take.ended("disconnected")
    house.threads.submit(remove_if_done, take.spool).result()
    house.threads.shutdown(wait=True)
    (disk / "ballast").unlink()
    take.spool.make()
    assert not take.spool.folder.exists()


@pytest.mark.anyio
async def test_the_encoder_of_a_class_under_way_is_taken_in_on_a_full_disk(
    settings: IngestSettings, catalogue: Catalogue, store: ObjectStore, valkey: embedded_valkey.Running
) -> None:
    told = await lesson(catalogue)
    await order(catalogue, told.session_id, "go_live")
    full = replace(settings, disk_full_bytes=1 << 60)
    async with ingest(full, catalogue, store, valkey.url) as service, encoder(service, told.key, seconds=30):
        await until(lambda: has_segments(service, told.session_id, 2), 20)
        assert service.lives.sessions[told.session_id].problem == DISK_FULL
        assert any("recording" in trouble for trouble in service.troubles())


@pytest.mark.long
@pytest.mark.anyio
async def test_a_small_disk_holds_a_long_lecture_and_what_it_cannot_hold_is_said(
    settings: IngestSettings, catalogue: Catalogue, store: ObjectStore, valkey: embedded_valkey.Running, disk: Path
) -> None:
    """More than the disk's size goes over it while the store takes it; then a stranger fills it to the last byte."""
    told = await lesson(catalogue)
    small = replace(
        settings, spool_folder=disk / "spool", reel_seconds=4.0, retry_first_seconds=0.1,
        disk_low_bytes=(MEGABYTES - 2) << 20, disk_full_bytes=0,
    )  # fmt: skip

    async def problem(code: object) -> bool:
        live = service.lives.sessions.get(told.session_id)
        return live is not None and live.problem == code

    async with (
        ingest(small, catalogue, store, valkey.url) as service,
        encoder(service, told.key, seconds=600, speed=12.0),
    ):
        await until(lambda: has_segments(service, told.session_id, 110), 60)
        assert service.lives.sessions[told.session_id].recording.gaps == 0, "the oldest that is stored makes room"
        stop = anyio.Event()

        async def keep_full() -> None:
            while not stop.is_set():
                fill(disk, 0)
                await anyio.sleep(0.02)

        async with anyio.create_task_group() as group:
            group.start_soon(keep_full)
            await until(lambda: problem(DISK_FULL), 20)
            assert any("recording" in trouble for trouble in service.troubles()), "with no threshold of free bytes"
            shown = len(service.lives.sessions[told.session_id].window.segments)
            await until(lambda: has_segments(service, told.session_id, shown + 3), 20)
            stop.set()
        (disk / "ballast").unlink()
        await until(lambda: problem(None), 20)
        shown = len(service.lives.sessions[told.session_id].window.segments)
        await until(lambda: has_segments(service, told.session_id, shown + 4), 20)
        await order(catalogue, told.session_id, "end", "done")
        recording_id = await whole(catalogue, told.session_id)
    said = await reported(catalogue, store, recording_id)
    assert said["bytes"] > MEGABYTES << 20
    assert "not_recorded" in {reason for gap in said["gaps"] for reason in gap["reasons"]}
    assert said["takes"][0]["findings"]["disk_gaps"] >= 1
