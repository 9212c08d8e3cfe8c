"""What an encoder is doing, measured on its packets: bit rates, frame rate, key-frame interval, drops. Pure."""

from collections import deque
from dataclasses import dataclass

from media.packet import Packet, Track

STEADY_READINGS = 5
"""Frames come in bursts, and a key frame holds most of a still picture's bits: from one second to the next their rates
swing, without anything being wrong.
"""
DROP_FACTOR = 1.6
"""A frame that comes this many usual intervals after the last has others missing before it."""


@dataclass(frozen=True, slots=True)
class Reading:
    """The figures of the time since the last reading; the picture's rates are of the last few, which steadies them."""

    video_kbps: int
    audio_kbps: int
    frame_rate: float | None
    keyframe_interval_ms: int | None
    dropped_frames: int


class TakeStatistics:
    """Fed with every packet; `read` once a second."""

    def __init__(self) -> None:
        self.video: Track | None = None
        self.audio: Track | None = None
        self.dropped_frames = 0
        """Frames that never came, as far as their times tell."""
        self._bytes = {"video": 0, "audio": 0}
        self._frames = 0
        self._counted: deque[tuple[int, int, float]] = deque(maxlen=STEADY_READINGS)
        self._last_dts: int | None = None
        self._last_key: int | None = None
        self._step = 0.0
        self._key_interval: int | None = None
        self._read_at: float | None = None

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

    def packet(self, packet: Packet) -> None:
        track = packet.track
        self._bytes[track.kind] += len(packet.data)
        if track.kind == "audio":
            self.audio = track
            return
        self.video = track
        self._frames += 1
        last, self._last_dts = self._last_dts, packet.dts
        if last is not None and packet.dts > last:
            self._interval(packet.dts - last)
        if packet.keyframe:
            if self._last_key is not None and packet.dts > self._last_key:
                self._key_interval = (packet.dts - self._last_key) * 1000 // track.timescale
            self._last_key = packet.dts

    def read(self, now: float) -> Reading:
        """The figures since the last call; `now` in seconds of a monotonic clock."""
        seconds = max(now - self._read_at, 0.001) if self._read_at is not None else 1.0
        # How long the first frames took to come is not known: the rate is counted from the first reading on.
        if self._read_at is not None and (self._frames or self._counted):
            self._counted.append((self._frames, self._bytes["video"], seconds))
        self._read_at = now
        counted = self._counted or [(0, self._bytes["video"], seconds)]
        steady_seconds = sum(one[2] for one in counted)
        reading = Reading(
            round(sum(one[1] for one in counted) * 8 / 1000 / steady_seconds),
            round(self._bytes["audio"] * 8 / 1000 / seconds),
            round(sum(one[0] for one in counted) / steady_seconds, 1) if self._counted else None,
            self._key_interval,
            self.dropped_frames,
        )
        self._bytes = {"video": 0, "audio": 0}
        self._frames = 0
        return reading

    def _interval(self, interval: int) -> None:
        if self._step and interval > DROP_FACTOR * self._step:
            self.dropped_frames += round(interval / self._step) - 1
        # A slow mean: a change of the frame rate is followed in a second or so, one late frame is not taken for one.
        self._step = interval if not self._step else self._step + (interval - self._step) / 16
