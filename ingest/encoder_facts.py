"""A take's reading as the rule of an encoder's health asks for it (`domain.encoder_health`)."""

from domain.disk_state import DiskState
from domain.encoder_health import EncoderFacts
from ingest.take import Take
from ingest.take_statistics import Reading
from media.packet import Track

_HEVC_PROFILE_BITS = 0x1F
"""hvcC: two bits of profile space and one of tier stand before general_profile_idc (ISO/IEC 14496-15, 8.3.3.1.2)."""


def facts_of(take: Take, reading: Reading, encoder_megabits: int, disk: DiskState, free_bytes: int) -> EncoderFacts:
    """`encoder_megabits` is what an encoder may send for long; 0: as much as it likes. `disk` is what the take is
    written to, with `free_bytes` left.
    """
    video = take.statistics.video
    return EncoderFacts(
        age_seconds=reading.age_seconds,
        video_codec=video.codec if video else None,
        video_profile=_profile(video) if video else None,
        width=video.width if video else 0,
        height=video.height if video else 0,
        usual_frame_rate=take.statistics.frame_rate,
        frame_rate=reading.frame_rate,
        video_kbps=reading.video_kbps,
        key_quantiser=reading.key_quantiser,
        keyframe_interval_ms=reading.keyframe_interval_ms,
        video_silent_seconds=reading.video_silent_seconds,
        audio_silent_seconds=reading.audio_silent_seconds,
        dropped_frames=reading.dropped_lately,
        jitter_ms=reading.jitter_ms,
        queue_ms=reading.queue_ms,
        audio_offset_ms=reading.audio_offset_ms,
        drift_ppm=take.timeline.drift.rate_ppm if take.timeline else 0,
        repairs=reading.repairs_lately,
        limit_kbps=encoder_megabits * 1000 or None,
        disk=disk,
        disk_free_bytes=free_bytes,
    )


def _profile(video: Track) -> int | None:
    """The second byte of avcC and of hvcC says it."""
    if len(video.config) < 2 or video.codec not in ("h264", "h265"):
        return None
    return video.config[1] if video.codec == "h264" else video.config[1] & _HEVC_PROFILE_BITS
