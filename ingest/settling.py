"""A take's spool that a process left, held against the rows: what stands there is let go of, and what is neither there
nor here is said to be lost.

Rule: a row is written for what was read back from the store, so it is the proof that a crash kept from being acted on.
Files are let go of by the row that names exactly them; whatever is in doubt goes up once more.
"""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import structlog

from domain.states import RecordingState
from ingest.events import CLOCK
from ingest.reel_plan import Harm, PlannedSegment, ReelPlan, Spoilt
from ingest.spool_recovery import RecoveredTake
from storage.catalogue import evidence, recordings, reels, takes
from storage.catalogue.tables.evidence_reel import EvidenceReel
from storage.catalogue.tables.reel import Reel
from storage.catalogue.transaction import Transaction
from storage.objects.store import VerifiedCopy, as_recorded

log = structlog.get_logger()

_OVER = (RecordingState.purging, RecordingState.purged)


@dataclass(slots=True)
class Kept:
    """What rows say of a take; times in milliseconds of the session's line."""

    copies: dict[str, VerifiedCopy] = field(default_factory=dict)
    """By object key."""
    segments: set[tuple[int, int]] = field(default_factory=set)
    """(when it begins, bytes) of each."""
    starts: list[int] = field(default_factory=list)
    ends: list[int] = field(default_factory=list)
    inits: dict[str, UUID] = field(default_factory=dict)
    """Rows by object key."""
    is_over: bool = False
    """Its recording is purged: there are no rows any more, and nothing is missing."""

    def has(self, segment: PlannedSegment) -> bool:
        """Whether exactly it is stored."""
        return (round(segment.start * 1000 / CLOCK), segment.source.length) in self.segments

    def covers(self, segment: PlannedSegment) -> bool:
        """Whether something is stored of its time."""
        middle = (segment.start + segment.duration // 2) * 1000 // CLOCK
        before = bisect_right(self.starts, middle) - 1
        return before >= 0 and middle < self.ends[before]


async def kept(tx: Transaction, recording_id: UUID, take_id: UUID) -> Kept:
    """What a recovering uploader need not send again."""
    recording = (await recordings.by_id(tx, [recording_id])).get(recording_id)
    found = Kept(is_over=recording is None or recording.state in _OVER)
    rows: Sequence[Reel | EvidenceReel] = [
        *await reels.of_take(tx, take_id),
        *(one for one in await evidence.of_recording(tx, recording_id) if one.take_id == take_id),
    ]
    segments: list[dict[str, Any]] = sorted((s for row in rows for s in row.segments), key=lambda s: s["starts_at_ms"])
    found.copies = {row.object_key: as_recorded(row.object_key, row.bytes, row.sha256) for row in rows}
    found.inits = {row.object_key: row.id for row in await takes.inits(tx, take_id)}
    found.segments = {(one["starts_at_ms"], one["bytes"]) for one in segments}
    found.starts = [one["starts_at_ms"] for one in segments]
    found.ends = [one["starts_at_ms"] + one["duration_ms"] for one in segments]
    return found


def settle(take: RecoveredTake, kept: Kept) -> dict[bool, list[Spoilt]]:
    """Lets go of what is stored: it is no longer in the take. What is lost, by whether it is evidence. Belongs in a
    thread. Raises OSError.
    """
    take.spool.init_rows.update(kept.inits)
    for plan in take.plans:
        if _is_copied(plan, kept):
            freed = take.spool.release(kept.copies[plan.key], plan)
            log.info("spool_released", reel=plan.key, bytes=freed)
    take.plans = [plan for plan in take.plans if not _is_copied(plan, kept)]
    for _, _, segment in take.unplanned:
        if kept.has(segment):
            take.spool.let_go(segment.source)
    take.unplanned = [one for one in take.unplanned if not kept.has(one[2])]
    lost: dict[bool, list[Spoilt]] = {}
    if kept.is_over:
        return lost
    absent = [(secret, one) for secret, one in take.absent if not kept.covers(one)]
    gone = [(secret, Spoilt(Harm.lost, one.start, one.duration)) for secret, one in absent]
    for secret, spoilt in [*take.spoilt, *gone]:
        lost.setdefault(secret, []).append(spoilt)
        take.spool.holes.add(spoilt.start + spoilt.duration)
        log.error("spool_lost", take=str(take.spool.about.take_id), start=spoilt.start, duration=spoilt.duration)
    return lost


def _is_copied(plan: ReelPlan, kept: Kept) -> bool:
    copy = kept.copies.get(plan.key)
    return copy is not None and copy.size == plan.bytes
