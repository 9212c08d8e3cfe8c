"""Packets in, parts and segments out. Pure: one take's packets, already on the session's time line, become events.

Here is decided which tracks are in: an init is made for the tracks that are there, and a new one (with a
discontinuity) when a track's configuration changes, or a track turns up late. Video begins, and changes, only at a
key frame. How parts are cut is `stretch.py`'s, when `cuts.py`'s.
"""

from collections import Counter, deque

from ingest.cuts import FRAME_WEIGHT, PART_WEIGHT, CutRule
from ingest.events import CLOCK, Event, Init
from ingest.stretch import Stretch
from media.fragments import init_segment
from media.packet import Packet, Track

START_WAIT = CLOCK
"""How much media to wait through for a second track at the start of a take, before the first is alone."""
LONGEST_HELD = 10 * CLOCK
"""How much of a new track is kept while the video's next key frame is waited for; older packets are dropped."""
MOST_WEIGHT = 2 * PART_WEIGHT
"""Likewise in bytes, whatever their times are: it is no longer waited, or the older half is dropped."""


class Packager:
    """`serial` and `init_number` are the session's next; `discontinuity` when it has media before this take."""

    def __init__(self, rule: CutRule, *, serial: int = 0, init_number: int = 1, discontinuity: bool = False) -> None:
        self._rule = rule
        self._serial = serial
        self._init_number = init_number
        self._discontinuity = discontinuity
        self._fragment_number = 0
        self._stretch: Stretch | None = None
        self._held: deque[Packet] = deque()  # of tracks that are not in yet
        self._weight = 0  # of these, in bytes
        self._video_is_coming = False  # seen, but no key frame of it yet
        self.dropped: Counter[str] = Counter()
        """By kind of track, packets that nobody could have decoded: before the first key frame, or held too long."""

    @property
    def next_serial(self) -> int:
        return self._stretch.serial if self._stretch else self._serial

    @property
    def reached(self) -> int:
        """Up to which time media has come, ticks of CLOCK; -1 before any."""
        reached = self._stretch.lead_reached if self._stretch else -1
        return max([reached, *map(_time, self._held)])

    @property
    def next_init_number(self) -> int:
        return self._init_number

    @property
    def next_discontinuity(self) -> bool:
        """Whether what follows this take must begin anew: as soon as the take made anything."""
        return self._discontinuity

    def packet(self, packet: Packet) -> list[Event]:
        """What this packet completes: nothing, mostly."""
        out: list[Event] = []
        stretch = self._stretch
        may_switch = self._held and packet.keyframe and packet.track.kind == "video"
        if stretch is not None and not may_switch and stretch.packet(packet, out):
            return out
        if self._hold(packet) and self._may_switch(packet):
            self._switch(out)
        return out

    def flush(self) -> list[Event]:
        """The take is over: everything left, as its last part and segment."""
        out: list[Event] = []
        if self._held:
            self._switch(out)
        self._close(out)
        return out

    def break_segment(self) -> list[Event]:
        """For a cut: the segment ends with the last part that was made."""
        out: list[Event] = []
        if self._stretch:
            self._stretch.break_segment(out)
        return out

    def segment_at_next_key(self) -> None:
        """For the end of a cut: viewers can start again at the very next key frame."""
        if self._stretch:
            self._stretch.segment_at_next_key()

    def _hold(self, packet: Packet) -> bool:
        """Keeps a packet of a track that is not in. False for video that cannot be started with."""
        held = self._held
        if packet.track.kind == "video":
            if not packet.keyframe and not any(p.track == packet.track for p in held):
                self.dropped["video"] += 1
                self._video_is_coming = True
                return False
            self._video_is_coming = False
        held.append(packet)
        self._weight += _weight(packet)
        if _time(packet) - _time(held[0]) > LONGEST_HELD:
            self._let_go(_time(packet) - LONGEST_HELD)
        elif self._stretch is not None and self._weight > MOST_WEIGHT:
            self._let_go((_time(held[0]) + _time(packet)) // 2)
        return bool(self._held)

    def _let_go(self, before: int) -> None:
        """Drops what is too old, and with a key frame the pictures that need it."""
        kept: deque[Packet] = deque()
        for packet in self._held:
            needs_key = packet.track.kind == "video" and not packet.keyframe
            if _time(packet) < before or (needs_key and not any(p.track == packet.track for p in kept)):
                self.dropped[packet.track.kind] += 1
            else:
                kept.append(packet)
        self._held = kept
        self._weight = sum(map(_weight, kept))

    def _wanted(self) -> dict[str, Track]:
        """The tracks that will be in: those that are, overlaid with those that wait."""
        tracks: dict[str, Track] = {track.kind: track for track in self._stretch.init.tracks} if self._stretch else {}
        return tracks | {packet.track.kind: packet.track for packet in self._held}

    def _may_switch(self, packet: Packet) -> bool:
        wanted = self._wanted()
        if self._stretch is not None:
            if "video" not in wanted or (packet.keyframe and packet.track.kind == "video"):
                return True
            return (
                _time(packet) - self._stretch.lead_reached > 2 * START_WAIT
            )  # the video is gone, not only between keys
        if self._weight > MOST_WEIGHT:
            return True
        waited = _time(packet) - _time(self._held[0])
        if self._video_is_coming:
            return waited >= LONGEST_HELD - START_WAIT
        return len(wanted) == 2 or waited >= START_WAIT

    def _switch(self, out: list[Event]) -> None:
        """A new stretch with the tracks wanted, beginning at the first key frame that waits; without one, of sound
        alone.
        """
        wanted = self._wanted()
        keys = [p for p in self._held if p.track == wanted.get("video") and p.keyframe]
        if not keys:
            wanted.pop("video", None)
        start = _time(keys[0] if keys else self._held[0])
        self._close(out)
        tracks = tuple(wanted[kind] for kind in ("video", "audio") if kind in wanted)
        sound = [track for track in tracks if track.kind == "audio"]
        init = Init(self._init_number, tracks, init_segment(tracks), init_segment(sound) if sound else None)
        self._stretch = Stretch(
            self._rule, init, self._serial, self._fragment_number, discontinuity=self._discontinuity
        )
        self._init_number += 1
        self._discontinuity = True
        out.append(init)
        self._weight = 0
        while self._held:
            packet = self._held.popleft()
            if _time(packet) < start or not self._stretch.packet(packet, out):
                self.dropped[packet.track.kind] += 1

    def _close(self, out: list[Event]) -> None:
        if self._stretch:
            self._stretch.close(out)
            self._serial, self._fragment_number = self._stretch.serial, self._stretch.fragment_number
            self._stretch = None


def _time(packet: Packet) -> int:
    return packet.dts * CLOCK // packet.track.timescale


def _weight(packet: Packet) -> int:
    return len(packet.data) + FRAME_WEIGHT
