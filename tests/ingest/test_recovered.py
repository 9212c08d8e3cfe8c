"""What a start makes of what the last process left: in its spool, as a crash may leave it, and in rows."""

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from uuid import UUID, uuid4

import pytest

from domain.kinds import Protocol, Slot
from domain.states import RecordingState, TakeState
from ingest.lives import Lives
from ingest.recovery import finish, read_spools
from ingest.reels import ReelJob
from ingest.settings import IngestSettings
from ingest.spool import ASIDE, INDEX, TakeSpool, init_name, segment_name
from ingest.take import Publish
from retention.report import report
from storage.catalogue import live_owner, recordings, reels, sessions, takes
from storage.catalogue.transaction import Catalogue
from storage.embedded import s3 as embedded_s3
from storage.embedded.ports import free_ports
from storage.objects.store import ObjectStore
from tests.ingest.classroom import lesson, now
from tests.ingest.test_spool import about, events, write
from tests.ingest.test_uploader import School
from tests.kit.fixtures import object_store_settings
from tests.storage.catalogue import builders

pytestmark = pytest.mark.anyio

PUBLISH = Publish(Protocol.rtmp, "OBS", "127.0.0.1", lambda code, text: None)


@pytest.fixture
def school(settings: IngestSettings, catalogue: Catalogue) -> School:
    quick = replace(settings, retry_first_seconds=0.05, retry_longest_seconds=0.1, verified_keep_bytes=0)
    return School(quick, catalogue)


@asynccontextmanager
async def started(school: School, store: ObjectStore) -> AsyncIterator[Lives]:
    """A process that has read its spool and the rows."""
    loop = asyncio.get_running_loop()
    lives = Lives(school.settings, school.catalogue, store, clock=loop.time, wall=now)
    lives.ledger.start()
    lives.uploader.start()
    try:
        await finish(school.catalogue, lives, read_spools(lives), now())
        yield lives
    finally:
        await lives.ledger.drain(5)
        await lives.uploader.stop()
        await lives.ledger.stop()
        lives.close()


async def stored(school: School, store: ObjectStore, jobs: list[ReelJob]) -> None:
    """These are in the store, their rows stand, their plans and files are still here."""
    async with school.uploader(store) as uploader:
        for job in jobs:
            uploader.submit(job)
        assert await uploader.drain(10)


def nowhere(s3: embedded_s3.Running) -> ObjectStore:
    return ObjectStore(replace(object_store_settings(s3), s3_endpoint=f"127.0.0.1:{free_ports(1)[0]}"))


async def test_what_is_proven_to_be_stored_is_let_go_of_though_the_store_is_away(
    school: School, store: ObjectStore, s3: embedded_s3.Running
) -> None:
    """As after kill -9 with spool that was kept for viewers; and in the middle of a release: some files are gone."""
    jobs = await school.recording(3)
    await stored(school, store, jobs[:2])
    folder = jobs[0].spool.folder
    (folder / jobs[0].plan.segments[0].source.name).unlink()
    jobs[2].spool.plan(jobs[2].plan)
    async with started(school, nowhere(s3)) as lives:
        left = {path.name for path in folder.iterdir()} - {"reserve", "take.json", "init-1.mp4", INDEX}
        assert left == {jobs[2].plan.file_name, *(one.source.name for one in jobs[2].plan.segments)}
        assert lives.uploader.pending == 1


async def test_what_was_stored_and_is_in_no_plan_is_let_go_of_too(school: School, store: ObjectStore) -> None:
    """As after a power cut that undid the removal of files, and not that of their plan."""
    take = await begun(school)
    spool = write_take(school.settings.spool_folder, **take)
    async with started(school, store) as lives:
        assert await lives.uploader.drain(10)
    assert not spool.exists()
    write_take(school.settings.spool_folder, **take)
    async with started(school, store) as lives:
        assert lives.uploader.pending == 0
    assert not spool.exists()


def write_take(root: Path, **facts: object) -> Path:
    spool = TakeSpool.create(root, about(**facts))
    write(spool, events())
    spool.close()
    return spool.folder


async def test_a_plan_whose_bytes_are_nowhere_keeps_no_recording_from_its_end(
    school: School, store: ObjectStore
) -> None:
    jobs = await school.recording(2)
    recording_id, session_id = jobs[0].plan.recording_id, jobs[0].spool.about.session_id
    for job in jobs:
        job.spool.plan(job.plan)
    for segment in jobs[1].plan.segments:
        (jobs[1].spool.folder / segment.source.name).unlink()
    async with school.catalogue.transaction() as tx:
        await live_owner.claim(tx, session_id, "ingest-1", "http://127.0.0.1:8090", now())
    async with started(school, store) as lives:
        lives.complete(recording_id, now())
        assert await lives.uploader.drain(10)
        assert lives.uploader.failing_since is None
    async with school.catalogue.transaction() as tx:
        recording = await recordings.get(tx, recording_id)
        said = await report(tx, recording)
    assert recording.state == RecordingState.stored
    assert [(one["harm"], one["at_ms"]) for one in said["spoilt"]] == [("lost", 4000), ("lost", 6000)]
    assert list(school.settings.spool_folder.iterdir()) == []


async def test_a_segment_with_neither_file_nor_plan_nor_row_is_told_of(school: School, store: ObjectStore) -> None:
    take = await begun(school)
    folder = write_take(school.settings.spool_folder, **take)
    (folder / "00000001.m4s").unlink()
    async with started(school, store) as lives:
        assert await lives.uploader.drain(10)
    async with school.catalogue.transaction() as tx:
        said = await report(tx, await recordings.get(tx, take["recording_id"]))
    assert [(one["harm"], one["at_ms"], one["duration_ms"]) for one in said["spoilt"]] == [("lost", 2000, 2000)]
    assert [reel["first_msn"] for reel in said["reels"]] == [0, 2]
    assert [gap["reasons"] for gap in said["gaps"]] == [["not_recorded", "lost"]]
    assert not folder.exists()


async def begun(school: School) -> dict[str, UUID]:
    """A main take's row, of a session that this node has: whose spool a crash left."""
    told = await lesson(school.catalogue)
    async with school.catalogue.transaction() as tx:
        take = await builders.take(tx, await sessions.lock(tx, told.session_id), now())
        await live_owner.claim(tx, told.session_id, school.settings.node, "http://127.0.0.1:8090", now())
    assert take.recording_id is not None
    return {"session_id": told.session_id, "recording_id": take.recording_id, "take_id": take.id}


@pytest.mark.parametrize("size", [0, 20])
async def test_an_init_that_was_torn_ends_neither_the_class_nor_its_recording(
    school: School, store: ObjectStore, size: int
) -> None:
    """As after a power cut in the take's first moments: nobody can decode it any more."""
    take = await begun(school)
    folder = write_take(school.settings.spool_folder, **take)
    os.truncate(folder / init_name(1), size)
    recording_id = take["recording_id"]
    async with started(school, store) as lives:
        facts = {"delay_seconds": 0.0, "reviewed": False, "epoch": 1, "cut": False}
        session = await lives.open(take["session_id"], recording_id, now(), **facts)  # type: ignore[arg-type]
        assert all(segment.source is None for segment in session.window.segments)
        assert session.begin_take(PUBLISH, TakeSpool(folder, session.about_take(uuid4(), 2))).packager.next_serial == 3
        del lives.sessions[take["session_id"]]
        lives.complete(recording_id, now())
        assert await lives.uploader.drain(10)
    async with school.catalogue.transaction() as tx:
        recording = await recordings.get(tx, recording_id)
        said = await report(tx, recording)
    assert recording.state == RecordingState.stored
    assert [(one["harm"], one["at_ms"], one["duration_ms"]) for one in said["spoilt"]] == [
        ("lost", 0, 2000),
        ("lost", 2000, 2000),
        ("lost", 4000, 1000),
    ]
    aside = {path.name.removeprefix(f"{take['take_id']}-") for path in (school.settings.spool_folder / ASIDE).iterdir()}
    assert aside == {init_name(1), *map(segment_name, range(3))}


async def test_an_init_that_the_store_has_is_not_needed_here(school: School, store: ObjectStore) -> None:
    jobs = await school.recording(2)
    await stored(school, store, jobs[:1])
    jobs[1].spool.plan(jobs[1].plan)
    os.truncate(jobs[1].spool.folder / init_name(1), 20)
    async with started(school, store) as lives:
        assert await lives.uploader.drain(10)
    async with school.catalogue.transaction() as tx:
        placed = await reels.of_recording(tx, jobs[0].plan.recording_id)
    assert [one.reel.number for one in placed] == [1, 2]
    for one in placed:
        store.verify(one.init.object_key, one.init.sha256, one.init.bytes)


async def test_the_spool_of_another_node_is_told_of_and_not_touched(school: School, store: ObjectStore) -> None:
    folder = write_take(school.settings.spool_folder, node="ingest-2")
    with (folder / INDEX).open("ab") as index:
        index.write(b"a line that is being writ")
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    async with started(school, store) as lives:
        assert lives.recovered == {}
        assert lives.disk.left_alone == ["of the node ingest-2"]
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before


async def test_takes_that_left_no_spool_are_ended(school: School, store: ObjectStore) -> None:
    """A backup leaves none, nor does a main take whose process died before it made one."""
    told = await lesson(school.catalogue)
    async with school.catalogue.transaction() as tx:
        session = await sessions.lock(tx, told.session_id)
        main = await builders.take(tx, session, now())
        mine = await builders.take(tx, session, now(), slot=Slot.backup)
        await live_owner.claim(tx, told.session_id, school.settings.node, "http://127.0.0.1:8090", now())
        elsewhere = await lesson(school.catalogue)
        others = await builders.take(tx, await sessions.lock(tx, elsewhere.session_id), now())
    async with started(school, store):
        pass
    async with school.catalogue.transaction() as tx:
        found = {
            one.id: (one.state, one.end_reason)
            for session_id in (told.session_id, elsewhere.session_id)
            for one in await takes.of_session(tx, session_id)
        }
    ended = (TakeState.ended, "owner_lost")
    assert found == {main.id: ended, mine.id: ended, others.id: (TakeState.publishing, None)}
