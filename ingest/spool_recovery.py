"""What a process that died left in its spool: every whole part, told from torn ones.

Sealed segments were flushed and are believed. Of others a part counts if its index line checks, its bytes are all
there, and they read as a whole fragment; the first that does not ends its segment, and files are cut back to what
counts. So a crash of the process loses at most the part in the making.
"""

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from ingest.events import HeldRun
from ingest.reel_plan import PlannedSegment, ReelPlan, SpoolRange, TakeAbout
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


@dataclass(slots=True)
class RecoveredTake:
    """A take's spool as found. `unplanned` is what no reel has yet, in order, by what it is: (evidence, init
    number).
    """

    spool: TakeSpool
    plans: list[ReelPlan] = field(default_factory=list)
    unplanned: list[tuple[bool, int, PlannedSegment]] = field(default_factory=list)
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


def recover(folder: Path) -> RecoveredTake:
    """Reads a take's folder and cuts its files back to what counts. Raises FileNotFoundError when it is no take's."""
    about = msgspec.json.decode((folder / ABOUT).read_bytes(), type=TakeAbout)
    records = _index(folder)
    spool = TakeSpool(folder, about)
    take = RecoveredTake(spool, next_msn=about.first_msn)
    take.highest_reel = max((record.number for record in records if isinstance(record, ReelRecord)), default=0)
    take.plans = sorted(
        (msgspec.json.decode(path.read_bytes(), type=ReelPlan) for path in folder.glob("reel-*.json")),
        key=lambda plan: plan.number,
    )
    planned = {(segment.source.name, segment.source.offset) for plan in take.plans for segment in plan.segments}
    turns = [record for record in records if isinstance(record, CutRecord | NumberedRecord)]
    take.is_cut = isinstance(turns[-1], CutRecord) if turns else None
    if take.is_cut:
        take.holding = next((record for record in reversed(records) if isinstance(record, HoldingRecord)), None)
    numbered = {record.serial: record for record in records if isinstance(record, NumberedRecord)}
    left: dict[str, int] = {}
    for evidence, parts in _segments(folder, records, delayed=about.delay_seconds > 0):
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
        path = folder / name
        if not path.exists():
            continue  # the store has it
        segment = _planned(msn, name, parts, held)
        left[name] = left.get(name, 0) + segment.source.length
        if (name, first.offset) not in planned:
            take.unplanned.append((evidence, first.init_number, segment))
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
    )


def _index(folder: Path) -> list[Record]:
    path = folder / INDEX
    if not path.exists():
        return []
    data = path.read_bytes()
    records, good = read(data)
    if good < len(data):
        os.truncate(path, good)
    return records


def _segments(folder: Path, records: list[Record], *, delayed: bool) -> Iterator[tuple[bool, list[PartRecord]]]:
    """The stretches of parts that make a segment, public or evidence, of every segment that ever was."""
    sealed = {record.serial for record in records if isinstance(record, SealedRecord)}
    by_serial: dict[int, list[PartRecord]] = {}
    for record in records:
        if isinstance(record, PartRecord):
            by_serial.setdefault(record.serial, []).append(record)
    withheld = _withheld(records) | (_unreleased(records) if delayed else set())
    for serial, parts in sorted(by_serial.items()):
        whole = parts if serial in sealed else _whole(folder / segment_name(serial), parts)
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


def _whole(path: Path, parts: list[PartRecord]) -> list[PartRecord]:
    """The leading parts of a segment that was not sealed whose bytes are all there; the file is cut back to them."""
    if not path.exists():
        return parts  # released: a verified copy is in the store
    data = path.read_bytes()
    whole: list[PartRecord] = []
    for part in parts:
        body = data[part.offset : part.offset + part.length]
        if len(body) < part.length or complete_length(body) != part.length:
            break
        whole.append(part)
    length = whole[-1].offset + whole[-1].length if whole else 0
    if length < len(data):
        os.truncate(path, length)
    if not length:
        path.unlink()
    return whole
