"""The heads of Enhanced RTMP's audio and video messages (Veovera, "Enhanced RTMP" v1 and v2).

Rule: one video and one audio track. Multitrack messages are refused by name, modifiers (ModEx: nanoseconds) are
skipped. The names in the specification are ExVideoTagHeader and ExAudioTagHeader.
"""

from typing import NamedTuple

from ingest.rtmp.errors import PeerError
from media.packet import AudioCodec, VideoCodec

SEQUENCE_START, CODED_FRAMES, SEQUENCE_END, CODED_FRAMES_X = 0, 1, 2, 3
_VIDEO_MULTITRACK, _AUDIO_MULTITRACK, _MOD_EX = 6, 5, 7

VIDEO_CODECS: dict[str, VideoCodec] = {"avc1": "h264", "hvc1": "h265", "av01": "av1"}
AUDIO_CODECS: dict[str, AudioCodec] = {"mp4a": "aac", "Opus": "opus"}


class ExHead(NamedTuple):
    """`body` is where the codec's data begins; `refusal`, if not empty, names what is not supported."""

    frame_type: int
    packet_type: int
    four_cc: str
    body: int
    refusal: str = ""


def video_head(payload: memoryview) -> ExHead:
    """The head of a video message whose first bit is set. Raises PeerError."""
    return _head(payload, payload[0] >> 4 & 7, _VIDEO_MULTITRACK)


def audio_head(payload: memoryview) -> ExHead:
    """The head of an audio message of sound format 9; its frame type is 0. Raises PeerError."""
    return _head(payload, 0, _AUDIO_MULTITRACK)


def _head(payload: memoryview, frame_type: int, multitrack: int) -> ExHead:
    packet_type, position = payload[0] & 15, 1
    try:
        while packet_type == _MOD_EX:
            packet_type, position = _skip_modifier(payload, position)
    except IndexError:
        position = len(payload)
    if position + 4 > len(payload):
        reason = f"enhanced message of {len(payload)} bytes ends within its header"
        raise PeerError(reason)
    if packet_type == multitrack:
        return ExHead(frame_type, packet_type, "", position, "several tracks (Enhanced RTMP multitrack)")
    four_cc = bytes(payload[position : position + 4]).decode("ascii", "replace")
    return ExHead(frame_type, packet_type, four_cc, position + 4)


def _skip_modifier(payload: memoryview, position: int) -> tuple[int, int]:
    """The packet type behind a ModEx section and where its header goes on. Raises IndexError at the message's end."""
    size = payload[position] + 1
    position += 1
    if size == 256:  # an escape: the real size is in the next two bytes
        size = (payload[position] << 8 | payload[position + 1]) + 1
        position += 2
    position += size
    return payload[position] & 15, position + 1
