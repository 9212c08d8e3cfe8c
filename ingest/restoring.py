"""Makes a session's window again after a restart or a move: from its stored reels, from what the spool still has, and
from what another node says of its own.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from math import ceil
from pathlib import Path
from typing import Any
from uuid import UUID

import structlog

from ingest.events import CLOCK, HeldRun, Init
from ingest.hls.sources import SpoolSource, StoredSource
from ingest.hls.window import LiveWindow, WindowSegment
from ingest.holding.loop import HoldingPicture
from ingest.holding.shown import HeldSegments
from ingest.kept_init import made_again
from ingest.live_facts import Resumption
from ingest.nodes.tail import Tail, TailSegment
from ingest.reel_plan import PlannedSegment
from ingest.spool import init_name
from ingest.spool_recovery import RecoveredTake
from media.fragments import init_segment, read_init
from media.malformed import MalformedMedia
from storage.catalogue import reels
from storage.catalogue.transaction import Catalogue
from storage.objects.store import ObjectStore

log = structlog.get_logger()

MARGIN = 2
"""Segments that a note may be behind, or an estimate short by."""
MOST_UNKNOWN = 3600
UNKNOWN_INITS = 100


@dataclass(slots=True)
class History:
    """What was released of a session before this process, by msn, and where to go on."""

    segments: dict[int, WindowSegment] = field(default_factory=dict)
    inits: dict[int, Init] = field(default_factory=dict)
    resumption: Resumption = field(default_factory=Resumption)
    next_msn: int = 0
    """Numbers below it have been given, whatever is known of them."""
    gap_ticks: int = CLOCK
    """How long each is taken to be of which nothing is known."""
    held: dict[int, HeldRun] = field(default_factory=dict)
    """What the holding picture had, by the first number of each run."""
    was_cut: bool = False
    """Whether the spool ends with something that was not to be shown."""

    @property
    def known_msn(self) -> int:
        """Numbers from here on are of nothing that is known."""
        runs = (msn + run.segments for msn, run in self.held.items())
        return max((*runs, max(self.segments, default=-1) + 1))

    @property
    def ends_held(self) -> bool:
        return self.known_msn > max(self.segments, default=-1) + 1

    def leap(self, now: int, segment_seconds: float) -> None:
        """Something went on for at most so long after what is known as it is until now (ticks of the line), and nobody
        can say how far: its numbers, of segments and of inits, must not be given again.
        """
        seconds = (now - self.resumption.end) / CLOCK
        missing = min(MOST_UNKNOWN, ceil(max(0.0, seconds) / segment_seconds)) + MARGIN
        self.next_msn = max(self.next_msn, self.known_msn + missing)
        self.gap_ticks = max(1, round(seconds * CLOCK) // missing)
        self.resumption.next_init_number += UNKNOWN_INITS

    def fill(self, window: LiveWindow, picture: HoldingPicture, until: int = 0) -> None:
        """Puts the history into a new window. What was released but is nowhere (a full disk) stands as a gap. The
        holding picture is taken to have gone on up to `until`, where it is what came last.
        """
        for init in self.inits.values():
            window.add_init(init)
        held = HeldSegments(picture, window.newest_init, self.held, goes_on=self.ends_held)
        end = max(self.next_msn, self.known_msn)
        if self.ends_held:
            end = max(end, held.first_beyond(until))
        clock, before = 0, None
        for msn in range(end):
            segment = self.segments.get(msn) or held.find(msn, before)
            if segment is None:
                segment = WindowSegment(msn, -1, min(self.inits, default=1), clock, True, duration=self.gap_ticks)
            elif before is not None and before.holding != segment.holding:
                segment.discontinuity = True
            if segment.holding:
                window.add_init(held.loop.init)
            clock, before = segment.end, segment
            stored = segment.holding or segment.source is None or isinstance(segment.source, StoredSource)
            window.restore(segment, stored=stored)


async def load(
    catalogue: Catalogue,
    store: ObjectStore,
    recording_id: UUID,
    recovered: list[RecoveredTake],
    tail: Tail | None = None,
    kept: Callable[[TailSegment], object | None] = lambda _: None,
) -> History:
    """`tail` is what another owner said, `kept` the source of a segment that is in no store. Raises
    CatalogueUnavailable; and ObjectStoreFault where the catalogue alone does not give an init: without them the session
    cannot go on where it was.
    """
    history = History()
    async with catalogue.transaction() as tx:
        placed = await reels.of_recording(tx, recording_id)
        history.resumption.next_reel_number = await reels.highest_number(tx, recording_id) + 1
    for init in {one.init.number: one.init for one in placed}.values():
        muxed = made_again(init.tracks, init.sha256)
        if muxed is None:
            muxed = await asyncio.to_thread(store.read, init.object_key)
        _add_init(history, init.number, muxed)
    for one in placed:
        reel = one.reel
        for index, row in enumerate(reel.segments):
            segment = WindowSegment(
                row["msn"],
                -1,
                one.init.number,
                row["starts_at_ms"] * CLOCK // 1000,
                reel.discontinuity and index == 0,
                duration=row["duration_ms"] * CLOCK // 1000,
                length=row["bytes"],
                source=StoredSource(reel.object_key, row["offset"], row["bytes"]),
            )
            _add_segment(history, segment, _held(row))
    for take in sorted(recovered, key=lambda one: one.spool.about.take_number):
        await asyncio.to_thread(_add_spooled, history, take)
        history.was_cut = history.was_cut if take.is_cut is None else take.is_cut
    if tail is not None:
        _add_tail(history, tail, kept)
    for take in recovered:
        _add_holding(history, take)
    return history


def _add_holding(history: History, take: RecoveredTake) -> None:
    """A cut of which neither the segments behind it nor a note tell: the first segment and the clock say the rest."""
    begun = take.holding
    if begun is not None:
        history.held.setdefault(begun.msn, HeldRun(1, begun.start, 1))


def _add_tail(history: History, tail: Tail, kept: Callable[[TailSegment], object | None]) -> None:
    left = history.resumption
    for init in tail.inits:
        if init.number not in history.inits:
            _add_init(history, init.number, init.muxed)
    for said in tail.segments:
        if said.msn not in history.segments and said.init_number in history.inits:
            _add_segment(history, _told(said, kept(said)), said.held)
    if tail.held is not None:
        msn, run = tail.held
        history.held.setdefault(msn, run)
    history.next_msn = max(history.next_msn, tail.next_msn)
    left.next_init_number = max(left.next_init_number, tail.next_init_number)
    left.end = max(left.end, tail.end)


def _told(said: TailSegment, source: object | None) -> WindowSegment:
    return WindowSegment(
        said.msn,
        -1,
        said.init_number,
        said.start,
        said.discontinuity,
        duration=said.duration,
        length=said.length,
        source=source,
    )


def _add_spooled(history: History, take: RecoveredTake) -> None:
    folder, left = take.spool.folder, history.resumption
    left.end = max(left.end, take.end)
    left.next_serial = max(left.next_serial, take.next_serial)
    left.next_reel_number = max(left.next_reel_number, take.highest_reel + 1)
    spooled = [(p.evidence, p.init_number, segment) for p in take.plans for segment in p.segments]
    for evidence, number, planned in spooled + take.unplanned:
        if evidence:
            continue
        if number not in history.inits:
            try:
                _add_init(history, number, (folder / init_name(number)).read_bytes())
            except FileNotFoundError:
                continue  # let go of, though all of it was lost: there is nothing to show of it
            except (OSError, MalformedMedia) as error:
                log.error("spool_init_unreadable", folder=str(folder), number=number, error=str(error))
                continue  # nor of what a disk spoilt; the class goes on all the same
        if planned.msn not in history.segments:  # the store's is there for good, the spool's is not
            _add_segment(history, _spooled(folder, number, planned), planned.held)
    left.next_init_number = max(left.next_init_number, take.next_init_number)


def _spooled(folder: Path, init_number: int, planned: PlannedSegment) -> WindowSegment:
    place = planned.source
    return WindowSegment(
        planned.msn,
        -1,
        init_number,
        planned.start,
        planned.discontinuity,
        duration=planned.duration,
        length=place.length,
        source=SpoolSource(folder, *place),
    )


def _held(row: dict[str, Any]) -> HeldRun | None:
    """As a reel's row tells it, in milliseconds."""
    said = row.get("held")
    if said is None:
        return None
    return HeldRun(said["segments"], said["starts_at_ms"] * CLOCK // 1000, said["duration_ms"] * CLOCK // 1000)


def _add_segment(history: History, segment: WindowSegment, held: HeldRun | None) -> None:
    left = history.resumption
    if held is not None:
        history.held[segment.msn - held.segments] = held
    init = history.inits[segment.init_number]
    segment.has_audio = init.audio is not None
    history.segments[segment.msn] = segment
    left.end = max(left.end, segment.end)
    left.has_media = True


def _add_init(history: History, number: int, muxed: bytes) -> None:
    tracks = tuple(read_init(muxed))
    sound = [track for track in tracks if track.kind == "audio"]
    history.inits[number] = Init(number, tracks, muxed, init_segment(sound) if sound else None)
    left = history.resumption
    left.next_init_number = max(left.next_init_number, number + 1)
