"""Encoding real reels on real stores. One reel takes about a second."""

import hashlib
from pathlib import Path
from uuid import uuid4

import pytest

from domain.facts import LadderCompleted, RecordingStored, ReelStored
from domain.refusals import Refusal
from domain.states import SessionMove, WorkState
from media.fragments import packets
from storage.catalogue import ladder, outbox, recordings, sessions, stills, takes, work
from storage.catalogue.tables.rendition_reel import RenditionReel
from storage.catalogue.tables.still import StillKind
from storage.objects.faults import ObjectCorrupt
from storage.objects.store import ObjectStore
from storage.workshop import Place
from tests.kit.captured import Clip
from tests.media.clips import ffmpeg
from tests.storage.catalogue import builders
from tests.transcode.conftest import NOW, Recorded
from transcode import subjects
from transcode.encode import encode
from transcode.reactions import recording_stored, reel_stored

LATER = NOW.replace(year=2100)

pytestmark = pytest.mark.anyio


async def encode_all(here: Place, recorded: Recorded) -> None:
    """As the outbox and a worker do."""
    for reel in recorded.reels:
        async with here.catalogue.transaction() as tx:
            await reel_stored(tx, ReelStored(recording_id=reel.recording_id, reel_id=reel.id), NOW)
        subject = subjects.encode(reel.id, recorded.plan.id)
        async with here.catalogue.transaction() as tx:
            await work.start(tx, subject, NOW)
        await encode(here, reel.id, recorded.plan.id, subject)


async def made(here: Place, recorded: Recorded) -> list[RenditionReel]:
    async with here.catalogue.transaction() as tx:
        return list(await ladder.of_recording(tx, recorded.reels[0].recording_id))


async def test_every_frame_keeps_its_time_and_the_sound_is_the_sources(
    workshop: Place, recorded: Recorded, source_clip: Clip
) -> None:
    await encode_all(workshop, recorded)
    renditions = await made(workshop, recorded)
    assert sorted({one.rendition for one in renditions}) == ["480p", "720p"]
    for name in ("720p", "480p"):
        own = [one for one in renditions if one.rendition == name]
        found = [
            packet
            for one in own
            for packet in packets(workshop.objects.read(one.init_key), workshop.objects.read(one.object_key))
        ]
        for kind in ("video", "audio"):
            wanted = sorted(one.pts for one in source_clip.packets if one.track.kind == kind)
            assert sorted(one.pts for one in found if one.track.kind == kind) == wanted
        sound = [bytes(one.data) for one in found if one.track.kind == "audio"]
        assert sound == [bytes(one.data) for one in source_clip.packets if one.track.kind == "audio"]
        decode_times = [one.dts for one in found if one.track.kind == "video"]
        assert decode_times == sorted(set(decode_times))


async def test_segments_begin_with_key_frames_and_one_init_serves_all(
    workshop: Place, recorded: Recorded, tmp_path: Path
) -> None:
    await encode_all(workshop, recorded)
    for name in ("720p", "480p"):
        own = [one for one in await made(workshop, recorded) if one.rendition == name]
        assert len({one.init_key for one in own}) == 1
        init = workshop.objects.read(own[0].init_key)
        whole = b""
        for one in own:
            media = workshop.objects.read(one.object_key)
            whole += media
            assert hashlib.sha256(media).digest() == one.sha256
            for at in one.segments:
                first = packets(init, media[at["offset"] : at["offset"] + at["bytes"]])[0]
                assert first.track.kind == "video"
                assert first.keyframe
        file = tmp_path / f"{name}.mp4"
        file.write_bytes(init + whole)
        ffmpeg("-i", file, "-f", "null", "-")


async def test_no_two_seconds_pass_the_cap(workshop: Place, recorded: Recorded) -> None:
    await encode_all(workshop, recorded)
    caps = {one["name"]: one["max_kbps"] for one in recorded.plan.renditions}
    for one in await made(workshop, recorded):
        for at in one.segments:
            init, media = workshop.objects.read(one.init_key), workshop.objects.read(one.object_key)
            piece = packets(init, media[at["offset"] : at["offset"] + at["bytes"]])
            picture = sum(len(packet.data) for packet in piece if packet.track.kind == "video")
            assert picture * 8 / at["duration_ms"] <= 1.1 * caps[one.rendition]


async def test_encoded_again_it_gives_the_same_bytes(workshop: Place, recorded: Recorded) -> None:
    await encode_all(workshop, recorded)
    before = {one.object_key: one.sha256 for one in await made(workshop, recorded)}
    reel = recorded.reels[0]
    subject = subjects.encode(reel.id, recorded.plan.id)
    await encode(workshop, reel.id, recorded.plan.id, subject)
    after = await made(workshop, recorded)
    assert {one.object_key: one.sha256 for one in after} == before
    for one in after:
        assert hashlib.sha256(workshop.objects.read(one.object_key)).digest() == one.sha256


async def test_stills_and_a_poster(workshop: Place, recorded: Recorded) -> None:
    await encode_all(workshop, recorded)
    async with workshop.catalogue.transaction() as tx:
        found = await stills.of_recording(tx, recorded.reels[0].recording_id)
        recording = await recordings.get(tx, recorded.reels[0].recording_id)
    assert [one.at_ms for one in found if one.kind == StillKind.still] == [0, 2000, 4000, 6000]
    assert recording.poster_key is not None
    assert workshop.objects.read(recording.poster_key).startswith(b"\xff\xd8")


async def test_the_ladder_is_told_complete_once_the_recording_is_whole(workshop: Place, recorded: Recorded) -> None:
    await encode_all(workshop, recorded)
    async with workshop.catalogue.transaction() as tx:
        assert LadderCompleted.NAME not in {
            one.name for one in await outbox.claim_due(tx, builders.NOON.replace(year=2100))
        }
    recording_id = recorded.reels[0].recording_id
    async with workshop.catalogue.transaction() as tx:
        await takes.end(tx, recorded.take.id, NOW, "unpublished")
        session = await sessions.lock(tx, recorded.take.session_id)
        await sessions.move(tx, session, SessionMove.end, NOW, "button")
        await recordings.capture_ended(tx, recording_id, NOW)
        await recording_stored(tx, RecordingStored(recording_id=recording_id), NOW)
    async with workshop.catalogue.transaction() as tx:
        told = [one.name for one in await outbox.claim_due(tx, LATER)]
    assert told.count(LadderCompleted.NAME) == 1


async def test_a_reel_that_is_not_what_was_captured_is_not_encoded(
    workshop: Place, recorded: Recorded, object_store: ObjectStore
) -> None:
    reel = recorded.reels[0]
    object_store.put_bytes(reel.object_key, b"\0" * reel.bytes)
    with pytest.raises(ObjectCorrupt):
        await encode(workshop, reel.id, recorded.plan.id, "any")
    assert not await made(workshop, recorded)
    work_folder = next(iter(workshop.rooms.values())).work_folder  # type: ignore[attr-defined]
    assert list(work_folder.iterdir()) == []


async def test_a_reel_that_is_gone_is_refused(workshop: Place, recorded: Recorded) -> None:
    with pytest.raises(Refusal, match="not_found"):
        await encode(workshop, uuid4(), recorded.plan.id, "any")


async def test_a_fact_delivered_twice_queues_once(workshop: Place, recorded: Recorded) -> None:
    reel = recorded.reels[0]
    fact = ReelStored(recording_id=reel.recording_id, reel_id=reel.id)
    for _ in range(2):
        async with workshop.catalogue.transaction() as tx:
            (order,) = await reel_stored(tx, fact, NOW)
    async with workshop.catalogue.transaction() as tx:
        items = await work.of_recording(tx, reel.recording_id)
    assert [one.state for one in items] == [WorkState.queued]
    assert order.job_id == items[0].subject
