"""What an encoder is doing, measured on its packets: bit rates, frame rate, key frames, drops, and how its media comes
in. Pure.

Rule: a packet costs a few additions, since hundreds come a second; what takes thought is done once a second, in `read`.
"""

from collections import deque
from dataclasses import dataclass

from domain.encoder_health import KEYFRAMES_FAIR_MS, LATELY_SECONDS, REPAIRS_SECONDS, SETTLED_SECONDS
from ingest.key_quantisers import KeyQuantisers
from media.packet import Packet, Track

STEADY_READINGS = 5
"""Frames come in bursts, and a key frame holds most of a still picture's bits: from one second to the next their rates
swing, without anything being wrong.
"""
DROP_FACTOR = 1.6
"""A frame that comes this many usual intervals after the last has others missing before it."""
CLOCKS_APART = 0.001
"""Seconds a second that an encoder's clock may go slower than ours: what grows no faster is no queue."""
NEVER = float("inf")


@dataclass(frozen=True, slots=True)
class Reading:
    """The figures of the time since the last reading; rates and offset are of the last few, which steadies
    them. None: not known.
    """

    video_bytes: int
    audio_bytes: int
    video_kbps: int
    audio_kbps: int
    frame_rate: float | None
    keyframe_interval_ms: int | None
    """From key frame to key frame, or since the last one where that is longer already."""
    dropped_frames: int
    """Since the take began."""
    dropped_lately: int
    key_quantiser: float | None
    """How coarse the last key frames are: SliceQPY, 0 to 51."""
    jitter_ms: int | None
    """By how much the latest of its frames was later than the earliest, by their own times; the most lately."""
    queue_ms: int | None
    """By how much frames come later than they did at best: what waits in the encoder."""
    audio_offset_ms: int | None
    """By how much sound comes before the picture of its time; negative: after it."""
    repairs_lately: int
    age_seconds: float
    video_silent_seconds: float | None
    audio_silent_seconds: float | None


@dataclass(slots=True)
class _Second:
    """What is summed up between two readings."""

    frames: int = 0
    video_bytes: int = 0
    audio_bytes: int = 0
    least_transit: float = NEVER
    most_transit: float = -NEVER
    ahead: float = 0.0  # of sound before the picture, summed up
    ahead_of: int = 0
    seconds: float = 1.0


class TakeStatistics:
    """Fed with every packet as it stands on the time line; `read` once a second. `now` is of one monotonic clock."""

    def __init__(self) -> None:
        self.video: Track | None = None
        self.audio: Track | None = None
        self.dropped_frames = 0
        """Frames that never came, as far as their times tell."""
        self._second = _Second()
        self._counted: deque[_Second] = deque(maxlen=STEADY_READINGS)
        self._lately: deque[tuple[int, int | None]] = deque(maxlen=LATELY_SECONDS)  # dropped, jitter
        self._repairs: deque[int] = deque([0], maxlen=REPAIRS_SECONDS + 1)
        self._last_dts: int | None = None
        self._last_key: int | None = None
        self._quantisers = KeyQuantisers()
        self._step = 0.0
        self._key_interval: int | None = None
        self._began_at: float | None = None
        self._read_at: float | None = None
        self._video_at: float | None = None
        self._audio_at: float | None = None
        self._audio_time = 0.0  # seconds, of the last sound
        self._best_transit = NEVER

    @property
    def frame_rate(self) -> float | None:
        """The usual frame rate, from the frames' times."""
        if self.video is None or not self._step:
            return None
        return round(self.video.timescale / self._step, 2)

    def know(self, track: Track) -> bool:
        """Takes note of a track. Whether it says anything new."""
        known = self.video if track.kind == "video" else self.audio
        if track.kind == "video":
            self.video = track
        else:
            self.audio = track
        return known != track

    def packet(self, packet: Packet, now: float) -> None:
        track, second, size = packet.track, self._second, len(packet.data)
        dts = packet.dts
        time = dts / track.timescale
        if self._began_at is None:
            self._began_at = now
        if track.kind == "audio":
            self.audio = track
            self._audio_at, self._audio_time = now, time
            second.audio_bytes += size
            return
        self.video = track
        self._video_at = now
        second.frames += 1
        second.video_bytes += size
        transit = now - time
        if transit < second.least_transit:
            second.least_transit = transit
        if transit > second.most_transit:
            second.most_transit = transit
        if self._audio_at is not None:
            second.ahead += self._audio_time - time
            second.ahead_of += 1
        last, self._last_dts = self._last_dts, dts
        if last is not None and dts > last:
            self._interval(dts - last)
        if packet.keyframe:
            self._quantisers.see(packet)
            if self._last_key is not None and dts > self._last_key:
                self._key_interval = (dts - self._last_key) * 1000 // track.timescale
            self._last_key = dts

    def read(self, now: float, repairs: int = 0) -> Reading:
        """The figures since the last call. `repairs`: of the take's times, since it began."""
        self._began_at = now if self._began_at is None else self._began_at
        second, self._second = self._second, _Second()
        second.seconds = max(now - self._read_at, 0.001) if self._read_at is not None else 1.0
        # How long the first frames took to come is not known: the rate is counted from the first reading on.
        if self._read_at is not None and (second.frames or self._counted):
            self._counted.append(second)
        self._read_at = now
        counted = self._counted or [second]
        steady_seconds = sum(one.seconds for one in counted)
        bits, ahead_of = sum(one.video_bytes for one in counted) * 8, sum(one.ahead_of for one in counted)
        age = now - self._began_at
        queue = self._queued(second)
        self._note_lately(second, age)
        self._repairs.append(repairs)
        jitters = [jitter for _, jitter in self._lately if jitter is not None]
        return Reading(
            video_bytes=second.video_bytes,
            audio_bytes=second.audio_bytes,
            video_kbps=round(bits / 1000 / steady_seconds),
            audio_kbps=round(second.audio_bytes * 8 / 1000 / second.seconds),
            frame_rate=round(sum(one.frames for one in counted) / steady_seconds, 1) if self._counted else None,
            keyframe_interval_ms=self._keyframe_interval(),
            dropped_frames=self.dropped_frames,
            dropped_lately=self.dropped_frames - self._lately[0][0],
            key_quantiser=self._quantisers.mean,
            jitter_ms=max(jitters) if jitters else None,
            queue_ms=queue,
            audio_offset_ms=round(sum(one.ahead for one in counted) * 1000 / ahead_of) if ahead_of else None,
            repairs_lately=repairs - self._repairs[0],
            age_seconds=age,
            video_silent_seconds=None if self._video_at is None else now - self._video_at,
            audio_silent_seconds=None if self._audio_at is None else now - self._audio_at,
        )

    def _queued(self, second: _Second) -> int | None:
        """The best transit so far is what the way takes without a queue; it may grow as slowly as clocks differ."""
        if not second.frames:
            return None
        self._best_transit = min(self._best_transit + CLOCKS_APART * second.seconds, second.least_transit)
        return round((second.least_transit - self._best_transit) * 1000)

    def _note_lately(self, second: _Second, age: float) -> None:
        """Encoders begin with a burst: how unevenly that comes is nobody's network."""
        uneven = second.frames and age > SETTLED_SECONDS
        jitter = round((second.most_transit - second.least_transit) * 1000) if uneven else None
        self._lately.append((self.dropped_frames, jitter))

    def _keyframe_interval(self) -> int | None:
        if self.video is None or self._last_dts is None or self._last_key is None:
            return self._key_interval
        since = (self._last_dts - self._last_key) * 1000 // self.video.timescale
        if self._key_interval is None:
            return since if since > KEYFRAMES_FAIR_MS else None
        return max(self._key_interval, since)

    def _interval(self, interval: int) -> None:
        if self._step and interval > DROP_FACTOR * self._step:
            self.dropped_frames += round(interval / self._step) - 1
        # A slow mean: a change of the frame rate is followed in a second or so, one late frame is not taken for one.
        self._step = interval if not self._step else self._step + (interval - self._step) / 16
