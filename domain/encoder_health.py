"""How well an encoder does, and whether what it sends is kept, in verdicts that each tell a person what to change.

Rule of this file: what an encoder is blamed for, and when a class is told of its server's disk, is decided here alone,
from measured facts; pages and operators only put it into words. Every threshold stands here with its reason. A verdict
is about now: what was wrong a minute ago and is well again is no verdict.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum, auto

from domain.disk_state import DiskState


class Light(StrEnum):
    """A traffic light: fair can wait until after the class, poor cannot."""

    good = auto()
    fair = auto()
    poor = auto()


class HealthCode(StrEnum):
    """What is found; codes are an interface and never renamed."""

    good = auto()
    video_missing = auto()
    audio_missing = auto()
    disk_failing = auto()
    disk_low = auto()
    codec_not_everywhere = auto()
    network_behind = auto()
    network_jitter = auto()
    frames_dropped = auto()
    frame_rate_unsteady = auto()
    frame_rate_low = auto()
    keyframe_interval_long = auto()
    bit_rate_over_limit = auto()
    bit_rate_high = auto()
    bit_rate_low = auto()
    resolution_low = auto()
    audio_offset = auto()
    clocks_apart = auto()
    timestamps_repaired = auto()


@dataclass(frozen=True, slots=True)
class EncoderFacts:
    """What was measured of a take. None: not known, and then nothing is said about it."""

    age_seconds: float
    """Since the publish began."""
    video_codec: str | None = None
    video_profile: int | None = None
    """H.264: profile_idc; HEVC: general_profile_idc."""
    width: int = 0
    height: int = 0
    usual_frame_rate: float | None = None
    """By the frames' own times."""
    frame_rate: float | None = None
    """As frames came, over the last seconds."""
    video_kbps: int = 0
    key_quantiser: float | None = None
    """How coarse its last key frames are: H.264's SliceQPY, 0 to 51, their mean."""
    keyframe_interval_ms: int | None = None
    video_silent_seconds: float | None = None
    """Since the last frame; None where none ever came."""
    audio_silent_seconds: float | None = None
    dropped_frames: int = 0
    """In the last LATELY_SECONDS, as the next two."""
    jitter_ms: int | None = None
    """How unevenly frames came, against their own times."""
    queue_ms: int | None = None
    """How much later media comes now than it did at best."""
    audio_offset_ms: int | None = None
    """Positive: sound comes that much before the picture of its time; negative: after it."""
    drift_ppm: int = 0
    """By how many millionths the picture's clock goes slower than the sound's, where that has to be put right."""
    repairs: int = 0
    """Of times, in the last REPAIRS_SECONDS."""
    limit_kbps: int | None = None
    """More is not allowed to this encoder for long."""
    disk: DiskState = DiskState.good
    """Of what it sends to be kept; one that keeps nothing at all now is told otherwise."""
    disk_free_bytes: int = 0


@dataclass(frozen=True, slots=True)
class Verdict:
    """One finding with the numbers that its words need."""

    code: HealthCode
    light: Light
    facts: dict[str, int | str]


LATELY_SECONDS = 10
REPAIRS_SECONDS = 60
SETTLED_SECONDS = 5
"""An encoder's first seconds are a burst, half a GOP and tracks that begin one after the other: no ground for blame."""
SILENT_SECONDS = 3
"""The same time after which a publisher counts as dead; sound and pictures never pause so long by themselves."""
KEYFRAMES_FAIR_MS, KEYFRAMES_POOR_MS, KEYFRAMES_ADVISED_SECONDS = 4_000, 6_000, 2
"""Segments are cut at key frames: above 4 s joining and seeking are slow; above 6 s, the longest segment, one is cut
where no player can begin.
"""
STEADY_FAIR, STEADY_POOR = 0.9, 0.7
"""Of the frames that should come: one in ten missing is seen in a moving hand, one in three in everything."""
FRAMES_FAIR, FRAMES_POOR = 23.5, 12
"""Below cinema's 24 gestures stutter; below 12 it is a slide show."""
DROPS_POOR = 15
"""In ten seconds: half a second of 30 frames."""
LINES_FAIR, LINES_POOR = 720, 480
"""720 lines keep slides readable; below 480 small type is lost."""
LINE_KBPS = 12_000
"""More than this many a viewer's line gives out: the live picture has no smaller rendition to fall back on."""
MOST_BITS, ADVISED_BITS = 0.25, 0.08
"""Of video per pixel and frame, for H.264. Above the first nobody sees a difference; the second is 5 Mbit/s at
1080p30.
"""
THRIFT = {"h265": 0.6, "av1": 0.5}
"""How much of that newer codecs need."""
COARSE_QUANTISER = 37
"""Of H.264's 0 to 51. WebRTC's encoders give up resolution above it. With x264 at 720 and 1080 lines a camera's picture
falls below 33 dB and into blocks there (300 kbit/s: 39); slides do not come near, not at 150 kbit/s (24 to 33), though
neither their bit rate nor the size of their key frames is another than that picture's (docs/decisions/0035).
"""
OFFSET_FAIR_MS, OFFSET_POOR_MS = 100, 500
"""Viewers notice sound that is 90 ms early or 185 ms late (ITU-R BT.1359-1: acceptable to there); half a second is a
broken cable's.
"""
JITTER_FAIR_MS, JITTER_POOR_MS = 250, 1_000
"""Sockets are read every 40 ms, so that less says nothing; half a part is felt as delay, and a second is about what
players hold in reserve.
"""
QUEUE_FAIR_MS, QUEUE_POOR_MS = 2_000, 5_000
"""An encoder whose line is too slow keeps a queue, and the class falls behind by it."""
DRIFT_FAIR_PPM, DRIFT_POOR_PPM = 500, 5_000
"""Clocks of sound hardware are right to 100 ppm. Five times that is a setting or a fault, 1.8 seconds an hour; with ten
times more the whole class runs late behind what keeps them together.
"""
REPAIRS_FAIR, REPAIRS_POOR = 10, 300
"""A reconnect or a set clock costs a few; ten in a minute are an encoder's habit, five a second are heard."""
PLAYED_H264_PROFILES = frozenset({66, 77, 88, 100})
"""Baseline, main, extended, high: 4:2:0 and 8 bit. No browser plays the others."""
H264_PROFILES = {110: "High 10", 122: "High 4:2:2", 244: "High 4:4:4", 118: "Multiview", 128: "Stereo"}


def encoder_health(facts: EncoderFacts) -> list[Verdict]:
    """What is wrong, the worst first; `good` alone where nothing is; nothing before the encoder has settled."""
    if facts.age_seconds < SETTLED_SECONDS:
        return []
    has_picture = _comes(facts.video_silent_seconds)
    found = [*_tracks(facts), *disk_health(facts.disk, facts.disk_free_bytes), *_codec(facts)]
    if has_picture:
        found += [*_network(facts), *_frames(facts), *_bits(facts), *_lines(facts)]
    found += [*_offset(facts), *_drift(facts), *_repairs(facts)]
    found.sort(key=lambda one: one.light != Light.poor)  # stable: within a light the order above stays
    return found or [Verdict(HealthCode.good, Light.good, {})]


def disk_health(state: DiskState, free_bytes: int) -> list[Verdict]:
    """What the disk that a class is kept on means for it. A full one keeps nothing now: that is more than a verdict."""
    if state == DiskState.failing:
        return [Verdict(HealthCode.disk_failing, Light.poor, {})]
    if state == DiskState.low:
        return [Verdict(HealthCode.disk_low, Light.fair, {"free_bytes": free_bytes})]
    return []


def worst(verdicts: list[Verdict]) -> Light | None:
    """The light for all of it; None before anything is known."""
    lights = {one.light for one in verdicts}
    return next((light for light in (Light.poor, Light.fair, Light.good) if light in lights), None)


def _comes(silent_seconds: float | None) -> bool:
    return silent_seconds is not None and silent_seconds < SILENT_SECONDS


def _graded(
    code: HealthCode, value: float | None, fair: float, poor: float, facts: dict[str, int | str]
) -> Iterator[Verdict]:
    """A verdict where `value` is above `fair`, poor above `poor`."""
    if value is not None and value > fair:
        yield Verdict(code, Light.poor if value > poor else Light.fair, facts)


def _tracks(facts: EncoderFacts) -> Iterator[Verdict]:
    if not _comes(facts.video_silent_seconds):
        # A class without pictures may be meant; one whose picture went away is not.
        never = facts.video_silent_seconds is None
        yield Verdict(HealthCode.video_missing, Light.fair if never else Light.poor, {})
    if not _comes(facts.audio_silent_seconds):
        yield Verdict(HealthCode.audio_missing, Light.poor, {})


def _codec(facts: EncoderFacts) -> Iterator[Verdict]:
    code, profile = HealthCode.codec_not_everywhere, facts.video_profile
    if facts.video_codec == "h264" and profile is not None and profile not in PLAYED_H264_PROFILES:
        name = H264_PROFILES.get(profile, f"profile {profile}")
        yield Verdict(code, Light.poor, {"codec": f"H.264 {name}"})
    elif facts.video_codec == "h265":
        name = " Main 10" if profile == 2 else ""
        yield Verdict(code, Light.fair, {"codec": f"HEVC{name}"})
    elif facts.video_codec == "av1":
        yield Verdict(code, Light.fair, {"codec": "AV1"})


def _network(facts: EncoderFacts) -> Iterator[Verdict]:
    queue, jitter = facts.queue_ms, facts.jitter_ms
    behind = list(
        _graded(HealthCode.network_behind, queue, QUEUE_FAIR_MS, QUEUE_POOR_MS, {"seconds": _seconds(queue or 0)})
    )
    yield from behind
    if not behind:  # a queue that grows is uneven, too: its cause is said, not its sign
        yield from _graded(HealthCode.network_jitter, jitter, JITTER_FAIR_MS, JITTER_POOR_MS, {"ms": jitter or 0})


def _frames(facts: EncoderFacts) -> Iterator[Verdict]:
    dropped, rate, usual = facts.dropped_frames, facts.frame_rate, facts.usual_frame_rate
    if dropped:
        light = Light.poor if dropped >= DROPS_POOR else Light.fair
        yield Verdict(HealthCode.frames_dropped, light, {"frames": dropped, "seconds": LATELY_SECONDS})
    if rate is not None and usual and rate < STEADY_FAIR * usual:
        light = Light.poor if rate < STEADY_POOR * usual else Light.fair
        yield Verdict(HealthCode.frame_rate_unsteady, light, {"rate": _plain(rate), "usual": _plain(usual)})
    elif usual and usual < FRAMES_FAIR:
        light = Light.poor if usual < FRAMES_POOR else Light.fair
        yield Verdict(HealthCode.frame_rate_low, light, {"rate": _plain(usual)})
    interval = facts.keyframe_interval_ms
    told: dict[str, int | str] = {"seconds": _seconds(interval or 0), "advised_seconds": KEYFRAMES_ADVISED_SECONDS}
    yield from _graded(HealthCode.keyframe_interval_long, interval, KEYFRAMES_FAIR_MS, KEYFRAMES_POOR_MS, told)


def _bits(facts: EncoderFacts) -> Iterator[Verdict]:
    kbps, limit, coarse = facts.video_kbps, facts.limit_kbps, facts.key_quantiser
    per_bit = facts.width * facts.height * (facts.usual_frame_rate or 0) * THRIFT.get(facts.video_codec or "", 1) / 1000
    advised = min(LINE_KBPS, per_bit * ADVISED_BITS)
    told: dict[str, int | str] = {"kbps": kbps, "lines": facts.height, "advised_kbps": _rounded(advised or LINE_KBPS)}
    if limit is not None and kbps > limit:
        yield Verdict(HealthCode.bit_rate_over_limit, Light.poor, {"kbps": kbps, "limit_kbps": limit})
    elif kbps > min(LINE_KBPS, per_bit * MOST_BITS or LINE_KBPS):
        yield Verdict(HealthCode.bit_rate_high, Light.fair, told)
    elif coarse is not None and coarse > COARSE_QUANTISER and 0 < kbps < advised:
        yield Verdict(HealthCode.bit_rate_low, Light.fair, told)


def _lines(facts: EncoderFacts) -> Iterator[Verdict]:
    lines = min(facts.width, facts.height)  # a telephone held upright has as many
    if 0 < lines < LINES_FAIR:
        light = Light.poor if lines < LINES_POOR else Light.fair
        yield Verdict(HealthCode.resolution_low, light, {"width": facts.width, "height": facts.height})


def _offset(facts: EncoderFacts) -> Iterator[Verdict]:
    offset = facts.audio_offset_ms
    if offset is None or not (_comes(facts.video_silent_seconds) and _comes(facts.audio_silent_seconds)):
        return
    told: dict[str, int | str] = {"ms": abs(offset), "first": "audio" if offset > 0 else "video"}
    yield from _graded(HealthCode.audio_offset, abs(offset), OFFSET_FAIR_MS, OFFSET_POOR_MS, told)


def _drift(facts: EncoderFacts) -> Iterator[Verdict]:
    ppm = abs(facts.drift_ppm)
    told: dict[str, int | str] = {"seconds": _plain(ppm * 3600 / 1_000_000)}
    yield from _graded(HealthCode.clocks_apart, ppm, DRIFT_FAIR_PPM, DRIFT_POOR_PPM, told)


def _repairs(facts: EncoderFacts) -> Iterator[Verdict]:
    if facts.repairs >= REPAIRS_FAIR:
        light = Light.poor if facts.repairs >= REPAIRS_POOR else Light.fair
        yield Verdict(HealthCode.timestamps_repaired, light, {"times": facts.repairs, "seconds": REPAIRS_SECONDS})


def _seconds(ms: int) -> str:
    return _plain(ms / 1000)


def _plain(value: float) -> str:
    """A number with one decimal where it has one."""
    return f"{value:.1f}".removesuffix(".0")


def _rounded(kbps: float) -> int:
    """Advice nobody has to type with its last digits."""
    step = 500 if kbps >= 2_000 else 100
    return max(step, round(kbps / step) * step)
