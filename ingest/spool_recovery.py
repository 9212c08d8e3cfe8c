"""What a process that died left in its spool: every whole part, told from torn ones.

Sealed segments were flushed: of them a part counts if the file is long enough. Of others its bytes must be those of its
checksum, or another's after it; files are cut back to the last that counts. So a crash of the process loses at most the
part in the making. All others are held against their checksums when they are uploaded (`salvage.py`).

Files alone do not tell what is in the store: what is not here was let go of or is lost, and only rows say which of the
two (`settling.py`).
"""

import os
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import msgspec
import structlog

from ingest.events import HeldRun
from ingest.reel_plan import Harm, PlannedSegment, ReelPlan, Spoilt, SpoolRange, TakeAbout, pack
from ingest.spool import ABOUT, INDEX, TakeSpool, segment_name
from ingest.spool_index import (
    CutRecord,
    HoldingRecord,
    NumberedRecord,
    PartRecord,
    Record,
    ReelRecord,
    ReleasedRecord,
    SealedRecord,
    read,
)
from media.fragments import complete_length
from storage.objects.checksums import checksum

log = structlog.get_logger()


@dataclass(slots=True)
class RecoveredTake:
    """A take's spool as found. `unplanned` is what no reel has yet, in order, by what it is: (evidence, init
    number).
    """

    spool: TakeSpool
    plans: list[ReelPlan] = field(default_factory=list)
    unplanned: list[tuple[bool, int, PlannedSegment]] = field(default_factory=list)
    absent: list[tuple[bool, PlannedSegment]] = field(default_factory=list)
    """What is in no plan either, and has no file."""
    spoilt: list[tuple[bool, Spoilt]] = field(default_factory=list)
    """What the crash took, for certain; with whether it is evidence."""
    end: int = 0
    """Where its media ends on the session's line, ticks of CLOCK."""
    next_serial: int = 0
    next_msn: int = 0
    next_init_number: int = 1
    is_cut: bool | None = None
    """Whether nothing that came last was to be shown; None: as before the take."""
    holding: HoldingRecord | None = None
    """Where it is: from where on the holding picture had the numbers."""
    highest_reel: int = 0
    """The highest number that a reel of the take was given."""


def take_folders(root: Path) -> Iterator[Path]:
    """Every take's folder in the spool."""
    yield from sorted(path.parent for path in root.glob(f"*/*/{ABOUT}"))


def read_about(folder: Path) -> TakeAbout:
    """Whose a take's folder is; nothing is touched. Raises OSError, ValueError."""
    return msgspec.json.decode((folder / ABOUT).read_bytes(), type=TakeAbout)


def recover(folder: Path) -> RecoveredTake:
    """Reads a take's folder and cuts its files back to what counts. Raises FileNotFoundError when it is no take's."""
    about = read_about(folder)
    records = _index(folder)
    spool = TakeSpool(folder, about)
    take = RecoveredTake(spool, next_msn=about.first_msn)
    take.highest_reel = max((record.number for record in records if isinstance(record, ReelRecord)), default=0)
    take.plans = list(_plans(folder))
    take.highest_reel = max([take.highest_reel, *(plan.number for plan in take.plans)])
    spool.highest_reel = take.highest_reel
    planned = {(segment.source.name, segment.source.offset) for plan in take.plans for segment in plan.segments}
    turns = [record for record in records if isinstance(record, CutRecord | NumberedRecord)]
    take.is_cut = isinstance(turns[-1], CutRecord) if turns else None
    if take.is_cut:
        take.holding = next((record for record in reversed(records) if isinstance(record, HoldingRecord)), None)
    numbered = {record.serial: record for record in records if isinstance(record, NumberedRecord)}
    for evidence, parts in _segments(folder, records, take, delayed=about.delay_seconds > 0):
        first, last = parts[0], parts[-1]
        take.end = max(take.end, last.start + last.duration)
        take.next_serial = last.serial + 1
        take.next_init_number = max(take.next_init_number, first.init_number + 1)
        msn, held = -1, None
        if not evidence:
            said = numbered.get(first.serial)
            msn, held = (said.msn, said.held) if said else (take.next_msn, None)
            take.next_msn = msn + 1
        name = segment_name(first.serial)
        segment = _planned(msn, name, parts, held)
        if (name, first.offset) in planned:
            continue
        if (folder / name).exists():
            take.unplanned.append((evidence, first.init_number, segment))
        else:
            take.absent.append((evidence, segment))
    left: Counter[str] = Counter()
    for segment in [*(one for plan in take.plans for one in plan.segments), *(one for _, _, one in take.unplanned)]:
        left[segment.source.name] += segment.source.length
    spool.adopt(left)
    return take


def _planned(msn: int, name: str, parts: list[PartRecord], held: HeldRun | None) -> PlannedSegment:
    first, last = parts[0], parts[-1]
    return PlannedSegment(
        msn,
        SpoolRange(name, first.offset, last.offset + last.length - first.offset),
        first.start,
        sum(part.duration for part in parts),
        first.independent,
        first.discontinuity and first.index == 0,
        held,
        packed=pack(parts),
    )


def _plans(folder: Path) -> Iterator[ReelPlan]:
    """In the order of their numbers. Without one that cannot be read: what was in it is planned anew."""
    for path in sorted(folder.glob("reel-*.json")):
        try:
            yield msgspec.json.decode(path.read_bytes(), type=ReelPlan)
        except ValueError as error:
            log.error("spool_plan_unreadable", file=str(path), error=str(error))
            path.replace(path.with_suffix(".unreadable"))


def _index(folder: Path) -> list[Record]:
    path = folder / INDEX
    if not path.exists():
        return []
    data = path.read_bytes()
    records, good = read(data)
    if good < len(data):
        os.truncate(path, good)
    return records


def _segments(
    folder: Path, records: list[Record], take: RecoveredTake, *, delayed: bool
) -> Iterator[tuple[bool, list[PartRecord]]]:
    """The stretches of parts that make a segment, public or evidence, of every segment that ever was. What of them the
    crash took is told to `take`.
    """
    sealed = {record.serial for record in records if isinstance(record, SealedRecord)}
    by_serial: dict[int, list[PartRecord]] = {}
    for record in records:
        if isinstance(record, PartRecord):
            by_serial.setdefault(record.serial, []).append(record)
    in_plans = {segment.source.name for plan in take.plans for segment in plan.segments}
    withheld = _withheld(records) | (_unreleased(records) if delayed else set())
    for serial, parts in sorted(by_serial.items()):
        path = folder / segment_name(serial)
        whole = _long_enough(path, parts) if serial in sealed else _whole(path, parts)
        for part in parts[len(whole) :] if path.name not in in_plans else ():
            taken = Spoilt(Harm.lost, part.start, part.duration)
            take.spoilt.append(((part.serial, part.index) in withheld, taken))
        for evidence in (False, True):
            stretch = [part for part in whole if ((part.serial, part.index) in withheld) == evidence]
            if stretch:
                yield evidence, stretch


def _withheld(records: list[Record]) -> set[tuple[int, int]]:
    """The parts that a cut kept from the audience. A cut may name a part that was written before it: one held back."""
    cuts = [record for record in records if isinstance(record, CutRecord | NumberedRecord)]
    withheld: set[tuple[int, int]] = set()
    for number, cut in enumerate(cuts):
        if not isinstance(cut, CutRecord):
            continue
        until = next((record.serial for record in cuts[number + 1 :] if isinstance(record, NumberedRecord)), None)
        withheld |= {
            (part.serial, part.index)
            for part in records
            if isinstance(part, PartRecord)
            and (part.serial, part.index) >= (cut.serial, cut.index)
            and (until is None or part.serial < until)
        }
    return withheld


def _unreleased(records: list[Record]) -> set[tuple[int, int]]:
    """The parts that a gate with a delay still held: nobody can tell any more whether a cut was to stop them."""
    released = {(record.serial, record.index) for record in records if isinstance(record, ReleasedRecord)}
    return {(part.serial, part.index) for part in records if isinstance(part, PartRecord)} - released


def _long_enough(path: Path, parts: list[PartRecord]) -> list[PartRecord]:
    """The parts that end within their file."""
    if not path.exists():
        return parts
    size = path.stat().st_size
    return [part for part in parts if part.offset + part.length <= size]


def _whole(path: Path, parts: list[PartRecord]) -> list[PartRecord]:
    """The parts of a segment that was not sealed up to the last that is as it was written; the file is cut back to
    them.
    """
    if not path.exists():
        return parts
    data = path.read_bytes()
    sound = [number for number, part in enumerate(parts, 1) if _is_sound(part, data)]
    whole = parts[: max(sound, default=0)]
    length = whole[-1].offset + whole[-1].length if whole else 0
    if length < len(data):
        os.truncate(path, length)
    if not length:
        path.unlink()
    return whole


def _is_sound(part: PartRecord, data: bytes) -> bool:
    body = data[part.offset : part.offset + part.length]
    if part.checksum is None:
        return len(body) == part.length and complete_length(body) == part.length
    return checksum(body) == part.checksum
