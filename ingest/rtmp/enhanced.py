"""The heads of Enhanced RTMP's audio and video messages (Veovera, "Enhanced RTMP" v2: ExVideoTagHeader,
ExAudioTagHeader).

Rule: a message is brought to its tracks, each with its codec's data; nothing is chosen here. Of the modifiers (ModEx)
the nanosecond offset is read, others are skipped by their length.
"""

from typing import NamedTuple

from ingest.rtmp.errors import PeerError
from media.packet import AudioCodec, VideoCodec

SEQUENCE_START, CODED_FRAMES, SEQUENCE_END, CODED_FRAMES_X = 0, 1, 2, 3
_VIDEO_MULTITRACK, _AUDIO_MULTITRACK, _MOD_EX = 6, 5, 7
_ONE_TRACK, _MANY_CODECS = 0, 2  # AvMultitrackType; 1 is many tracks of one codec
_NANOSECONDS = 0  # VideoPacketModExType, AudioPacketModExType: TimestampOffsetNano
_LONGEST_OFFSET = 999_999

VIDEO_CODECS: dict[str, VideoCodec] = {"avc1": "h264", "hvc1": "h265", "av01": "av1"}
AUDIO_CODECS: dict[str, AudioCodec] = {"mp4a": "aac", "Opus": "opus"}
NAMES = {"vp08": "VP8", "vp09": "VP9", "vvc1": "H.266", "fLaC": "FLAC", "ac-3": "AC-3", "ec-3": "E-AC-3", ".mp3": "MP3"}
"""What FourCCs that we do not take are called."""


class ExTrack(NamedTuple):
    """One track's part of a message. `number` is 0 outside of multitrack; `nanoseconds` are to be added to its time."""

    frame_type: int
    packet_type: int
    four_cc: str
    number: int
    nanoseconds: int
    data: memoryview


def video_tracks(payload: memoryview) -> list[ExTrack]:
    """Those of a video message whose first bit is set, at least one. Raises PeerError."""
    return _tracks(payload, payload[0] >> 4 & 7, _VIDEO_MULTITRACK)


def audio_tracks(payload: memoryview) -> list[ExTrack]:
    """Those of an audio message of sound format 9; its frame type is 0. Raises PeerError."""
    return _tracks(payload, 0, _AUDIO_MULTITRACK)


def _tracks(payload: memoryview, frame_type: int, multitrack: int) -> list[ExTrack]:
    try:
        packet_type, position, nanoseconds = payload[0] & 15, 1, 0
        while packet_type == _MOD_EX:
            packet_type, position, offset = _modifier(payload, position)
            nanoseconds = offset or nanoseconds
        if packet_type != multitrack:
            four_cc, position = _four_cc(payload, position)
            return [ExTrack(frame_type, packet_type, four_cc, 0, nanoseconds, payload[position:])]
        return _several(payload, position, frame_type, nanoseconds)
    except IndexError:
        reason = f"enhanced message of {len(payload)} bytes ends within its header"
        raise PeerError(reason) from None


def _several(payload: memoryview, position: int, frame_type: int, nanoseconds: int) -> list[ExTrack]:
    """The tracks of a multitrack message. Raises IndexError at the message's end."""
    form, packet_type = payload[position] >> 4, payload[position] & 15
    position += 1
    four_cc = ""
    if form != _MANY_CODECS:
        four_cc, position = _four_cc(payload, position)
    found: list[ExTrack] = []
    while position < len(payload) or not found:
        if form == _MANY_CODECS:
            four_cc, position = _four_cc(payload, position)
        number, position = payload[position], position + 1
        end = len(payload)
        if form != _ONE_TRACK:
            size = payload[position] << 16 | payload[position + 1] << 8 | payload[position + 2]
            position += 3
            end = position + size
            if end > len(payload):
                raise IndexError
        found.append(ExTrack(frame_type, packet_type, four_cc, number, nanoseconds, payload[position:end]))
        if len(found) > 256:  # as many as there are numbers
            reason = "a multitrack message with more than 256 tracks"
            raise PeerError(reason)
        position = end
    return found


def _four_cc(payload: memoryview, position: int) -> tuple[str, int]:
    after = position + 4
    if after > len(payload):
        raise IndexError
    return bytes(payload[position:after]).decode("ascii", "replace"), after


def _modifier(payload: memoryview, position: int) -> tuple[int, int, int]:
    """The packet type behind a ModEx section, where its header goes on, and the nanoseconds that it is about."""
    size = payload[position] + 1
    position += 1
    if size == 256:  # an escape: the real size is in the next two bytes
        size = (payload[position] << 8 | payload[position + 1]) + 1
        position += 2
    data, position = payload[position : position + size], position + size
    kind, packet_type = payload[position] >> 4, payload[position] & 15
    offset = int.from_bytes(data[:3], "big") if kind == _NANOSECONDS and size >= 3 else 0
    return packet_type, position + 1, min(offset, _LONGEST_OFFSET)
