"""One line of time for a peer's sound and picture, from two RTP clocks that know nothing of each other. Pure.

Rules:
1. A track's first packet is placed by its arrival, until sender reports of both tracks have said how the clocks lie
   (RFC 3550 §6.4.1: a wall-clock instant and the RTP time of the same instant).
2. Then sound stays where it is, and the picture moves towards it, by at most an eighth of each frame's length: what is
   heard never jumps, and no frame's time runs back.
3. A track whose stamps part from arrival by more than TRUST_SECONDS had its clock set: it is placed by arrival anew.
"""

from dataclasses import dataclass, field
from typing import Literal

from ingest.whip.counters import Unwrapper

LEAD_SECONDS = 1.0
"""Where the line begins, so that what is found to be earlier than the first packet still has a time."""
TRUST_SECONDS = 10.0
DEADBAND_SECONDS = 0.008
"""A report's own jitter: nothing is moved for less."""
_SLEW = 8
Kind = Literal["video", "audio"]


@dataclass(slots=True)
class _Track:
    rate: int
    unwrap: Unwrapper = field(default_factory=lambda: Unwrapper(32))
    offset: int | None = None  # from extended RTP time to the line, in ticks
    target: int = 0
    raw: int = 0
    last: int = -1
    report: tuple[float, int] | None = None  # wall clock in seconds, extended RTP time

    def on_line(self, wall: float) -> float | None:
        """Where on the line, in seconds, the track has what was sampled at `wall` by the sender's clock."""
        if self.report is None or self.offset is None:
            return None
        at, rtp = self.report
        return (rtp + self.offset) / self.rate + wall - at


class MediaClock:
    """`now` is any monotonic clock, in seconds."""

    def __init__(self, video_rate: int = 90_000, audio_rate: int = 48_000) -> None:
        self._tracks: dict[Kind, _Track] = {"video": _Track(video_rate), "audio": _Track(audio_rate)}
        self._origin: float | None = None

    def place(self, kind: Kind, timestamp: int, now: float) -> int:
        """The time on the line of what has this RTP timestamp, in the track's ticks; rises strictly for each track."""
        track = self._tracks[kind]
        raw = track.unwrap(timestamp)
        if self._origin is None:
            self._origin = now - LEAD_SECONDS
        arrived = now - self._origin
        if track.offset is None or abs((raw + track.offset) / track.rate - arrived) > TRUST_SECONDS:
            track.offset = track.target = round(arrived * track.rate) - raw
            track.report = None if track.last >= 0 else track.report
        elif track.offset != track.target:
            most = max(0, raw - track.raw) // _SLEW
            track.offset += max(-most, min(most, track.target - track.offset))
        track.raw = raw
        track.last = max(raw + track.offset, track.last + 1)
        return track.last

    def report(self, kind: Kind, ntp: int, timestamp: int) -> None:
        """A sender report: `ntp` is its 64-bit wall clock, `timestamp` the RTP time of that instant."""
        track = self._tracks[kind]
        if track.offset is None or not ntp:
            return  # before the first packet there is nothing to relate it to; RFC 3550 lets 0 stand for no clock
        track.report = (ntp / (1 << 32), track.unwrap(timestamp))
        self._relate()

    def restart(self, kind: Kind) -> None:
        """The track goes on as another stream, with a clock of its own."""
        old = self._tracks[kind]
        self._tracks[kind] = _Track(old.rate, last=old.last)

    def skew_seconds(self) -> float | None:
        """How far the picture is ahead of the sound by the reports; None until both have one."""
        video, audio = self._tracks["video"], self._tracks["audio"]
        if video.report is None or video.offset is None:
            return None
        sound = audio.on_line(video.report[0])
        return None if sound is None else (video.report[1] + video.offset) / video.rate - sound

    def _relate(self) -> None:
        skew, video = self.skew_seconds(), self._tracks["video"]
        if skew is None or video.offset is None or not DEADBAND_SECONDS < abs(skew) < TRUST_SECONDS:
            return
        video.target = video.offset - round(skew * video.rate)
