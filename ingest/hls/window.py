"""The live window: every released segment of a session from its beginning, so that all of it can be sought while
live. Pure.

Fed with what the gate let pass. The newest segments keep their parts in memory; of older ones only where they lie is
known. A segment's number in the playlists (msn) is given here, to released segments only, one after the other.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from ingest.events import CLOCK, FIRST_HOLDING_INIT, HeldRun, Init, Part, SegmentClosed, SegmentOpened, SpooledPart
from ingest.hls.measured import Measured
from ingest.release_gate import GatedEvent

LATE_SEGMENTS = 10
"""For how many segments after they left the memory parts can still be had, by readers whose playlist is old."""


@dataclass(slots=True)
class WindowPart:
    """A part as readers see it; its bytes go when its segment is no longer among the newest."""

    duration: int
    independent: bool
    muxed: bytes | None
    audio: bytes | None
    length: int
    """Of the muxed bytes: it outlasts them, for readers that come late."""
    audio_length: int = 0
    """Of the audio rendition's."""


@dataclass(slots=True)
class WindowSegment:
    """`source` says where the media lies once it is not in memory (its type is the reader's business); None:
    nowhere.
    """

    msn: int
    serial: int
    init_number: int
    start: int
    discontinuity: bool
    has_audio: bool = False
    parts: list[WindowPart] = field(default_factory=list)
    duration: int = 0
    length: int = 0
    audio_length: int = 0
    frames: int = 0
    """Of its first track: pictures, if it has any."""
    closed: bool = False
    independent: bool = False
    """Whether a player can start with it."""
    source: object | None = None
    holding: bool = False
    """Whether it shows the holding picture: it is the stream's, and of no recording."""

    @property
    def end(self) -> int:
        return self.start + self.duration

    @property
    def in_memory(self) -> bool:
        return bool(self.parts) and self.parts[0].muxed is not None


class LiveWindow:
    """`origin` is the wall clock at the session line's zero."""

    def __init__(self, *, origin: datetime, part_target_seconds: float, segments_in_memory: int = 3) -> None:
        self.origin = origin
        self.part_target_seconds = part_target_seconds
        self.segments: list[WindowSegment] = []
        self.first_msn = 0
        """Of `segments[0]`; the audience's window keeps all from the session's first."""
        self.inits: dict[int, Init] = {}
        self.measured = {"main": Measured(), "audio": Measured()}
        """What each rendition's segments came to."""
        self.version = 0
        """Rises with every change that a playlist shows."""
        self.ended = False
        self.left = False
        """Whether another node goes on with the session: nothing follows here, but it has not ended."""
        self.frozen = False
        """Whether this only stands in for the session's owner: nothing follows until that or another is back."""
        self.hints = True
        """Whether playlists hint at the next part: not while it may be the holding picture's or the class's."""
        self.unstored: set[int] = set()
        """The segments that only this node's spool has, as far as it knows."""
        self._in_memory = max(1, segments_in_memory)
        self.on_forgotten: Callable[[WindowSegment], None] | None = None
        """Told of a segment before its parts leave the memory."""

    def add_init(self, init: Init) -> None:
        self.inits[init.number] = init

    def restore(self, segment: WindowSegment, *, stored: bool = True) -> None:
        """A closed segment of an earlier process, or of another node, in order."""
        segment.msn, segment.closed = self.next_msn, True
        self.segments.append(segment)
        if not stored:
            self.unstored.add(segment.msn)
        self._measure(segment)
        self.version += 1

    def apply(self, event: GatedEvent) -> WindowSegment | None:
        """Takes an event in. Returns the segment that it closes."""
        match event:
            case SegmentOpened():
                msn, self.hints = self.next_msn, True
                begins_anew = event.discontinuity or (bool(self.segments) and self.segments[-1].holding)
                opened = WindowSegment(msn, event.serial, event.init_number, event.start, begins_anew)
                self.segments.append(opened)
                self.unstored.add(msn)
            case Part():
                self._add_part(self.segments[-1], event)
            case SegmentClosed():
                return self._close(self.segments[-1])
        return None

    def hint_no_more(self) -> None:
        """Until the class is shown again."""
        self.hints = False
        self.version += 1

    def open_holding(self, start: int, init: Init, source: object) -> None:
        """A segment of the holding picture begins; its parts and its end are applied like all others."""
        self.inits[init.number] = init
        begins_anew = not self.segments or not self.segments[-1].holding
        opened = WindowSegment(self.next_msn, -1, init.number, start, begins_anew, source=source, holding=True)
        self.segments.append(opened)

    def held_before(self, msn: int) -> HeldRun | None:
        """The holding picture's segments right before this one, if there are any."""
        run: list[WindowSegment] = []
        while (before := self.find(msn - len(run) - 1)) is not None and before.holding:
            run.append(before)
        return HeldRun(len(run), run[-1].start, run[0].end - run[-1].start) if run else None

    def end(self) -> None:
        """Nothing will follow: playlists say so."""
        if not (self.ended or self.left):
            self.ended = True
            self.version += 1

    def leave(self) -> None:
        """Nothing will follow here: whoever waits must ask elsewhere."""
        self.left = True
        self.version += 1

    @property
    def is_still(self) -> bool:
        """Whether nothing more will come, so that nobody need wait."""
        return self.ended or self.left or self.frozen

    @property
    def open_segment(self) -> WindowSegment | None:
        last = self.segments[-1] if self.segments else None
        return last if last and not last.closed else None

    @property
    def next_msn(self) -> int:
        """Of the segment that is opened next."""
        return self.first_msn + len(self.segments)

    @property
    def closed_count(self) -> int:
        """How many segments are closed, from msn 0 on."""
        return self.next_msn - (1 if self.open_segment else 0)

    @property
    def next_part(self) -> tuple[int, int]:
        """The msn and index of the part that comes next, as far as can be known."""
        open_segment = self.open_segment
        return (open_segment.msn, len(open_segment.parts)) if open_segment else (self.next_msn, 0)

    @property
    def newest_init(self) -> Init | None:
        """The class's; None before anything of it was let out."""
        number = max((one for one in self.inits if one < FIRST_HOLDING_INIT), default=None)
        return None if number is None else self.inits[number]

    @property
    def has_audio(self) -> bool:
        return any(init.audio for init in self.inits.values())

    def has_reached(self, msn: int, part: int | None) -> bool:
        """Whether a playlist now shows segment `msn` whole or, with `part`, that part or something later."""
        if part is None:
            return self.closed_count > msn
        return self.next_part > (msn, part)

    def find(self, msn: int) -> WindowSegment | None:
        index = msn - self.first_msn
        return self.segments[index] if 0 <= index < len(self.segments) else None

    def date_of(self, segment: WindowSegment) -> datetime:
        """EXT-X-PROGRAM-DATE-TIME of the segment's first sample."""
        return self.origin + timedelta(microseconds=segment.start * 1_000_000 // CLOCK)

    def _add_part(self, segment: WindowSegment, part: Part) -> None:
        if not segment.duration:
            segment.independent = part.independent
        if isinstance(part, SpooledPart):  # of a segment that was due long ago: it is read as a whole, from the spool
            length, sound = part.length, part.audio_length
        else:
            length, sound = len(part.muxed), len(part.audio or b"")
            segment.parts.append(WindowPart(part.duration, part.independent, part.muxed, part.audio, length, sound))
        segment.duration += part.duration
        segment.length += length
        segment.audio_length += sound
        segment.frames += sum(run.frames for run in part.counted if run.track_id == 1)
        segment.has_audio = segment.has_audio or part.audio is not None
        # A frame longer than the part target cannot be divided: the target then rises to it, for it must hold for all.
        if part.duration > round(self.part_target_seconds * CLOCK):
            self.part_target_seconds = -(-part.duration * 1000 // CLOCK) / 1000
        self.version += 1

    def _close(self, segment: WindowSegment) -> WindowSegment:
        segment.closed = True
        self._measure(segment)
        self.version += 1
        forgotten = self.find(self.next_msn - 1 - self._in_memory)
        if forgotten is not None and forgotten.in_memory:
            self._forget(forgotten)
        return segment

    def _measure(self, segment: WindowSegment) -> None:
        if segment.holding:
            return
        init = self.inits.get(segment.init_number)
        pictures = segment.frames if init is not None and init.has_video else 0
        self.measured["main"].add(segment.length, segment.duration, pictures)
        self.measured["audio"].add(segment.audio_length, segment.duration)

    def _forget(self, segment: WindowSegment) -> None:
        if self.on_forgotten:
            self.on_forgotten(segment)
        for part in segment.parts:
            part.muxed = part.audio = None
        late = self.find(segment.msn - LATE_SEGMENTS)
        if late is not None:
            late.parts.clear()
