"""The uploader with a real store and a real catalogue: order, turns, and what fails alone or with everybody."""

import asyncio
import os
import threading
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from uuid import UUID

import pytest
from sqlalchemy import select

from domain.states import RecordingMove
from ingest.reel_plan import PartCheck, PlannedSegment, ReelPlan, SpoolRange, TakeAbout, pack
from ingest.reels import ReelJob
from ingest.salvage import Found, rebuilt
from ingest.settings import IngestSettings
from ingest.spool import TakeSpool, init_name
from ingest.uploader import Uploader
from media.boxes import box
from media.fragments import init_segment
from retention.report import report
from storage.catalogue import recordings, reels, sessions
from storage.catalogue.tables.audit_entry import AuditEntry
from storage.catalogue.transaction import Catalogue
from storage.embedded import s3 as embedded_s3
from storage.objects import keys
from storage.objects.body import Piece
from storage.objects.checksums import checksum
from storage.objects.store import ObjectStore, Stored, VerifiedCopy
from storage.settings import StorageSettings
from tests.ingest.builders import AUDIO, VIDEO
from tests.ingest.classroom import lesson, now
from tests.ingest.relay import relay
from tests.ingest.wired import until
from tests.kit.fixtures import object_store_settings
from tests.storage.catalogue import builders

pytestmark = pytest.mark.anyio

SEGMENT_BYTES = 50_000
SEGMENT_TICKS = 180_000


class Watched(ObjectStore):
    """The real store; counts how many reels are sent at once, and how many inits are."""

    def __init__(self, settings: StorageSettings) -> None:
        super().__init__(settings)
        self.most_at_once = self.inits = self._now = 0
        self._counting = threading.Lock()
        self.meeting: threading.Barrier | None = None
        """Where those who send wait for each other: reels are small, and may be sent one by one otherwise."""

    def put_pieces(self, key: str, pieces: Sequence[Piece]) -> VerifiedCopy:
        with self._counting:
            self._now += 1
            self.most_at_once = max(self.most_at_once, self._now)
        try:
            if self.meeting is not None:
                self.meeting.wait(10)
            return super().put_pieces(key, pieces)
        finally:
            with self._counting:
                self._now -= 1

    def put_bytes(self, key: str, content: bytes) -> Stored:
        self.inits += 1
        return super().put_bytes(key, content)


@dataclass
class School:
    """Takes with finished segments in their spools, and what was stored of them, in order."""

    settings: IngestSettings
    catalogue: Catalogue
    stored: list[tuple[UUID, int]] = field(default_factory=list)

    async def recording(self, many: int) -> list[ReelJob]:
        """A take's reels of two segments each."""
        told = await lesson(self.catalogue)
        async with self.catalogue.transaction() as tx:
            take = await builders.take(tx, await sessions.lock(tx, told.session_id), now())
        assert take.recording_id is not None
        about = TakeAbout(told.session_id, take.recording_id, take.id, 1, "ingest-1", now(), 0)
        spool = TakeSpool.create(self.settings.spool_folder, about)
        (spool.folder / init_name(1)).write_bytes(init_segment([VIDEO, AUDIO]))
        return [self._job(spool, number) for number in range(1, many + 1)]

    def _job(self, spool: TakeSpool, number: int) -> ReelJob:
        segments = []
        for msn in (2 * number - 2, 2 * number - 1):
            place = SpoolRange(f"{msn:08}.m4s", 0, SEGMENT_BYTES)
            content = box(b"mdat", os.urandom(SEGMENT_BYTES - 8))
            (spool.folder / place.name).write_bytes(content)
            packed = pack([PartCheck(SEGMENT_BYTES, SEGMENT_TICKS, checksum(content))])
            start = msn * SEGMENT_TICKS
            segments.append(PlannedSegment(msn, place, start, SEGMENT_TICKS, True, False, packed=packed))
        about = spool.about
        return ReelJob(ReelPlan(number, about.recording_id, about.take_id, 1, False, segments), spool)

    @asynccontextmanager
    async def uploader(self, store: ObjectStore, **changes: float) -> AsyncIterator[Uploader]:
        quick = replace(self.settings, retry_first_seconds=0.1, retry_longest_seconds=0.2)
        made = Uploader(replace(quick, **changes), store, self.catalogue, now, self._on_stored, self._on_spoilt)  # type: ignore[arg-type]
        made.start()
        try:
            yield made
        finally:
            await made.stop()

    def _on_spoilt(self, job: ReelJob, found: Found, highest: int) -> list[ReelJob]:
        return rebuilt(job, found, highest)

    async def _on_stored(self, job: ReelJob, copy: VerifiedCopy | None) -> None:
        assert copy is None or copy.key == job.plan.key
        self.stored.append((job.plan.recording_id, job.plan.number))

    async def check(self, store: ObjectStore, jobs: list[ReelJob]) -> None:
        """The store has what the spool has, the rows say so."""
        for job in jobs:
            ranges = [(job.spool.folder / one.source.name, one.source.length) for one in job.plan.segments]
            assert store.read(job.plan.key) == b"".join(path.read_bytes()[:length] for path, length in ranges)
        async with self.catalogue.transaction() as tx:
            placed = await reels.of_recording(tx, jobs[0].plan.recording_id)
        assert [one.reel.object_key for one in placed] == [job.plan.key for job in jobs]
        for one in placed:
            store.verify(one.reel.object_key, one.reel.sha256, one.reel.bytes)
            store.verify(one.init.object_key, one.init.sha256, one.init.bytes)


@pytest.fixture
def school(settings: IngestSettings, catalogue: Catalogue) -> School:
    return School(settings, catalogue)


@pytest.fixture
def watched(s3: embedded_s3.Running) -> Watched:
    return Watched(object_store_settings(s3))


async def test_reels_of_many_that_end_at_one_instant_go_up_a_few_at_a_time(school: School, watched: Watched) -> None:
    classes = [await school.recording(2) for _ in range(5)]
    watched.meeting = threading.Barrier(2)
    async with school.uploader(watched, upload_threads=2) as uploader:
        for job in (job for reel in zip(*classes, strict=True) for job in reel):
            uploader.submit(job)
        assert uploader.pending == 10
        assert await uploader.drain(30)
        assert uploader.pending == 0
    assert watched.most_at_once == 2
    assert watched.inits == 5, "an init goes up once"
    for jobs in classes:
        await school.check(watched, jobs)


async def test_uploads_keep_to_their_pace(school: School, watched: Watched) -> None:
    classes = [await school.recording(1) for _ in range(5)]
    loop = asyncio.get_running_loop()
    # 0.1 MB each at 1 Mbit/s: the fifth is begun after 3.2 s.
    async with school.uploader(watched, upload_megabits=1) as uploader:
        began = loop.time()
        for (job,) in classes:
            uploader.submit(job)
        assert await uploader.drain(30)
    assert loop.time() - began > 3.2


async def test_a_lecture_does_not_wait_behind_the_backlog_of_another(school: School, watched: Watched) -> None:
    backlog, fresh = await school.recording(8), await school.recording(1)
    async with school.uploader(watched) as uploader:
        for job in backlog + fresh:
            uploader.submit(job)
        assert await uploader.drain(30)
    of_backlog = [number for recording_id, number in school.stored if recording_id == backlog[0].plan.recording_id]
    assert of_backlog == list(range(1, 9)), "one by one, in order"
    assert school.stored.index((fresh[0].plan.recording_id, 1)) <= 2


async def test_a_store_that_is_away_costs_no_order(school: School, s3: embedded_s3.Running) -> None:
    host, _, port = s3.endpoint.partition(":")
    jobs = await school.recording(4)
    async with relay(host, int(port)) as wire:
        store = ObjectStore(replace(object_store_settings(s3), s3_endpoint=f"127.0.0.1:{wire.port}"))
        await wire.cut()
        async with school.uploader(store) as uploader:
            for job in jobs:
                uploader.submit(job)
            assert not await uploader.drain(3)
            since = uploader.failing_since
            assert since is not None
            assert school.stored == []
            await wire.mend()
            assert await uploader.drain(30)
            assert uploader.failing_since is None
        assert [number for _, number in school.stored] == [1, 2, 3, 4]
    await school.check(ObjectStore(object_store_settings(s3)), jobs)


async def all_but_one_are_stored(uploader: Uploader) -> None:
    async def are_stored() -> bool:
        return uploader.pending == 1

    await until(are_stored)


async def test_a_reel_that_cannot_be_read_holds_up_no_other(school: School, watched: Watched) -> None:
    """Its init is away, and may come back: nothing is wrong with its media."""
    broken, other = await school.recording(1), await school.recording(2)
    init = broken[0].spool.folder / init_name(1)
    kept = init.read_bytes()
    init.unlink()
    async with school.uploader(watched) as uploader:
        for job in broken + other:
            uploader.submit(job)
        await all_but_one_are_stored(uploader)
        await school.check(watched, other)
        init.write_bytes(kept)
        assert await uploader.drain(10)
    await school.check(watched, broken)


async def test_a_reel_that_cannot_be_salvaged_holds_up_no_other(
    school: School, watched: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken, other = await school.recording(1), await school.recording(2)
    (broken[0].spool.folder / broken[0].plan.segments[0].source.name).unlink()

    def fails(job: ReelJob, found: Found, highest: int) -> list[ReelJob]:
        raise RuntimeError("nobody thought of this")

    monkeypatch.setattr(school, "_on_spoilt", fails)
    async with school.uploader(watched, upload_threads=1) as uploader:
        for job in broken + other:
            uploader.submit(job)
        await all_but_one_are_stored(uploader)
        await school.check(watched, other)


async def test_what_is_left_of_a_reel_goes_up_and_what_is_not_is_told(school: School, watched: Watched) -> None:
    jobs = await school.recording(3)
    segments = [place.source.name for job in jobs for place in job.plan.segments]
    folder = jobs[0].spool.folder
    os.truncate(folder / segments[0], SEGMENT_BYTES - 1)
    (folder / segments[2]).unlink()
    (folder / segments[3]).unlink()
    async with school.uploader(watched) as uploader:
        for job in jobs:
            uploader.submit(job)
        assert await uploader.drain(10)
        assert uploader.pending == 0
    assert [number for _, number in school.stored] == [1, 2, 3]
    async with school.catalogue.transaction() as tx:
        placed = await reels.of_recording(tx, jobs[0].plan.recording_id)
        said = await report(tx, await recordings.get(tx, jobs[0].plan.recording_id))
    assert [(one.reel.number, [s["msn"] for s in one.reel.segments]) for one in placed] == [(1, [1]), (3, [4, 5])]
    assert placed[1].reel.discontinuity, "what was before it is not there"
    harms = [(one["harm"], one["at_ms"], one["duration_ms"]) for one in said["spoilt"]]
    assert harms == [("lost", 0, 2000), ("lost", 4000, 2000), ("lost", 6000, 2000)]
    assert said["takes"][0]["spoilt_ms"] == 6000
    assert [gap["reasons"] for gap in said["gaps"]] == [["not_recorded", "lost"]] * 2


async def test_bytes_that_changed_in_the_spool_are_never_stored_as_if_they_had_been_captured(
    school: School, watched: Watched
) -> None:
    (job,) = await school.recording(1)
    path = job.spool.folder / job.plan.segments[1].source.name
    changed = bytearray(path.read_bytes())
    changed[SEGMENT_BYTES // 2] ^= 1
    path.write_bytes(changed)
    async with school.uploader(watched) as uploader:
        uploader.submit(job)
        assert await uploader.drain(10)
    async with school.catalogue.transaction() as tx:
        said = await report(tx, await recordings.get(tx, job.plan.recording_id))
    harms = [(one["harm"], one["at_ms"], one["duration_ms"]) for one in said["spoilt"]]
    assert harms == [("damaged", 2000, 2000)]
    await school.check(watched, [job])


async def test_an_upload_that_was_given_up_is_done_again_from_the_spool(school: School, watched: Watched) -> None:
    """As after a crash between any two steps: the same plan under the same name, whatever the store has already."""
    jobs = await school.recording(2)
    watched.put_pieces(jobs[0].plan.key, [Piece(jobs[0].spool.folder / "00000000.m4s", 0, 10)])
    async with school.uploader(watched) as uploader:
        uploader.submit(jobs[0])
        assert await uploader.drain(10)
    again = [ReelJob(job.plan, TakeSpool(job.spool.folder, job.spool.about)) for job in jobs]
    async with school.uploader(watched) as uploader:
        for job in again:
            uploader.submit(job)
        assert await uploader.drain(10)
    await school.check(watched, jobs)


async def test_a_spool_that_comes_back_after_the_purge_leaves_nothing(school: School, watched: Watched) -> None:
    jobs = await school.recording(2)
    recording_id = jobs[0].plan.recording_id
    async with school.catalogue.transaction() as tx:
        recording = await recordings.lock(tx, recording_id)
        for move in (RecordingMove.capture_ended, RecordingMove.mark, RecordingMove.purge, RecordingMove.purged):
            await recordings.move(tx, recording, move)
    async with school.uploader(watched) as uploader:
        for job in jobs:
            uploader.submit(job)
        assert await uploader.drain(10)
    assert watched.prefix_is_empty(keys.recording_prefix(recording_id))
    assert school.stored == [(recording_id, 1), (recording_id, 2)], "the spool may let go of them"
    async with school.catalogue.transaction() as tx:
        assert await reels.of_recording(tx, recording_id) == []
        told = select(AuditEntry.item_id).where(AuditEntry.action == "reel_discarded")
        assert list(await tx.session.scalars(told)) == [str(recording_id)] * 2
