"""What goes wrong with one session, one duty, one take found in the spool keeps nobody else from theirs; and a task
that cannot go on is not missed in silence.
"""

import asyncio
import errno
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from uuid import uuid4

import pytest
import structlog

from ingest import orders, recovery
from ingest.disk import Disk
from ingest.guard import Guard
from ingest.live_session import LiveSession
from ingest.lives import Lives
from ingest.packager import Packager
from ingest.settings import IngestSettings
from ingest.spool import TakeSpool
from ingest.tasks import Tasks
from storage.catalogue.transaction import Catalogue
from storage.embedded import valkey as embedded_valkey
from storage.objects.store import ObjectStore
from tests.ingest.classroom import ingest, lesson, now, order
from tests.ingest.live_house import House, lecture
from tests.ingest.wired import until

pytestmark = pytest.mark.anyio


def fail(*_: object) -> None:
    message = "a fault of ours"
    raise RuntimeError(message)


def lives_of(settings: IngestSettings, catalogue: Catalogue, store: ObjectStore, *houses: House) -> Lives:
    lives = Lives(settings, catalogue, store, clock=lambda: houses[0].seconds, wall=now)
    lives.sessions = {uuid4(): house.session for house in houses}
    return lives


def test_what_fails_every_second_is_told_of_once_until_it_goes_well() -> None:
    guard = Guard()
    with structlog.testing.capture_logs() as logs:
        said = [guard.run("release", act, of="a") for act in (fail, fail, lambda: None, fail)]
        guard.run("release", fail, of="b")
    assert said == [False, False, True, False]
    assert [entry["of"] for entry in logs] == ["a", "a", "b"]


def test_a_session_that_fails_holds_up_no_other(
    settings: IngestSettings, catalogue: Catalogue, store: ObjectStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken, sound = House(settings, delay_seconds=5), House(settings, delay_seconds=5)
    lives = lives_of(settings, catalogue, store, broken, sound)
    sound.feed(sound.take(), lecture(4, key_every=2.0))
    sound.seconds += 5
    monkeypatch.setattr(broken.session, "release_due", fail)
    lives.release_due()
    assert sound.seen_seconds() > 0
    lives.close()


async def test_a_session_that_cannot_obey_its_row_is_not_trusted_and_the_next_one_is(
    settings: IngestSettings, catalogue: Catalogue, store: ObjectStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken, sound = House(settings, reviewed=True), House(settings, reviewed=True)
    lives = lives_of(settings, catalogue, store, broken, sound)
    lives.sessions = {}
    for house in (broken, sound):
        told = await lesson(catalogue)
        await order(catalogue, told.session_id, "go_live")
        await order(catalogue, told.session_id, "cut")
        lives.sessions[told.session_id] = house.session
    monkeypatch.setattr(broken.session, "cut", fail)
    await orders.reconcile(catalogue, lives)
    assert sound.session.gate.is_cut
    assert not sound.session.gate.is_frozen(0.0)
    assert broken.session.gate.is_frozen(0.0)
    lives.close()


async def test_a_duty_that_fails_keeps_no_other_from_being_done() -> None:
    tasks, done = Tasks(), asyncio.Event()

    async def failing() -> None:
        fail()

    async def other() -> None:
        done.set()

    tasks.every(0.01, "second", failing, other)
    await asyncio.wait_for(done.wait(), 5)
    assert not tasks.failed.is_set()
    await tasks.end()


async def test_a_task_that_ends_by_an_exception_is_said_and_one_that_ends_well_is_not() -> None:
    tasks = Tasks()

    async def ends(act: Callable[[], Awaitable[None]] | None = None) -> None:
        if act is None:
            fail()

    async def well() -> None:
        return

    await asyncio.wait({tasks.run("well", ends(well))})
    assert not tasks.failed.is_set()
    with structlog.testing.capture_logs() as logs:
        tasks.run("broken", ends())
        await asyncio.wait_for(tasks.failed.wait(), 5)
    assert isinstance(tasks.fault, RuntimeError)
    assert [(entry["event"], entry["task"]) for entry in logs] == [("task_failed", "broken")]
    await tasks.end()


def test_a_lost_disk_pauses_recording_and_says_why(settings: IngestSettings) -> None:
    answers: list[int | None] = [None, None, 100 << 30]

    def measure() -> int:
        answer = answers.pop(0)
        if answer is None:
            raise OSError(errno.EIO, "Input/output error")
        return answer

    disk = Disk(settings, measure, lambda job, copy: None)
    for _ in range(2):
        assert (disk.full, disk.lost) == (True, "[Errno 5] Input/output error")
        disk.check()
    assert (disk.full, disk.lost) == (False, "")


def test_a_take_whose_last_media_cannot_be_made_ends_all_the_same(
    settings: IngestSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    house = House(settings)
    take = house.take()
    house.feed(take, lecture(3))
    monkeypatch.setattr(Packager, "flush", fail)
    with pytest.raises(RuntimeError, match="a fault of ours"):
        take.ended("disconnected")
    assert house.ended == [("disconnected", None)]
    session: LiveSession = house.session
    assert session.take is None, "another may begin"


async def test_publishing_begins_though_a_folder_of_the_spool_cannot_be_removed(
    settings: IngestSettings,
    catalogue: Catalogue,
    store: ObjectStore,
    valkey: embedded_valkey.Running,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """And though the rows could not be asked at first, for whatever reason."""
    spool = TakeSpool.create(settings.spool_folder, House(settings).session.about_take(uuid4(), 1))
    (spool.folder / "lost+found").mkdir()
    finish, tries = recovery.finish, []

    async def faulty(*arguments: object) -> None:
        tries.append(1)
        if len(tries) == 1:
            fail()
        await finish(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(recovery, "finish", faulty)
    async with ingest(replace(settings, retry_first_seconds=0.01), catalogue, store, valkey.url) as service:
        await asyncio.wait_for(service.publishing.ready.wait(), 5)
        assert len(tries) == 2


async def test_a_spool_that_goes_away_is_said_and_the_duties_of_every_second_are_done(
    settings: IngestSettings, catalogue: Catalogue, store: ObjectStore, valkey: embedded_valkey.Running
) -> None:
    async def lost() -> bool:
        return any("disk is lost" in trouble for trouble in service.troubles())

    async def looked_at() -> bool:
        return service.metrics.registry.get_sample_value("lectern_ingest_stand_ins") == 0

    async def well() -> bool:
        return not service.troubles()

    async with ingest(settings, catalogue, store, valkey.url) as service:
        away = Path(f"{settings.spool_folder}.away")
        await asyncio.to_thread(settings.spool_folder.rename, away)
        await until(lost)
        service.metrics.stand_ins.set(7)
        await until(looked_at)
        await asyncio.to_thread(away.rename, settings.spool_folder)
        await until(well)
