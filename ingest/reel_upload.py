"""One reel on its way into the store: sent from its spool files, read back; then its rows. Each step may be done
again.

`send` is synchronous and belongs in a thread: it reads files and talks to the store. `keep` is the transaction that
makes the copy known. Nothing here deletes media.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import structlog

from ingest import late_takes
from ingest.events import CLOCK
from ingest.kept_init import track_row
from ingest.reel_plan import PartCheck, PlannedSegment, ReelPlan
from ingest.reels import ReelJob
from ingest.spool import init_name
from media.counting import count, summed
from media.fragments import read_init
from media.malformed import MalformedMedia
from media.packet import Track
from storage.catalogue import evidence, reels, takes
from storage.catalogue.tables.evidence_reel import EvidenceReel
from storage.catalogue.transaction import Actor, Transaction
from storage.objects.body import Piece
from storage.objects.store import ObjectStore, VerifiedCopy

ACTOR = Actor.system("ingest")

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Sent:
    """A reel that is proven to be in the store, and its init, unless that was known before."""

    reel: VerifiedCopy
    init: VerifiedCopy | None
    tracks: list[Track]
    """What the init says is in it."""
    counted: list[dict[str, Any]] | None
    """What is in the reel, track by track, as it lay in the spool; None where it cannot be read."""


def send(store: ObjectStore, job: ReelJob) -> Sent:
    """Uploads the reel, and its init unless that is known, and reads back what it uploaded. Raises ObjectStoreFault,
    OSError; MalformedMedia where what should be its init is none.
    """
    plan, spool = job.plan, job.spool
    spool.plan(plan)
    init, tracks = None, []
    content = (spool.folder / init_name(plan.init_number)).read_bytes()
    if plan.init_key not in spool.init_rows:
        tracks = read_init(content)
        stored = store.put_bytes(plan.init_key, content)
        init = store.verify(plan.init_key, stored.sha256, stored.size)
    return Sent(store.put_pieces(plan.key, list(_pieces(job))), init, tracks, _counted(job, content))


async def keep(tx: Transaction, job: ReelJob, sent: Sent, now: datetime) -> UUID | None:
    """The reel's row, its recording's growth and its fact. The init's row, to be known from the commit on.

    Evidence has a table of its own, and an audit entry: no reader of reels must find it.
    """
    plan, about, copy = job.plan, job.spool.about, sent.reel
    await late_takes.write(tx, about, now)
    await tell_spoilt(tx, job)
    if plan.evidence:
        if await _keep_evidence(tx, job, sent, now):
            await tx.audit(
                ACTOR,
                "evidence_stored",
                "recording",
                plan.recording_id,
                session_id=str(about.session_id),
                object_key=copy.key,
                sha256=copy.sha256.hex(),
                duration_ms=plan.duration * 1000 // CLOCK,
                starts_at_ms=plan.segments[0].start * 1000 // CLOCK,
            )
        return None
    init_id = job.spool.init_rows.get(plan.init_key) or await _keep_init(tx, plan, sent)
    first = plan.segments[0]
    await reels.store(
        tx,
        reels.NewReel(
            recording_id=plan.recording_id,
            take_id=plan.take_id,
            init_id=init_id,
            object_key=copy.key,
            bytes=copy.size,
            sha256=copy.sha256,
            duration_ms=plan.duration * 1000 // CLOCK,
            starts_at=_date_of(job),
            first_msn=first.msn,
            segments=segment_rows(plan),
            discontinuity=first.discontinuity or first.start in job.spool.holes,
            stored_at=now,
            verified_at=now,
            tracks=sent.counted,
            number=plan.number,
        ),
    )
    return init_id


async def tell_spoilt(tx: Transaction, job: ReelJob) -> None:
    """For the recording's report and the audit: what of this reel could not be stored as it was captured."""
    for one in job.plan.spoilt:
        await tx.audit(
            ACTOR,
            "media_spoilt",
            "recording",
            job.plan.recording_id,
            take_id=str(job.plan.take_id),
            evidence=job.plan.evidence,
            harm=one.harm,
            starts_at_ms=one.start * 1000 // CLOCK,
            duration_ms=one.duration * 1000 // CLOCK,
        )


async def tell_discarded(tx: Transaction, job: ReelJob, objects: int) -> None:
    """For the audit: this reel came when its recording was purged, and its `objects` were deleted again."""
    await tx.audit(
        ACTOR, "reel_discarded", "recording", job.plan.recording_id, object_key=job.plan.key, objects=objects
    )


async def _keep_evidence(tx: Transaction, job: ReelJob, sent: Sent, now: datetime) -> bool:
    """False where it is kept already: it was sent again."""
    plan, copy = job.plan, sent.reel
    kept = EvidenceReel(
        recording_id=plan.recording_id,
        take_id=plan.take_id,
        init_key=plan.init_key,
        object_key=copy.key,
        bytes=copy.size,
        sha256=copy.sha256,
        duration_ms=plan.duration * 1000 // CLOCK,
        starts_at=_date_of(job),
        segments=segment_rows(plan),
        tracks=sent.counted,
        stored_at=now,
    )
    return await evidence.store(tx, kept)


def _date_of(job: ReelJob) -> datetime:
    """Program date time of the reel's first sample."""
    start = job.plan.segments[0].start
    return job.spool.about.origin + timedelta(microseconds=start * 1_000_000 // CLOCK)


async def _keep_init(tx: Transaction, plan: ReelPlan, sent: Sent) -> UUID:
    init = sent.init
    assert init is not None
    tracks = [track_row(track) for track in sent.tracks]
    row = await takes.put_init(tx, plan.take_id, plan.init_number, init.key, init.sha256, init.size, tracks)
    return row.id


def segment_rows(plan: ReelPlan) -> list[dict[str, Any]]:
    """The segments as the reel's row has them; `starts_at_ms` counts from the session line's zero."""
    rows, offset = [], 0
    for segment in plan.segments:
        rows.append(
            {
                "msn": segment.msn,
                "offset": offset,
                "bytes": segment.source.length,
                "duration_ms": round(segment.duration * 1000 / CLOCK),
                "independent": segment.independent,
                "starts_at_ms": round(segment.start * 1000 / CLOCK),
            }
            | _held_row(segment)
        )
        offset += segment.source.length
    return rows


def _held_row(segment: PlannedSegment) -> dict[str, Any]:
    held = segment.held
    if held is None:
        return {}
    times = {"starts_at_ms": round(held.start * 1000 / CLOCK), "duration_ms": round(held.duration * 1000 / CLOCK)}
    return {"held": {"segments": held.segments, **times}}


def _counted(job: ReelJob, init: bytes) -> list[dict[str, Any]] | None:
    """As it was counted when it was made; what a crash left is counted from the spool. Whoever counts the store's copy
    has something to compare it with.
    """
    runs = [segment.counted for segment in job.plan.segments]
    try:
        if None in runs:
            found = count(init, _spooled(job))
        else:
            tracks = dict(enumerate(read_init(init), 1))
            found = summed((run for of_segment in runs if of_segment for run in of_segment), tracks)
    except MalformedMedia as error:
        log.error("reel_not_counted", reel=job.plan.key, error=str(error))
        return None  # it is stored all the same
    return [track.as_row() for track in found]


def _pieces(job: ReelJob) -> Iterator[Piece]:
    """Part by part, where it is known what each must be."""
    for segment in job.plan.segments:
        path, offset = job.spool.folder / segment.source.name, segment.source.offset
        for check in segment.checks() or [PartCheck(segment.source.length, segment.duration, None)]:
            yield Piece(path, offset, check.length, check.checksum)
            offset += check.length


def _spooled(job: ReelJob) -> Iterator[bytes]:
    for name, offset, length in (segment.source for segment in job.plan.segments):
        with (job.spool.folder / name).open("rb") as file:
            file.seek(offset)
            yield file.read(length)
