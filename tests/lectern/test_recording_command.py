"""`lectern recording verify`, run as a person runs it, on recordings that are whole and on ones that are not."""

import json
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import anyio.to_thread
import click
import pytest
from click.testing import CliRunner

from domain.refusals import Refusal
from domain.states import SessionMove
from lectern.commands.recording import command
from lectern.complaint import Complaint
from media.fragments import init_segment
from retention.report_writing import write_report
from storage.catalogue import recordings, reels, sessions, takes
from storage.catalogue.reels import Placed
from storage.catalogue.tables.take import Take
from storage.catalogue.transaction import Actor, Catalogue
from storage.embedded import s3 as embedded_s3
from storage.objects import keys
from storage.objects.store import ObjectStore
from tests.conftest import CatalogueUrls
from tests.kit.captured import Clip, capture, clip, withhold
from tests.storage.catalogue import builders
from tests.storage.catalogue.builders import NOON

pytestmark = pytest.mark.anyio

Verify = Callable[[UUID | str], Awaitable[tuple[int, list[str]]]]


@pytest.fixture(scope="session")
def small_clip(tmp_path_factory: pytest.TempPathFactory) -> Clip:
    """Eight seconds in two reels."""
    return clip(tmp_path_factory.mktemp("clip") / "small.mp4", size="160x90", rate="100k")


@pytest.fixture
def verify(catalogue_urls: CatalogueUrls, s3: embedded_s3.Running) -> Verify:
    """Its exit code and the lines it said; raises what the command raises for the front door to say."""
    environ = {
        "LECTERN_STORAGE_DATABASE_URL": catalogue_urls.app,
        "LECTERN_STORAGE_VALKEY_URL": "unused",
        "LECTERN_STORAGE_S3_ENDPOINT": s3.endpoint,
        "LECTERN_STORAGE_S3_ACCESS_KEY": s3.access_key,
        "LECTERN_STORAGE_S3_SECRET_KEY": s3.secret_key,
        "LECTERN_STORAGE_S3_BUCKET": s3.bucket,
    }

    @click.group()
    @click.pass_context
    def lectern(context: click.Context) -> None:
        context.obj = {"config": None, "debug": False}

    lectern.add_command(command)

    async def run(recording_id: UUID | str) -> tuple[int, list[str]]:
        arguments = ["recording", "verify", str(recording_id)]
        result = await anyio.to_thread.run_sync(
            lambda: CliRunner().invoke(lectern, arguments, env=environ, catch_exceptions=False)
        )
        return result.exit_code, result.stdout.splitlines()

    return run


async def stored(catalogue: Catalogue, objects: ObjectStore, clip: Clip, **findings: Any) -> tuple[UUID, list[Placed]]:
    """A whole recording with its report; `findings` change what its take says."""
    frames = {kind: sum(1 for p in clip.packets if p.track.kind == kind) for kind in ("video", "audio")}
    found = {"frames": frames, "dropped": {}, "disk_gaps": 0, "repairs": {}, "repaired": []}
    found |= {"unrecorded": {"frames": {}, "stretches": []}, "ends_at_ms": 8000} | findings
    async with catalogue.transaction() as tx:
        session = await builders.session(tx, await builders.place(tx))
        take = await builders.take(tx, session)
        await capture(tx, objects, take, clip)
        assert take.recording_id is not None
        await takes.end(tx, take.id, NOON + timedelta(seconds=8), "unpublished", findings=found)
        await sessions.move(tx, await sessions.lock(tx, session.id), SessionMove.end, NOON, "button")
        await recordings.capture_ended(tx, take.recording_id, NOON)
        placed = await reels.of_recording(tx, take.recording_id)
    assert await write_report(catalogue, objects, take.recording_id)
    return take.recording_id, placed


async def test_a_whole_recording(
    catalogue: Catalogue, object_store: ObjectStore, small_clip: Clip, verify: Verify
) -> None:
    recording_id, placed = await stored(catalogue, object_store, small_clip)
    code, lines = await verify(recording_id)
    assert code == 0, lines
    assert [line.split(":")[0] for line in lines] == [
        "ok    report", f"ok    init {placed[0].reel.take_id}/init-0.mp4", "ok    reel 00001", "ok    reel 00002",
        "ok    times", "ok    take 1", "whole",
    ]  # fmt: skip
    assert "100 video and " in lines[2]
    assert "continuous" in lines[4]
    assert "200 video and " in lines[5]


async def test_what_the_spool_lost_was_told_and_is_no_loss_of_the_store(
    catalogue: Catalogue, object_store: ObjectStore, small_clip: Clip, verify: Verify
) -> None:
    frames = {kind: sum(1 for p in small_clip.packets if p.track.kind == kind) for kind in ("video", "audio")}
    recording_id, placed = await stored(
        catalogue, object_store, small_clip, frames={kind: many + 25 for kind, many in frames.items()}
    )
    code, lines = await verify(recording_id)
    assert (code, lines[-1].split(":")[0]) == (1, "not whole")
    async with catalogue.transaction() as tx:
        told = {"take_id": str(placed[0].reel.take_id), "evidence": False, "harm": "lost"}
        await tx.audit(
            Actor.system("ingest"),
            "media_spoilt",
            "recording",
            recording_id,
            starts_at_ms=3000,
            duration_ms=1000,
            **told,
        )
    assert await write_report(catalogue, object_store, recording_id)
    code, lines = await verify(recording_id)
    assert code == 0, lines
    assert "ok    spool: lost before it could be stored: 1.000 s, in 1 places" in lines
    assert "25 video and 25 audio frames lost in the spool" in lines[-2]


def remove(objects: ObjectStore, key: str) -> None:
    objects._client.remove_object(objects._bucket, key)


async def test_each_thing_that_can_be_wrong_is_found(
    catalogue: Catalogue, object_store: ObjectStore, small_clip: Clip, verify: Verify
) -> None:
    recording_id, (first, second) = await stored(catalogue, object_store, small_clip)
    whole = {key: object_store.read(key) for key in (first.reel.object_key, second.reel.object_key)}
    written = object_store.read(keys.report(recording_id))

    async def failed() -> list[str]:
        code, lines = await verify(recording_id)
        assert code == 1
        assert lines[-1].startswith("not whole: ")
        return [line.split(":")[0].removeprefix("FAIL  ") for line in lines if line.startswith("FAIL")]

    content = whole[second.reel.object_key]
    turned = bytearray(content)
    turned[len(turned) // 2] ^= 1
    object_store.put_bytes(second.reel.object_key, bytes(turned))
    assert await failed() == ["reel 00002", "take 1"], "one bit"
    object_store.put_bytes(second.reel.object_key, content[:-1])
    assert await failed() == ["reel 00002", "take 1"], "cut short"
    remove(object_store, second.reel.object_key)
    assert await failed() == ["reel 00002", "take 1"], "gone"
    object_store.put_bytes(second.reel.object_key, content)

    object_store.put_bytes(first.init.object_key, b"no init")
    assert await failed() == [f"init {first.reel.take_id}/init-0.mp4", "reel 00001", "reel 00002", "take 1"]
    object_store.put_bytes(first.init.object_key, _init(small_clip))

    changed = json.loads(written)
    changed["reels"].pop()
    object_store.put_bytes(keys.report(recording_id), json.dumps(changed).encode())
    assert await failed() == ["report", "times", "take 1"]
    remove(object_store, keys.report(recording_id))
    assert await failed() == ["report"]
    object_store.put_bytes(keys.report(recording_id), written)
    assert (await verify(recording_id))[0] == 0


def _init(of: Clip) -> bytes:
    return init_segment(of.tracks)


async def test_frames_that_came_and_are_nowhere(
    catalogue: Catalogue, object_store: ObjectStore, small_clip: Clip, verify: Verify
) -> None:
    recording_id, _ = await stored(catalogue, object_store, small_clip, frames={"video": 203, "audio": 380})
    code, lines = await verify(recording_id)
    assert code == 1
    assert [line for line in lines if line.startswith("FAIL")] == [lines[-2]]
    assert lines[-2].endswith("lost")


EXPLAINED = {
    "dropped": {"video": 1},
    "unrecorded": {"frames": {"video": 2}, "stretches": [{"at_ms": 0, "duration_ms": 80}]},
}


async def test_frames_that_the_disk_did_not_take_or_nobody_could_decode_are_explained(
    catalogue: Catalogue, object_store: ObjectStore, small_clip: Clip, verify: Verify
) -> None:
    recording_id, _ = await stored(catalogue, object_store, small_clip, frames={"video": 203}, **EXPLAINED)
    code, lines = await verify(recording_id)
    assert code == 0
    assert lines[-2].endswith("stored, 1 video frame before a key frame, 2 video frames not recorded")


async def test_a_hole_does_not_excuse_another_loss(
    catalogue: Catalogue, object_store: ObjectStore, small_clip: Clip, verify: Verify
) -> None:
    recording_id, _ = await stored(catalogue, object_store, small_clip, frames={"video": 204}, **EXPLAINED)
    code, lines = await verify(recording_id)
    assert (code, lines[-2].endswith("1 video frame lost")) == (1, True)


async def test_what_was_withheld_is_counted_and_read_back_too(
    catalogue: Catalogue, object_store: ObjectStore, small_clip: Clip, verify: Verify
) -> None:
    recording_id, (_, second) = await stored(catalogue, object_store, small_clip)
    async with catalogue.transaction() as tx:
        take = await tx.session.get_one(Take, second.reel.take_id)
        kept = await withhold(tx, object_store, take, await tx.session.merge(second.reel))
    assert await write_report(catalogue, object_store, recording_id)
    code, lines = await verify(recording_id)
    assert code == 0, lines
    assert lines[3].startswith("ok    evidence 00001: ")
    assert lines[-2].endswith("100 video and 189 audio frames stored, 100 video and 187 audio frames withheld")
    remove(object_store, kept.object_key)
    code, lines = await verify(recording_id)
    assert [line.split(":")[0] for line in lines if line.startswith("FAIL")] == ["FAIL  evidence 00001"]


async def test_what_cannot_be_verified_is_said_in_one_line(
    catalogue: Catalogue, object_store: ObjectStore, small_clip: Clip, verify: Verify
) -> None:
    with pytest.raises(Refusal):
        await verify(uuid4())
    code, _ = await verify("not-an-id")
    assert code == 2
    async with catalogue.transaction() as tx:
        session = await builders.session(tx, await builders.place(tx))
        take = await builders.take(tx, session)
    assert take.recording_id is not None
    with pytest.raises(Complaint, match="still captured"):
        await verify(take.recording_id)
