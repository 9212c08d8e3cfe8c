"""What a session's reviewer sees ahead of its audience: what is packaged, before the release gate and whatever it cuts.

Rules of this file: nothing here is taken from what the audience is shown, nor the other way; it is another window with
other addresses (`/preview/…`) that only a preview's token opens. It slides: of what went by long enough ago to be
judged nothing is kept. No cache keeps a copy: what was cut is evidence, and lies nowhere else. A segment's number in it
is its serial, so that a player goes on where it was when another node goes on with the session.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime

from ingest.events import Event, Init, SegmentClosed, SegmentOpened
from ingest.hls.bell import Bell
from ingest.hls.growing_gzip import gzipped
from ingest.hls.playlists import LivePlaylist, Rendition
from ingest.hls.window import LiveWindow, WindowSegment
from ingest.live_facts import LiveFacts
from ingest.release_gate import GatedEvent
from ingest.settings import IngestSettings

KEPT_SEGMENTS = 12
"""A playlist is three target durations long at least (RFC 8216bis 6.2.2), with segments of two seconds too."""


class PreviewWindow(LiveWindow):
    """The newest segments, all in memory."""

    def __init__(self, *, origin: datetime, part_target_seconds: float) -> None:
        super().__init__(origin=origin, part_target_seconds=part_target_seconds, segments_in_memory=KEPT_SEGMENTS)
        self.discontinuities_gone = 0
        """EXT-X-DISCONTINUITY-SEQUENCE (RFC 8216bis 4.4.3.3)."""

    def apply(self, event: GatedEvent) -> WindowSegment | None:
        if isinstance(event, SegmentOpened) and event.serial != self.next_msn:
            self._let_go(len(self.segments))
            self.first_msn = event.serial
        elif not isinstance(event, SegmentOpened) and not self.segments:
            return None  # of a segment that was open when this began
        closed = super().apply(event)
        if isinstance(event, SegmentClosed):
            self._let_go(len(self.segments) - KEPT_SEGMENTS)
        return closed

    def _let_go(self, count: int) -> None:
        for segment in self.segments[: max(0, count)]:
            self.discontinuities_gone += segment.discontinuity
            self.unstored.discard(segment.msn)
            self.first_msn += 1
        del self.segments[: max(0, count)]
        oldest = self.segments[0].init_number if self.segments else 0
        self.inits = {number: init for number, init in self.inits.items() if number >= oldest}


class PreviewPlaylist(LivePlaylist):
    """A few segments for a few people: written anew for each version."""

    def __init__(self, window: PreviewWindow, rendition: Rendition, target_duration_seconds: int) -> None:
        super().__init__(window, rendition, target_duration_seconds)
        self._sliding = window

    def _settle(self) -> None:
        """Nothing is kept."""

    def _render(self, skip: bool, gzip: bool) -> bytes:  # noqa: ARG002 - there is nothing to leave out
        window, frame = self._sliding, self._frame()
        assert frame.server_control is not None
        text = replace(
            frame,
            media_sequence=window.first_msn,
            discontinuity_sequence=window.discontinuities_gone,
            segments=[self._lines(one, with_parts=True) for one in window.segments if one.closed],
            server_control=replace(frame.server_control, can_skip_until_seconds=None),
        ).render()
        return gzipped(text.encode()) if gzip else text.encode()


class Preview:
    """One session's; shown by the same delivery as the session itself. `inits` are those of what comes next, where it
    begins in the middle.
    """

    def __init__(self, settings: IngestSettings, facts: LiveFacts, inits: Mapping[int, Init] = {}) -> None:
        self.settings = settings
        self.facts = facts
        self.window = PreviewWindow(origin=facts.origin, part_target_seconds=settings.part_seconds)
        self.window.inits.update(inits)
        target = settings.segment_max_seconds
        self.playlists: dict[Rendition, LivePlaylist] = {
            "main": PreviewPlaylist(self.window, "main", target),
            "audio": PreviewPlaylist(self.window, "audio", target),
        }
        self.bell = Bell()

    def show(self, events: Iterable[Event]) -> None:
        """What has just been packaged."""
        for event in events:
            if isinstance(event, Init):
                self.window.add_init(event)
            else:
                self.window.apply(event)
        self.bell.ring()

    def end(self) -> None:
        """Nothing will follow."""
        self.window.end()
        self.bell.ring()
