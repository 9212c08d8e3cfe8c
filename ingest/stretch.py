"""A stretch: media under one init. Collects packets in lanes, decides where parts end, and makes them. Pure.

The leading lane (video if there is any) decides by its frames' times; a part is made when the other lane has reached
its end too, so that parts hold the same time of both. A lane that falls silent is not waited for, and a silent leader
is replaced by the other until it comes back.
"""

from collections import deque
from collections.abc import Sequence
from typing import NamedTuple

from ingest.cuts import FRAME_WEIGHT, PART_WEIGHT, Cut, CutRule
from ingest.events import CLOCK, Event, Init, Part, SegmentClosed, SegmentOpened
from media.counting import count_run
from media.fragments import TrackRun, fragment, track_run
from media.packet import Packet, Track

PATIENCE = CLOCK
"""How far a lane may lag before the others go on without it."""


class _Lane:
    """One track's packets waiting for their part; a packet lasts until the next one's decode time."""

    __slots__ = ("packets", "reached", "scale", "step", "track", "track_id", "usual")

    def __init__(self, track: Track, track_id: int) -> None:
        self.track = track
        self.track_id = track_id
        self.scale = track.timescale
        self.packets: deque[Packet] = deque()
        self.step = self.usual = self.scale // 30 if track.kind == "video" else self.scale * 1024 // 48_000
        self.reached: int | None = None
        """The newest packet's time, in ticks of CLOCK."""

    def push(self, packet: Packet) -> int:
        """Keeps the packet; its time in ticks of CLOCK."""
        if self.packets:
            self.usual = self.step
            step = packet.dts - self.packets[-1].dts
            if step < self.scale:
                self.step = step
        self.packets.append(packet)
        self.reached = packet.dts if self.scale == CLOCK else packet.dts * CLOCK // self.scale
        return self.reached

    def in_clock(self, ticks: int) -> int:
        return ticks * CLOCK // self.scale

    def take(self, end: int | None) -> list[Packet]:
        """Removes and returns the packets before `end`; all of them without one."""
        packets = self.packets
        if end is None:
            taken = list(packets)
            packets.clear()
            return taken
        limit = -(-end * self.scale // CLOCK)
        taken = []
        while packets and packets[0].dts < limit:
            taken.append(packets.popleft())
        return taken

    def run(self, end: int | None, hole: int) -> TrackRun | None:
        """The packets before `end` as a run; one that is followed by more than `hole` of nothing lasts its usual
        time.
        """
        taken = self.take(end)
        if not taken:
            return None
        last = taken[-1].dts
        following = self.packets[0].dts if self.packets else last + self.step
        if following - last > hole * self.scale // CLOCK:
            following = last + self.step
        return track_run(self.track_id, taken, following)


class _Edge(NamedTuple):
    """Where a part ends, and where the next begins (later than that only after a hole)."""

    end: int
    cut: Cut
    resume: int
    hole: bool


class Stretch:
    """`serial` is its first segment's; `discontinuity` says whether that segment begins anew."""

    def __init__(self, rule: CutRule, init: Init, serial: int, fragment_number: int, *, discontinuity: bool) -> None:
        self.init = init
        self.serial = serial
        self.fragment_number = fragment_number
        self._rule = rule
        self._lanes = [_Lane(track, number) for number, track in enumerate(init.tracks, 1)]
        self._lead = self._lanes[0]
        self._by_kind = {lane.track.kind: lane for lane in self._lanes}
        self._edges: deque[_Edge] = deque()
        self._discontinuity = discontinuity
        self._segment_at_key = False
        self._started = False
        self._weight = 0  # of what came since a part's end was decided
        self._now = self._part_at = self._segment_at = 0  # as decided: the newest leading frame, and what it is in
        self._made_at = self._made_duration = self._made_parts = 0  # as made: the part in the making, and its segment

    @property
    def has_video(self) -> bool:
        return self._lead.track.kind == "video"

    @property
    def lead_reached(self) -> int:
        """The newest time of the leading lane."""
        return self._made_at if self._lead.reached is None else self._lead.reached

    def packet(self, packet: Packet, out: list[Event]) -> bool:
        """Takes the packet in; False where its track is not in."""
        track = packet.track
        lane = self._by_kind.get(track.kind)
        if lane is None or (lane.track is not track and lane.track != track):
            return False
        time = lane.push(packet)
        self._weight += len(packet.data) + FRAME_WEIGHT
        if lane is self._lead:
            self._consider(time, lane, packet.keyframe)
        elif self._started and time - max(self._lead.reached or 0, self._now - PATIENCE) > PATIENCE:
            self._consider(time, lane, keyframe=False)
        if self._edges:
            self._make(out)
        return True

    def close(self, out: list[Event]) -> None:
        """Makes what is left into the last part of the last segment."""
        if not self._started:
            return
        end = max(self._now + self._lead.in_clock(self._lead.step), self._part_at)
        self._divide(end)
        self._edges.append(_Edge(end, Cut.SEGMENT, end, hole=False))
        while self._edges:
            self._emit(self._edges.popleft(), out, last=not self._edges)

    def break_segment(self, out: list[Event]) -> None:
        """Ends the segment after the last part made; what is in the making goes into a new one."""
        if self._made_parts:
            self._close_segment(out)
            self._segment_at = self._made_at

    def segment_at_next_key(self) -> None:
        """The next key frame begins a segment, however short the one before."""
        self._segment_at_key = True

    def _consider(self, time: int, lane: _Lane, keyframe: bool) -> None:
        """Whether a part or a segment ends before the lane's frame at `time`."""
        if not self._started:
            self._started = True
            self._now = self._part_at = self._segment_at = self._made_at = time
            return
        last, self._now = self._now, max(time, self._now)
        if time < self._part_at:
            return  # a lane that was silent comes back with what is already past
        if time - last > self._rule.hole:
            self._end(min(last + lane.in_clock(lane.usual), time), Cut.SEGMENT, resume=time)
            return
        if time - self._segment_at > self._rule.segment_limit:
            # The frame before turned out too long for its segment, which therefore ends within it.
            self._end(max(last + lane.in_clock(lane.usual), self._part_at), Cut.SEGMENT)
        if time - self._part_at > self._rule.part_limit:
            self._divide(time)
        part, segment = time - self._part_at, time - self._segment_at
        if not self.has_video:
            keyframe = part >= self._rule.part_min and segment + self._rule.part // 2 >= self._rule.segment_min
        cut = self._rule.at(part=part, segment=segment, step=lane.in_clock(lane.step), keyframe=keyframe)
        if keyframe and self._segment_at_key and part:
            cut = Cut.SEGMENT
        if part and self._weight > PART_WEIGHT:
            cut = Cut.SEGMENT
        if cut is not Cut.NONE:
            self._end(time, cut)
            if keyframe and cut is Cut.SEGMENT:
                self._segment_at_key = False

    def _end(self, end: int, cut: Cut, *, resume: int | None = None) -> None:
        """Decides that a part ends at `end`; with `resume`, that nothing is between the two."""
        self._weight = 0
        self._part_at = end if resume is None else resume
        self._edges.append(_Edge(end, cut, self._part_at, hole=resume is not None))
        if cut is Cut.SEGMENT:
            self._segment_at = self._part_at

    def _divide(self, time: int) -> None:
        """Ends parts within a long frame, where the other lane has media, so that they keep to the part target."""
        others = (other.reached for other in self._lanes if other is not self._lead)
        if all(reached is None or time - reached > PATIENCE for reached in others):
            return
        while time - self._part_at > self._rule.part_limit:
            self._end(self._part_at + self._rule.part_limit, Cut.PART)

    def _make(self, out: list[Event]) -> None:
        """Makes every part whose lanes have all reached its end, or lag too far to be waited for."""
        while self._edges:
            end = self._edges[0].end
            for lane in self._lanes:
                reached = lane.reached if lane.reached is not None else self._made_at
                if reached < end and self._now - reached <= PATIENCE:
                    return
            self._emit(self._edges.popleft(), out)

    def _emit(self, edge: _Edge, out: list[Event], *, last: bool = False) -> None:
        runs = [run for lane in self._lanes if (run := lane.run(None if last else edge.end, self._rule.hole))]
        if self._made_parts and self._made_duration + edge.end - self._made_at > self._rule.segment_limit:
            self._close_segment(out)
        if runs:
            if not self._made_parts:
                out.append(SegmentOpened(self.serial, self.init.number, self._made_at, self._discontinuity))
                self._discontinuity = False
            out.append(self._part(runs, edge.end - self._made_at))
            self._made_duration += edge.end - self._made_at
            self._made_parts += 1
        if runs or edge.hole:
            self._made_at = edge.resume
        if edge.cut is Cut.SEGMENT and self._made_parts:
            self._close_segment(out)
        self._discontinuity = self._discontinuity or edge.hole

    def _close_segment(self, out: list[Event]) -> None:
        out.append(SegmentClosed(self.serial, self._made_duration))
        self.serial += 1
        self._made_parts = self._made_duration = 0

    def _part(self, runs: Sequence[TrackRun], duration: int) -> Part:
        self.fragment_number += 1
        first = runs[0]
        independent = not self.has_video or (first.track_id == 1 and first.samples[0].keyframe)
        muxed = _joined(self.fragment_number, runs)
        audio = self._audio(runs, muxed)
        counted = tuple(map(count_run, runs))
        return Part(self.serial, self._made_parts, self._made_at, duration, independent, muxed, audio, counted)

    def _audio(self, runs: Sequence[TrackRun], muxed: bytes) -> bytes | None:
        """The part of the audio rendition: the same samples alone, as track 1."""
        if not self.has_video:
            return muxed
        if len(runs) == 1 and runs[0].track_id == 1:
            return None
        sound = runs[-1]
        return _joined(self.fragment_number, [TrackRun(1, sound.base_decode_time, sound.samples)])


def _joined(number: int, runs: Sequence[TrackRun]) -> bytes:
    """The one copy that a payload goes through on its way from the socket to disk and viewers."""
    head, payloads = fragment(number, runs)
    return b"".join((head, *payloads))
