"""Puts one take's packets on the session's time line, and repairs what encoders do to times. Pure; nothing is waited
for.

Rules, in the order they are applied to a packet:
1. The first packet of a take lands on the take's base; both tracks share one shift, so their distance is the encoder's.
2. Audio follows its own frame lengths exactly while the stamps agree on the average: RTMP rounds to milliseconds.
   Where stamps leave them slowly, by a clock that is a little wrong, it still does, and the stamps are read anew.
3. A small step back becomes the smallest step forward; a frame is never lost for its time.
4. A large step back, or forward further than any real pause, is a clock that was set: the line goes on without a
   hole, and the other track, which will jump too, is given the same new shift.
5. Tracks that keep coming together while their stamps drift apart are kept together: slowly, by pictures that are held
   a little longer or shorter (`drift.py`), or at once where they are far apart already.
6. Stamps that stand still, or crawl, tell nothing: the track goes on by when its frames come (`crawl.py`).
Every repair is counted, and told in the take's report (`repairs.py`).
"""

from collections import Counter

from ingest.crawl import LOOK_FRAMES, Crawl
from ingest.drift import Drift
from ingest.events import CLOCK
from ingest.repairs import RepairKind, Repairs
from media.codecs import aac, opus
from media.packet import Packet, Track

SMALL_BACKWARD = CLOCK // 5
"""Up to 0.2 s back is disorder; further is a clock that was set."""
LARGEST_PAUSE = 30 * CLOCK
"""A publisher silent for longer is given up, so no stamp can honestly jump this far."""
LARGEST_REORDER = 5 * CLOCK
"""No encoder shows a picture this long after its decoding: a larger offset is a mistake."""
LEAD = CLOCK // 2
"""How much earlier than the take's first packet the other track may begin: takes are based this far after the last."""
LARGEST_APART = 3 * CLOCK
"""Frames that come together were taken together, give or take an encoder's look-ahead: x264's longest is 60 frames, 2.4
seconds. Nor can parts hold both tracks' media of one time when they lie further apart than `stretch.PATIENCE`.
"""
APART_FRAMES = 8
"""So many pictures in a row must be that far from the sound: after a pause of both, one of them comes first."""
DRIFT_TOLD = CLOCK // 10
"""A drift is put right by a little with each frame: every tenth of a second of it is told as one repair."""


class _Clock:
    """One track's place on the line, in the track's own ticks."""

    __slots__ = (
        "average",
        "count",
        "crawl",
        "crawls",
        "expected",
        "frame",
        "is_sound",
        "last",
        "own",
        "pause",
        "reorder",
        "scale",
        "shift",
        "step_back",
        "told",
        "track",
    )

    def __init__(self, track: Track, shift: int, expected: int) -> None:
        self.track = track
        self.is_sound = track.kind == "audio"
        self.scale = track.timescale
        self.frame = aac.parse_config(track.config).frame_ticks if track.codec == "aac" else 0
        """How long each packet lasts by its own account; 0 where they differ, or do not tell."""
        self.shift = shift * self.scale // CLOCK
        self.own = 0
        """What of the shift is for a drift, and this track's alone."""
        self.told = 0
        self.last: int | None = None
        self.expected = expected
        self.count = 0
        self.average = 0
        self.crawl = Crawl(self.scale, is_sound=self.is_sound)
        self.crawls = False
        self.step_back = SMALL_BACKWARD * self.scale // CLOCK
        self.pause = LARGEST_PAUSE * self.scale // CLOCK
        self.reorder = LARGEST_REORDER * self.scale // CLOCK


class Timeline:
    """`base` is where on the session's line (ticks of CLOCK) the take begins; use what `next_base` says for a later
    take.
    """

    def __init__(self, base: int) -> None:
        self.repairs = Repairs()
        self._base = base
        self._shift: int | None = None
        self._clocks: dict[str, _Clock] = {}
        self._end = base
        self._apart = 0  # pictures in a row that lie too far from the sound
        self._heard = False  # whether sound came since the last picture
        self.drift = Drift()

    @property
    def end(self) -> int:
        """The latest time given so far, in ticks of CLOCK."""
        return self._end

    @property
    def frames(self) -> Counter[str]:
        """Packets placed, by the kind of their track."""
        return Counter({kind: clock.count for kind, clock in self._clocks.items()})

    def place(self, packet: Packet, heard_at: float | None = None) -> Packet:
        """The packet at its time on the session's line. Decode times of a track rise strictly.

        `heard_at` is when it came, in seconds of a monotonic clock; without it slow drifts are not seen. Raises
        MalformedMedia.
        """
        track = packet.track
        kind, raw = track.kind, packet.dts
        clock = self._clocks.get(kind)
        if clock is None or clock.track is not track:
            clock = self._clock(kind, packet)
        dts, last, scale = raw + clock.shift, clock.last, clock.scale
        if last is None:
            dts = self._first(clock, raw, dts)
        elif clock.crawls:
            expected = last + clock.crawl.step if clock.crawl.step else clock.expected
            dts = clock.crawl.place(expected, heard_at)
            clock.shift = dts - raw
        elif dts <= last - clock.step_back or dts - last > clock.pause:
            dts = self._jump(clock, raw)
        if clock.is_sound:
            dts = self._regular(clock, dts, follow=heard_at is None)
            if heard_at is not None:
                self.drift.sound(heard_at - dts / scale)
            self._heard = True
        else:
            if heard_at is not None:
                owed = self.drift.picture(heard_at - dts / scale, heard_at)
                if owed:
                    dts = self._steered(clock, dts)
            if self._heard:
                dts = self._together(clock, dts)
        if last is not None and dts <= last:
            self._repaired(RepairKind.step_back, clock, last + 1, last + 1 - dts)
            dts = last + 1
        offset = packet.pts - raw
        if not -clock.reorder < offset < clock.reorder:
            self._repaired(RepairKind.offset, clock, dts, -offset)
            offset = 0
        clock.expected = end = dts + (clock.frame or _step(packet, dts, last))
        clock.last = dts
        end = end * CLOCK // scale
        if end > self._end:
            self._end = end
        clock.count += 1
        if clock.count % LOOK_FRAMES == 1:
            self._look(clock, raw, heard_at)
        return Packet(track, dts, dts + offset, packet.keyframe, packet.data)

    def _clock(self, kind: str, packet: Packet) -> _Clock:
        """The track's clock; a new configuration of a kind goes on where the old one was."""
        track = packet.track
        old = self._clocks.get(kind)
        if old is not None and old.track == track:
            old.track = track
            return old
        if self._shift is None:
            self._shift = self._base - packet.dts * CLOCK // track.timescale
        clock = self._clocks[kind] = _Clock(track, self._shift, 0)
        if old is not None and old.last is not None:
            clock.count = old.count
            clock.shift = old.shift * clock.scale // old.scale
            clock.own = old.own * clock.scale // old.scale
            clock.told = old.told * clock.scale // old.scale
            if old.scale == clock.scale:
                clock.crawl, clock.crawls = old.crawl, old.crawls
            clock.last = old.last * clock.scale // old.scale
            clock.expected = old.expected * clock.scale // old.scale
        return clock

    def _first(self, clock: _Clock, raw: int, dts: int) -> int:
        """A track may begin a little before the take's base, or later; anything else is a clock of its own."""
        time = dts * CLOCK // clock.scale
        if max(0, self._base - LEAD) <= time <= self._end + LARGEST_PAUSE:
            return dts
        stamped, dts = dts, self._end * clock.scale // CLOCK
        clock.shift = dts - raw
        self._repaired(RepairKind.jump, clock, dts, dts - stamped)
        return dts

    def _jump(self, clock: _Clock, raw: int) -> int:
        """Where the track goes on after its stamps were set anew: by the other track's new shift if that fits."""
        assert clock.last is not None
        assert self._shift is not None
        shared = self._shift * clock.scale // CLOCK + clock.own
        dts = raw + shared
        if shared != clock.shift and clock.last - clock.step_back < dts <= clock.last + CLOCK * clock.scale // CLOCK:
            clock.shift = shared
        else:
            stamped, dts = raw + clock.shift, clock.expected
            clock.shift = dts - raw
            self._shift = (clock.shift - clock.own) * CLOCK // clock.scale
            self._repaired(RepairKind.jump, clock, dts, dts - stamped)
        clock.average = 0
        return dts

    def _regular(self, clock: _Clock, dts: int, *, follow: bool) -> int:
        """The exact time of an audio frame, while stamps stay near it: on average within half a frame, each within one
        and a half.

        The average (over about 16 frames) tells jitter, which is smoothed away, from a lost frame, which is followed. A
        drift takes more frames than the average is of, so that it is near its error: it is followed only if told to.
        """
        if clock.last is None:
            return dts
        step = clock.expected - clock.last
        error = dts - clock.expected
        clock.average += (16 * error - clock.average) // 16
        near = 2 * abs(error) <= 3 * step
        if near and abs(clock.average) <= 8 * step:
            return clock.expected
        mean, clock.average = clock.average // 16, 0
        if near and not follow and 4 * abs(error) <= 3 * step:
            self._drifted(clock, clock.expected, -mean)
            return clock.expected
        if near and abs(error - mean) > step // 2:
            dts = clock.expected + mean  # this stamp is one of the jittered ones
        self._repaired(RepairKind.audio_move, clock, dts, dts - clock.expected)
        return dts

    def _look(self, clock: _Clock, raw: int, heard_at: float | None) -> None:
        assert clock.last is not None
        crawled = clock.crawls
        clock.crawls = clock.crawl.look(raw, clock.last, heard_at, crawls=crawled)
        if clock.crawls and not crawled:
            self._repaired(RepairKind.crawl, clock, clock.last, 0)
            clock.average = 0

    def _steered(self, clock: _Clock, dts: int) -> int:
        """The picture's time, moved where its clock and the sound's differ."""
        step = dts - clock.last if clock.last is not None else 0
        move = self.drift.pay(step * CLOCK // clock.scale) * clock.scale // CLOCK
        self._drifted(clock, dts + move, move)
        return dts + move

    def _together(self, clock: _Clock, dts: int) -> int:
        """The picture's time, after a look at how far it is from the sound that came before it.

        Whichever track lies behind is moved forward, since neither can go back.
        """
        self._heard = False
        sound = self._clocks["audio"]
        assert sound.last is not None
        apart = dts * CLOCK // clock.scale - sound.last * CLOCK // sound.scale
        self._apart = self._apart + 1 if abs(apart) > LARGEST_APART else 0
        if self._apart < APART_FRAMES:
            return dts
        self._apart = 0
        self.drift = Drift()  # what is usual has to be learnt anew
        if apart > 0:
            moved = apart * sound.scale // CLOCK
            sound.shift += moved
            sound.last += moved
            sound.expected += moved
            self._repaired(RepairKind.apart, sound, sound.last, moved)
            return dts
        moved = -apart * clock.scale // CLOCK
        clock.shift += moved
        self._repaired(RepairKind.apart, clock, dts + moved, moved)
        return dts + moved

    def _drifted(self, clock: _Clock, at: int, moved: int) -> None:
        clock.shift += moved
        clock.own += moved
        untold = clock.own - clock.told
        if abs(untold) * CLOCK >= DRIFT_TOLD * clock.scale:
            self._repaired(RepairKind.drift, clock, at, untold)
            clock.told = clock.own

    def _repaired(self, kind: RepairKind, clock: _Clock, at: int, moved: int) -> None:
        """Notes a repair; `at` and `moved` are the track's ticks."""
        self.repairs.add(kind, clock.track.kind, at * CLOCK // clock.scale, moved * CLOCK // clock.scale)


def next_base(end: int, elapsed: int) -> int:
    """The base of the next take: where the line has got to by the clock, but always clear of what is there (ticks of
    CLOCK).
    """
    return max(elapsed, end + LEAD)


def _step(packet: Packet, dts: int, last: int | None) -> int:
    """How long a packet lasts, in its track's ticks: by its own account, else as long as the one before."""
    if packet.track.codec == "opus":
        return opus.packet_ticks(packet.data)
    return packet.track.timescale // 30 if last is None else dts - last
