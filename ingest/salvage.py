"""What is left of a reel whose spool files are not what was captured: a file that is gone, a sector that cannot be
read, a bit that turned.

Rule: as little as possible is lost, and all of it is said. What cannot be read is cut out, so that the rest becomes
reels of its own. What was changed is stored as it lies there, for one wrong bit is one wrong picture to a viewer; but
where it is no longer a fragment, and would keep players from what follows, its head is made that of a `free` box
(ISO/IEC 14496-12 §8.1.2), which they pass over. Files with bytes that are given up are put aside, never deleted; and so
is media whose init is none and in no store: nobody can decode it.
"""

import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from errno import EBADMSG, EIO, ENODATA, ENOENT
from itertools import chain, count
from pathlib import Path
from sys import maxsize

import msgspec
import structlog

from ingest.reel_plan import Harm, PartCheck, PlannedSegment, Spoilt, SpoolRange, pack
from ingest.reels import ReelBuilder, ReelJob
from ingest.spool import ASIDE, init_name
from media.fragments import complete_length, read_fragments, read_init
from media.malformed import MalformedMedia
from media.movie import Movie, parse_movie
from storage.objects.checksums import checksum

log = structlog.get_logger()

_EUCLEAN = 117  # "Structure needs cleaning", Linux alone
LOST = frozenset({ENOENT, EIO, ENODATA, EBADMSG, _EUCLEAN})
"""What a disk says of bytes that it does not have. Everything else may be otherwise the next time."""


@dataclass(slots=True)
class Found:
    """A reel's segments as they can be stored, and what cannot, or not as it was."""

    segments: list[PlannedSegment] = field(default_factory=list)
    spoilt: list[Spoilt] = field(default_factory=list)


def look(job: ReelJob) -> Found | None:
    """Reads the reel's files; None where nothing is wrong with them. Belongs in a thread. Raises OSError where that
    cannot be said now.
    """
    found, lost = Found(), []
    movie, is_readable = _movie(job), not _has_lost_its_init(job)
    for segment in job.plan.segments:
        if is_readable:
            kept, gone = _look(job.spool.folder, segment, movie, found.spoilt)
        else:
            kept, gone = None, segment.source
            found.spoilt.append(Spoilt(Harm.lost, segment.start, segment.duration))
        if kept is not None:
            found.segments.append(kept)
        if gone is not None:
            lost.append(gone)
    if not found.spoilt:
        return None
    for one in found.spoilt:
        log.error("spool_spoilt", reel=job.plan.key, harm=one.harm, start=one.start, duration=one.duration)
        if one.harm == Harm.lost:
            job.spool.holes.add(one.start + one.duration)
    for place in lost:
        job.spool.give_up(place)
    return found


def rebuilt(
    job: ReelJob, found: Found, highest_number: int, next_number: Callable[[], int] | None = None
) -> list[ReelJob]:
    """The reels that take its place: its own number is the first one's, which says what was found. Where nobody else
    gives `next_number` any more, they follow the highest.
    """
    numbers = chain([job.plan.number], iter(next_number, None) if next_number else count(highest_number + 1))
    builder = ReelBuilder(maxsize, evidence=job.plan.evidence, next_number=lambda: next(numbers))
    jobs = [made for segment in found.segments for made in builder.add(job.spool, job.plan.init_number, segment)]
    jobs += builder.flush() or ([] if jobs else [ReelJob(msgspec.structs.replace(job.plan, segments=[]), job.spool)])
    spoilt = [*job.plan.spoilt, *found.spoilt]
    return [ReelJob(msgspec.structs.replace(jobs[0].plan, spoilt=spoilt), job.spool), *jobs[1:]]


def lost_numbers(job: ReelJob, jobs: Iterable[ReelJob]) -> set[int]:
    """The msns of which nothing is in the reels that took its place."""
    kept = {segment.msn for one in jobs for segment in one.plan.segments}
    return {segment.msn for segment in job.plan.segments} - kept


def _look(
    folder: Path, segment: PlannedSegment, movie: Movie | None, spoilt: list[Spoilt]
) -> tuple[PlannedSegment | None, SpoolRange | None]:
    """The segment as far as it can be read, and the place of what cannot; adds to `spoilt` what is wrong."""
    name, offset, length = segment.source
    path, at, end = folder / name, segment.start, segment.start + segment.duration
    checks: list[PartCheck] = []
    before = len(spoilt)
    for check in segment.checks() or [PartCheck(length, segment.duration, None)]:
        data = _read(path, offset, check.length)
        if data is None:
            break
        if check.checksum not in (None, checksum(data)):
            spoilt.append(Spoilt(Harm.damaged, at, check.duration))
            data = data if _is_fragment(data, movie) else _made_harmless(path, offset, data)
        checks.append(check._replace(checksum=checksum(data)))
        offset, at = offset + check.length, at + check.duration
    if len(checks) == len(segment.checks() or [1]):
        if len(spoilt) == before:
            return segment, None
        return msgspec.structs.replace(segment, packed=pack(checks), counted=None), None
    spoilt.append(Spoilt(Harm.lost, at, end - at))
    kept_length = offset - segment.source.offset
    gone = SpoolRange(name, offset, length - kept_length)
    if not checks:
        return None, gone
    place = SpoolRange(name, segment.source.offset, kept_length)
    duration = at - segment.start
    kept = msgspec.structs.replace(segment, source=place, duration=duration, packed=pack(checks), counted=None)
    return kept, gone


def _read(path: Path, offset: int, length: int) -> bytes | None:
    """None where the disk does not have it."""
    try:
        with path.open("rb", buffering=0) as file:
            file.seek(offset)
            data = b""
            while len(data) < length and (more := file.read(length - len(data))):
                data += more
    except OSError as error:
        if error.errno not in LOST:
            raise
        return None
    return data if len(data) == length else None


def _has_lost_its_init(job: ReelJob) -> bool:
    """Whether it is there, cannot be read as one, and the store has none: then it is kept beside what is given up. One
    that is away may come back.
    """
    if job.plan.init_key in job.spool.init_rows:
        return False
    name = init_name(job.plan.init_number)
    try:
        content = (job.spool.folder / name).read_bytes()
        read_init(content)
    except OSError:
        return False
    except MalformedMedia:
        aside = job.spool.folder.parent.parent / ASIDE
        aside.mkdir(exist_ok=True)
        (aside / f"{job.plan.take_id}-{name}").write_bytes(content)
        return True
    return False


def _movie(job: ReelJob) -> Movie | None:
    try:
        return parse_movie((job.spool.folder / init_name(job.plan.init_number)).read_bytes())
    except (OSError, MalformedMedia):
        return None


def _is_fragment(data: bytes, movie: Movie | None) -> bool:
    """Whether a player would find its way through it, whatever the pictures in it are."""
    if complete_length(data) != len(data):
        return False
    try:
        return movie is None or bool(read_fragments(data, movie))
    except MalformedMedia:
        return False


def _made_harmless(path: Path, offset: int, data: bytes) -> bytes:
    """The part with the head of a `free` box, as it now lies in its file. Raises OSError."""
    head = len(data).to_bytes(4, "big") + b"free"
    descriptor = os.open(path, os.O_WRONLY | os.O_CLOEXEC)
    try:
        os.pwrite(descriptor, head, offset)
        os.fdatasync(descriptor)
    finally:
        os.close(descriptor)
    return head + data[len(head) :]
