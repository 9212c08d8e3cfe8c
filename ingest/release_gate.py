"""The one door between the packager and every public reader: playlists, DVR, reels that a replay plays. Pure.

It holds events back by the session's delay (0 for most: the same code) and closes on a cut. What has passed is
public; what has not when the cut comes, and all that follows until the audience can start again after it, is
evidence. A gate that must be told within its delay of a cut is trusted for a while only: it lets nothing out after
that, until it is trusted again (`trust`). However long that takes, it takes no memory: of whole segments that are long
due the bytes are left to the spool. Whoever adds a public reader puts it behind `Passage.public`.
"""

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from math import inf

from ingest.events import Part, SegmentClosed, SegmentOpened, SpooledPart

GatedEvent = SegmentOpened | Part | SegmentClosed
LONG_DUE_SECONDS = 30.0
"""More than the newest segments take, which the audience asks for at once when a frozen gate lets go."""


@dataclass(slots=True)
class Passage:
    """What came through, and what never will, each in order."""

    public: list[GatedEvent] = field(default_factory=list)
    evidence: list[GatedEvent] = field(default_factory=list)


class ReleaseGate:
    """Times are seconds of one monotonic clock, given by the caller. With `trusted_until` the gate begins frozen when
    that is past; without, it never freezes.
    """

    def __init__(self, delay_seconds: float = 0.0, *, closed: bool = False, trusted_until: float = inf) -> None:
        self._delay = delay_seconds
        self._trusted_until = trusted_until
        self._held: deque[tuple[float, GatedEvent]] = deque()
        self._light = 0  # how many of them have no bytes left to give up
        self._closed = closed
        self._resuming_after: int | None = None  # what came up to this time came while the gate was closed
        self._first: SegmentOpened | None = None  # whether the audience can begin with it, its first part will tell
        self._open: tuple[int, int] | None = None  # the segment the audience is in, and what it has of it

    @property
    def is_cut(self) -> bool:
        return self._closed

    def is_frozen(self, now: float) -> bool:
        """Whether nothing is let out because nobody could have said that it must not be."""
        return now > self._trusted_until

    def trust(self, until: float) -> None:
        """Whoever may order a cut was heard: what is due up to this instant may pass."""
        self._trusted_until = max(self._trusted_until, until)

    def offer(self, events: Iterable[GatedEvent], now: float) -> Passage:
        """New media. Returns all that passes at `now`, of these events and of those held before."""
        passage = Passage()
        for event in events:
            if self._closed:
                passage.evidence.append(event)
            elif self._resuming_after is None:
                self._held.append((now + self._delay, event))
            else:
                self._resume_with(event, now, passage)
        self._release(now, passage)
        if self.is_frozen(now):
            self._lighten(now - LONG_DUE_SECONDS)
        return passage

    def release(self, now: float) -> Passage:
        """What has been held long enough."""
        passage = Passage()
        self._release(now, passage)
        return passage

    def next_deadline(self) -> float | None:
        """When `release` has something to give."""
        return self._held[0][0] if self._held else None

    def cut(self) -> Passage:
        """Closes: what is held becomes evidence, and the audience's segment ends with what they have of it."""
        passage = Passage(evidence=[event for _, event in self._held])
        self._held.clear()
        self._light = 0
        if self._first is not None:
            passage.evidence.append(self._first)
        self._closed, self._first, self._resuming_after = True, None, None
        if self._open:
            passage.public.append(SegmentClosed(*self._open))
            self._open = None
        return passage

    def resume(self, after: int = -1) -> None:
        """Opens again, with the first segment that begins with a key frame and later than `after`, ticks of CLOCK: what
        had come by then came while nothing was to go out.
        """
        if self._closed:
            self._closed, self._resuming_after = False, after

    def _resume_with(self, event: GatedEvent, now: float, passage: Passage) -> None:
        if isinstance(event, SegmentOpened):
            self._first = event
            return
        first, self._first = self._first, None
        assert self._resuming_after is not None
        may_begin = first is not None and first.start > self._resuming_after
        if first is not None and may_begin and isinstance(event, Part) and event.independent:
            self._resuming_after = None
            self._held += [(now + self._delay, replace(first, discontinuity=True)), (now + self._delay, event)]
            return
        passage.evidence += [event] if first is None else [first, event]

    def _release(self, now: float, passage: Passage) -> None:
        while self._held and self._held[0][0] <= now <= self._trusted_until:
            _, event = self._held.popleft()
            self._light = max(0, self._light - 1)
            passage.public.append(event)
            match event:
                case SegmentOpened():
                    self._open = (event.serial, 0)
                case Part():
                    self._open = (event.serial, (self._open[1] if self._open else 0) + event.duration)
                case SegmentClosed():
                    self._open = None

    def _lighten(self, due_before: float) -> None:
        """Takes the bytes out of whole segments. The one that the audience is in keeps what is left of it."""
        opened = None
        for at in range(self._light, len(self._held)):
            due, event = self._held[at]
            if due >= due_before:
                return
            if isinstance(event, SegmentOpened):
                opened = at
            elif isinstance(event, SegmentClosed):
                for inside in range(at if opened is None else opened, at):
                    self._held[inside] = (self._held[inside][0], _without_bytes(self._held[inside][1]))
                self._light = at + 1


def _without_bytes(event: GatedEvent) -> GatedEvent:
    if not isinstance(event, Part):
        return event
    return SpooledPart(
        event.serial,
        event.index,
        event.start,
        event.duration,
        event.independent,
        muxed=b"",
        audio=None if event.audio is None else b"",
        counted=event.counted,
        length=len(event.muxed),
        audio_length=len(event.audio or b""),
    )
