"""One reel on its way into the store: its bytes put together, sent, read back; then its rows. Each step may be done
again.

`send` is synchronous and belongs in a thread: it reads files and talks to the store. `keep` is the transaction that
makes the copy known. Nothing here deletes media.
"""

import hashlib
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from ingest.events import CLOCK
from ingest.reel_plan import ReelPlan
from ingest.reels import ReelJob
from ingest.spool import init_name, unlink
from media.fragments import read_init
from media.packet import Track
from storage.catalogue import reels, takes
from storage.catalogue.transaction import Actor, Transaction
from storage.objects.store import ObjectStore, VerifiedCopy

CHUNK_BYTES = 1 << 20
ACTOR = Actor.system("ingest")


def send(store: ObjectStore, job: ReelJob) -> VerifiedCopy:
    """Uploads the reel and its init and reads both back. Raises ObjectStoreFault, OSError."""
    plan, folder = job.plan, job.spool.folder
    job.spool.plan(plan)
    init = (folder / init_name(plan.init_number)).read_bytes()
    store.put_bytes(plan.init_key, init)
    store.verify(plan.init_key, hashlib.sha256(init).digest(), len(init))
    whole = folder / f"reel-{plan.number:05}.sending"
    sha256 = _put_together(folder, plan, whole)
    try:
        store.put_file(plan.key, whole, sha256)
        return store.verify(plan.key, sha256, plan.bytes)
    finally:
        unlink(whole)


async def keep(tx: Transaction, job: ReelJob, copy: VerifiedCopy, now: datetime) -> None:
    """The reel's row, its recording's growth and its fact; of evidence, an audit entry alone: no reader must find
    it.
    """
    plan, about = job.plan, job.spool.about
    if plan.evidence:
        await tx.audit(
            ACTOR,
            "evidence_stored",
            "recording",
            plan.recording_id,
            session_id=str(about.session_id),
            object_key=copy.key,
            sha256=copy.sha256.hex(),
            duration_ms=plan.duration * 1000 // CLOCK,
        )
        return
    init = (job.spool.folder / init_name(plan.init_number)).read_bytes()
    tracks = [_track_row(track) for track in read_init(init)]
    row = await takes.put_init(
        tx, plan.take_id, plan.init_number, plan.init_key, hashlib.sha256(init).digest(), len(init), tracks
    )
    first = plan.segments[0]
    await reels.store(
        tx,
        reels.NewReel(
            recording_id=plan.recording_id,
            take_id=plan.take_id,
            init_id=row.id,
            object_key=copy.key,
            bytes=copy.size,
            sha256=copy.sha256,
            duration_ms=plan.duration * 1000 // CLOCK,
            starts_at=about.origin + timedelta(microseconds=first.start * 1_000_000 // CLOCK),
            first_msn=first.msn,
            segments=segment_rows(plan),
            discontinuity=first.discontinuity,
            stored_at=now,
            verified_at=now,
            number=plan.number,
        ),
    )


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
        )
        offset += segment.source.length
    return rows


def _put_together(folder: Path, plan: ReelPlan, whole: Path) -> bytes:
    """Writes the reel's ranges into one file; their SHA-256."""
    digest = hashlib.sha256()
    with whole.open("wb") as out:
        for segment in plan.segments:
            place = segment.source
            with (folder / place.name).open("rb") as source:
                source.seek(place.offset)
                left = place.length
                while left:
                    chunk = source.read(min(CHUNK_BYTES, left))
                    if not chunk:
                        message = f"{folder / place.name} ends before {place.offset + place.length}"
                        raise OSError(message)
                    digest.update(chunk)
                    out.write(chunk)
                    left -= len(chunk)
    return digest.digest()


def _track_row(track: Track) -> dict[str, Any]:
    row: dict[str, Any] = {"kind": track.kind, "codec": track.codec_string, "timescale": track.timescale}
    if track.kind == "video":
        return row | {"width": track.width, "height": track.height}
    return row | {"sample_rate": track.sample_rate, "channels": track.channels}
