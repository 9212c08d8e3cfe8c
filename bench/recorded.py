"""Recordings to replay: one reel that a real ingest captured from a real encoder, repeated under many rows.

Rows are the catalogue's own, as many as the length needs. Objects lie in the store for the first reels alone: a viewer
who begins asks for no other, and the load fetches those.
"""

import dataclasses
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from uuid import UUID

from bench import lessons
from bench.encoders import Encoders
from bench.house import House
from bench.processes import until
from domain.kinds import Protocol, Slot
from domain.states import SessionMove
from lectern.clock import now
from storage.catalogue import institute, live_owner, recordings, reels, sessions, takes
from storage.catalogue.identifiers import new_id
from storage.catalogue.tables.take import Take
from storage.catalogue.transaction import Transaction
from storage.embedded.ports import LOOPBACK
from storage.objects import keys

REEL_SECONDS = 10.0
CAPTURE_SPEED = 4.0
CAPTURE_SECONDS = 60.0
COHORT = "class-1"
NODE = "bench"


@dataclass(frozen=True)
class CapturedReel:
    """A real reel: its row's facts and its bytes, and those of its init."""

    row: reels.NewReel
    media: bytes
    init: bytes
    init_sha256: bytes
    tracks: list[dict[str, object]]


async def capture(home: House, clip: Path) -> CapturedReel:
    """Publish the clip into a real ingest, four times as quick as it is, until a reel of ten seconds is stored."""
    async with home.ingest("capture", reel_seconds=REEL_SECONDS) as (program, settings):
        (lesson,) = await lessons.plan(home.catalogue, settings, 1)
        address = f"rtmp://{LOOPBACK}:{settings.ingest.rtmp_port}/live/{lesson.key}"
        encoders = await Encoders.publish(clip, [address], home.folder / "to-capture", speed=CAPTURE_SPEED)
        try:
            await until(lambda: _has_reel(home, lesson.session_id), CAPTURE_SECONDS, "capturing a reel", [program])
        finally:
            await encoders.kill()
    (first, *_) = await _placed(home, lesson.session_id)
    made_of = {field.name: getattr(first.reel, field.name) for field in dataclasses.fields(reels.NewReel)}
    return CapturedReel(
        reels.NewReel(**made_of),
        home.store.read(first.reel.object_key),
        home.store.read(first.init.object_key),
        first.init.sha256,
        first.init.tracks,
    )


async def repeat(home: House, source: CapturedReel, seconds: float, stored: int) -> UUID:
    """A recording of about `seconds`, whole, of one take; the objects of its first `stored` reels are there."""
    count = round(seconds * 1000 / source.row.duration_ms)
    async with home.catalogue.transaction() as tx:
        (lesson,) = await lessons.add(tx, home.settings, 1)
        take = await _take(tx, lesson.session_id, now(), NODE)
        await _rows(home, tx, take, source, count, stored)
        assert take.recording_id is not None
        ended_at = take.started_at + timedelta(milliseconds=count * source.row.duration_ms)
        await takes.end(tx, take.id, ended_at, "unpublished")
        session = await sessions.lock(tx, take.session_id)
        await sessions.move(tx, session, SessionMove.end, ended_at, "button")
        await recordings.capture_ended(tx, take.recording_id, ended_at)
    return take.recording_id


async def under_way(home: House, source: CapturedReel, seconds: float, node: str) -> lessons.Lesson:
    """A session that has been live for about `seconds` at this node, which is down: all it captured is in reels."""
    count = round(seconds * 1000 / source.row.duration_ms)
    length = timedelta(milliseconds=count * source.row.duration_ms)
    async with home.catalogue.transaction() as tx:
        (lesson,) = await lessons.add(tx, home.settings, 1)
        take = await _take(tx, lesson.session_id, now() - length, node)
        await _rows(home, tx, take, source, count, 1)
        await takes.end(tx, take.id, take.started_at + length, "stopped")
    return lesson


async def _rows(home: House, tx: Transaction, take: Take, source: CapturedReel, count: int, stored: int) -> None:
    """The reel under `count` rows, one after the other in time; objects for the first `stored`."""
    assert take.recording_id is not None
    init_key = keys.source_init(take.recording_id, take.id, 1)
    home.store.put_bytes(init_key, source.init)
    tracks = [dict(one) for one in source.tracks]
    init = await takes.put_init(tx, take.id, 1, init_key, source.init_sha256, len(source.init), tracks)
    length, duration_ms = len(source.row.segments), source.row.duration_ms
    for number in range(count):
        key = keys.source_reel(take.recording_id, take.id, number + 1)
        if number < stored:
            home.store.put_bytes(key, source.media)
        first_msn, later_ms = number * length, number * duration_ms
        segments = [
            {**one, "msn": first_msn + place, "starts_at_ms": one["starts_at_ms"] + later_ms}
            for place, one in enumerate(source.row.segments)
        ]
        new = dataclasses.replace(
            source.row, recording_id=take.recording_id, take_id=take.id, init_id=init.id, object_key=key,
            starts_at=take.started_at + timedelta(milliseconds=later_ms), first_msn=first_msn, segments=segments,
            discontinuity=False, number=number + 1, id=None,
        )  # fmt: skip
        await reels.store(tx, new)


async def _take(tx: Transaction, session_id: UUID, started_at: datetime, node: str) -> Take:
    """A take of the session, which becomes one of the seed's first cohort where there is a seed."""
    session = await sessions.lock(tx, session_id)
    for cohort in (await institute.overview(tx)).cohorts:
        if cohort.slug == COHORT:
            session.cohort_id, session.programme_id = cohort.id, cohort.programme_id
    epoch = await live_owner.claim(tx, session.id, node, "", started_at)
    return await takes.start(tx, takes.NewTake(new_id(), session.id, Slot.main, Protocol.rtmp, epoch), started_at)


async def _placed(home: House, session_id: UUID) -> list[reels.Placed]:
    async with home.catalogue.transaction() as tx:
        recording = await recordings.of_session(tx, session_id)
        return await reels.of_recording(tx, recording.id) if recording else []


async def _has_reel(home: House, session_id: UUID) -> bool:
    return bool(await _placed(home, session_id))
