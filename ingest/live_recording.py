"""The recording side of a live session: parts to the spool as they are made, reels as segments pass the gate or are
withheld.

A full or broken disk makes a hole in the recording, which is counted and said; live goes on from memory.
"""

import errno
from collections import defaultdict
from collections.abc import Callable
from concurrent.futures import Executor
from uuid import UUID

import structlog

from ingest.events import CLOCK, HeldRun, Init, Part, SegmentClosed, SegmentOpened
from ingest.reel_plan import PlannedSegment, SpoolRange, pack
from ingest.reels import ReelBuilder, ReelJob
from ingest.release_gate import GatedEvent
from ingest.settings import IngestSettings
from ingest.spool import TakeSpool, segment_name
from ingest.spool_index import CutRecord, HoldingRecord, NumberedRecord, PartRecord, ReleasedRecord
from ingest.unrecorded import Unrecorded
from media.counting import joined

log = structlog.get_logger()

NO_ROOM = frozenset({errno.ENOSPC, errno.EDQUOT})
Problem = tuple[str, dict[str, str | int]]
DISK_FULL: Problem = ("disk_full", {})
DISK_FAILING: Problem = ("disk_failing", {})
DISK_PROBLEMS = (DISK_FULL, DISK_FAILING)


class _Gathering:
    """The parts of one segment that go the same way, and where in the spool they lie."""

    def __init__(self) -> None:
        self.spool: TakeSpool | None = None
        self.init_number = 0
        self.parts: list[Part] = []
        self.records: list[PartRecord] = []
        self.discontinuity = False
        self.held: HeldRun | None = None

    def add(self, part: Part, record: PartRecord | None) -> None:
        if record is not None:
            self.parts.append(part)
            self.records.append(record)

    def planned(self, msn: int) -> PlannedSegment | None:
        if not self.records:
            return None
        first = self.records[0]
        return PlannedSegment(
            msn,
            SpoolRange(segment_name(first.serial), first.offset, sum(one.length for one in self.records)),
            first.start,
            sum(one.duration for one in self.records),
            first.independent,
            self.discontinuity,
            self.held,
            joined(run for part in self.parts for run in part.counted),
            pack(self.records),
        )


class LiveRecording:
    """`reel` takes every closed reel; `disk_full` says when to pause; `threads` flush files."""

    def __init__(
        self,
        settings: IngestSettings,
        first_reel_number: int,
        reel: Callable[[ReelJob], None],
        disk_full: Callable[[], bool],
        threads: Executor,
    ) -> None:
        self.gaps = 0
        """How often the disk made a hole in the recording."""
        self.paused = False
        self.refused = False
        """Whether it pauses because the disk does not take what it is given, though there is room."""
        self.failing = False
        """Whether the disk, asked last, did not confirm that it keeps what it took: it may be gone after a crash."""
        self._reel = reel
        self._disk_full = disk_full
        self._threads = threads
        self._flush_parts = settings.spool_flush_parts
        self._reel_number = first_reel_number - 1
        ticks = round(settings.reel_seconds * CLOCK)
        self._reels = ReelBuilder(ticks, evidence=False, next_number=self.next_number)
        self._evidence_reels = ReelBuilder(ticks, evidence=True, next_number=self.next_number)
        self._public = _Gathering()
        self._evidence = _Gathering()
        self._was_cut = False
        self._untold: tuple[int, int] | None = None  # where a cut began that no index says yet
        self._missed = False  # whether the newest segment that was released is not in the spool
        self._numbered: TakeSpool | None = None  # whose numbers follow each other from here on
        self._opened: SegmentOpened | None = None
        self._skipped: int | None = None  # the segment of which no more is spooled
        self._kinds: dict[int, str] = {}  # of the newest init's tracks
        self._unrecorded: defaultdict[UUID, Unrecorded] = defaultdict(Unrecorded)  # by take
        self._unwritten: dict[int, Init] = {}  # that the disk did not take, and what follows them cannot do without
        # Of parts that are on their way through the gate: their spool, their init and their place.
        self._places: dict[tuple[int, int], tuple[TakeSpool, int, PartRecord | None]] = {}

    @property
    def problem(self) -> Problem | None:
        """Why nothing is recorded, as a code with its facts."""
        if not self.paused:
            return None
        return DISK_FAILING if self.refused else DISK_FULL

    @property
    def endangered(self) -> bool:
        """Whether the disk fails: it does not take, or not keep, what comes, and not for want of room."""
        return self.refused or (self.failing and not self.paused)

    def write_init(self, spool: TakeSpool, init: Init) -> None:
        self._unwritten = {init.number: init}
        self._kinds = {number: track.kind for number, track in enumerate(init.tracks, 1)}
        try:
            self._write_init(spool, init)
        except OSError as error:
            self._failed(error)

    def _write_init(self, spool: TakeSpool, init: Init) -> None:
        self._threads.submit(self._flush, spool.write_init(init))
        del self._unwritten[init.number]

    def write(self, spool: TakeSpool, event: GatedEvent) -> None:
        """Spools what was made, before anyone sees it."""
        match event:
            case SegmentOpened():
                self._opened = event
            case Part():
                self._append(spool, event)
            case SegmentClosed():
                self.seal(spool)

    def seal(self, spool: TakeSpool) -> None:
        """Flushes the segment in a thread: a disk may take its time, the loop has none."""
        self._threads.submit(self._flush, spool.seal())

    def mark_cut(self, spool: TakeSpool, serial: int, index: int) -> None:
        """From this part on nothing is released: neither a crash nor a power cut must forget it."""
        self._was_cut, self._untold = True, (serial, index)
        try:
            self._tell_cut(spool)
        except OSError as error:
            self._failed(error)

    def _tell_cut(self, spool: TakeSpool) -> None:
        """At once; where the disk takes nothing, before the next part that it takes."""
        if self._untold is not None:
            spool.mark(CutRecord(*self._untold))
            self._untold = None
            self._threads.submit(self._flush, spool.flush())

    def mark_holding(self, spool: TakeSpool, msn: int, start: int) -> None:
        """The holding picture goes on with this number: what is made anew from there needs nobody's note."""
        try:
            spool.mark(HoldingRecord(msn, start))
        except OSError as error:
            self._failed(error)

    def passed(
        self, event: GatedEvent, msn: int, held: HeldRun | None = None
    ) -> tuple[TakeSpool, PlannedSegment] | None:
        """An event that was released into segment `msn`, which opens behind `held`. Where that segment lies, when
        this closes it.
        """
        self._gather(self._public, event)
        if isinstance(event, SegmentOpened):
            self._public.held = held
        elif isinstance(event, Part):
            self._mark_number(self._public.spool, event, msn)
            self._mark_released(self._public.spool, event)
        if not isinstance(event, SegmentClosed):
            return None
        gathered, self._public = self._public, _Gathering()
        planned = gathered.planned(msn)
        if planned is None or gathered.spool is None:
            return None
        self._hand_over(self._reels.add(gathered.spool, gathered.init_number, planned))
        return gathered.spool, planned

    def _mark_number(self, spool: TakeSpool | None, part: Part, msn: int) -> None:
        """Where the numbers do not simply go on, what the spool has would be given others after a crash."""
        if spool is None or part.index > 0:
            return
        if not self._public.records:
            self._missed = True
            return
        held = self._public.held
        is_next = spool is self._numbered or msn == spool.about.first_msn
        if self._was_cut or self._missed or held or not is_next:
            try:
                spool.mark(NumberedRecord(part.serial, msn, held))
                self._was_cut, self._untold, self._missed = False, None, False
            except OSError as error:
                self._failed(error)
        self._numbered = spool

    def _mark_released(self, spool: TakeSpool | None, part: Part) -> None:
        """With a delay, what a crash leaves in the spool was not all seen: what was is said there."""
        if spool is None or not spool.about.delay_seconds:
            return
        try:
            spool.mark(ReleasedRecord(part.serial, part.index))
        except OSError as error:
            self._failed(error)

    def withheld(self, event: GatedEvent) -> None:
        """An event that no audience will see."""
        self._gather(self._evidence, event)
        if isinstance(event, SegmentClosed):
            self._finish_evidence()

    def unrecorded(self, take_id: UUID) -> Unrecorded:
        """What the disk did not take of a take that is over. Asked once."""
        return self._unrecorded.pop(take_id, Unrecorded())

    def flush(self) -> None:
        """Closes the reels: at the end of a take."""
        self._finish_evidence()
        self._hand_over(self._reels.flush())
        self._hand_over(self._evidence_reels.flush())

    def _append(self, spool: TakeSpool, part: Part) -> None:
        opened = self._opened
        assert opened is not None
        written = None
        if self._disk_full():
            self._skipped = part.serial
            self._pause()
        elif not spool.is_made:
            if self._skipped != part.serial:
                self._threads.submit(spool.make)
            self._skipped = part.serial
            self._pause()
        elif self._skipped != part.serial:  # a hole in a segment's file would be worse than a segment less
            try:
                if (init := self._unwritten.get(opened.init_number)) is not None:
                    self._write_init(spool, init)
                self._tell_cut(spool)
                discontinuity = opened.discontinuity and part.index == 0
                written = spool.append(part, init_number=opened.init_number, discontinuity=discontinuity)
                self.paused = self.refused = False
                if self._flush_parts:
                    self._threads.submit(self._flush, spool.flush())
            except OSError as error:
                self._skipped = part.serial
                self._failed(error)
        if written is None:
            self._unrecorded[spool.about.take_id].add(part, self._kinds)
        self._places[part.serial, part.index] = (spool, opened.init_number, written)

    def _gather(self, gathering: _Gathering, event: GatedEvent) -> None:
        if isinstance(event, SegmentOpened):
            gathering.discontinuity = event.discontinuity
        elif isinstance(event, Part):
            gathering.spool, gathering.init_number, written = self._places.pop((event.serial, event.index))
            gathering.add(event, written)

    def _finish_evidence(self) -> None:
        gathered, self._evidence = self._evidence, _Gathering()
        planned = gathered.planned(-1)
        if planned is not None and gathered.spool is not None:
            self._hand_over(self._evidence_reels.add(gathered.spool, gathered.init_number, planned))

    def _hand_over(self, jobs: list[ReelJob]) -> None:
        for job in jobs:
            self._reel(job)

    def next_number(self) -> int:
        """Of the session's next reel."""
        self._reel_number += 1
        return self._reel_number

    def _failed(self, error: OSError) -> None:
        log.error("spool_write_failed", error=str(error))
        self.refused = error.errno not in NO_ROOM
        self._pause()

    def _pause(self) -> None:
        if not self.paused:
            self.paused = True
            self.gaps += 1

    def _flush(self, flush: Callable[[], None]) -> None:
        """In a thread. What could not be flushed is there yet to be read and sent; a restart would look at it anew."""
        try:
            flush()
        except OSError as error:
            self.failing = True
            log.error("spool_flush_failed", error=str(error))
        else:
            self.failing = False
