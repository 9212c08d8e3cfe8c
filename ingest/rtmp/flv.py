"""Audio and video messages to tracks and packets (Adobe Flash Video File Format 10.1, Annex E.4; Enhanced RTMP v2).

Rule: payloads are sliced, never copied (but for NAL lengths of another size than four bytes, which no current encoder
writes). Of several tracks of a kind the first that comes is taken. Parameter sets that change in the pictures alone, at
a key frame, make a new track as a new configuration does. Times: RTMP counts whole milliseconds modulo 2³²; they are
unwrapped and turned into ticks by integers alone, ms × 90 for video and ms × rate ÷ 1000 rounded to the nearest tick
for audio, with the nanoseconds beside them where an encoder sends such. Its own rounding (21 or 22 ms for 1024 samples)
is passed on as it came: making audio times regular is the packager's job.
"""

from ingest.rtmp import enhanced
from ingest.rtmp.chunks import WRAP
from ingest.rtmp.errors import PeerError
from ingest.rtmp.events import MediaReceived, TrackConfigured, UnsupportedCodec, Warned
from ingest.rtmp.left_out import LeftOut
from media.codecs import h264, h265, nal, opus
from media.malformed import MalformedMedia
from media.packet import AudioCodec, Packet, Track, VideoCodec, audio_track, video_track
from media.parameter_sets import ParameterSets, SequenceHeader

MediaEvent = TrackConfigured | MediaReceived | UnsupportedCodec | None

_KEY_FRAME, _COMMAND_FRAME = 1, 5
_CONFIGURATION, _CODED = 0, 1  # AVCPacketType and AACPacketType; 2 is an end of sequence, which says nothing new
_EX_HEADER, _EX_AUDIO = 0x80, 9
_TICKS_PER_MS = 90
_NS_PER_MS = 1_000_000
_HALF = WRAP // 2
_TEMPORAL_DELIMITER = b"\x12\x00"  # an OBU that ISO-BMFF leaves out

# CodecID 12 is H.265 in the dialect of the Chinese CDNs, with AVC's layout; many encoder boxes speak only that one.
_VIDEO_CODECS: dict[int, VideoCodec] = {7: "h264", 12: "h265"}
_VIDEO_NAMES = {2: "Sorenson H.263", 3: "Screen video", 4: "VP6", 5: "VP6 with alpha", 6: "Screen video 2"}
_AUDIO_NAMES = {0: "PCM", 1: "ADPCM", 2: "MP3", 3: "PCM", 4: "Nellymoser", 5: "Nellymoser", 6: "Nellymoser"}
_AUDIO_NAMES |= {7: "G.711 A-law", 8: "G.711 µ-law", 11: "Speex", 14: "MP3 at 8 kHz", 15: "device-specific sound"}
_AAC = 10


class MediaReader:
    """The media of one publish. Methods give at most one event a message; they raise PeerError."""

    def __init__(self) -> None:
        self._video: Track | None = None
        self._audio: Track | None = None
        self._video_config = self._audio_config = b""  # as sent
        self._length_size = 4
        self._sets: ParameterSets | SequenceHeader | None = None  # of the video, where the pictures may bring others
        self._last_ms: int | None = None
        self._left_out = LeftOut()
        self.warnings: list[Warned] = self._left_out.pending
        """What the encoder is to be told: to be emptied by who does."""
        self.changed: Track | None = None
        """The track that the last packet began with, where no message had configured it: to be cleared by who tells."""

    def video(self, payload: memoryview, timestamp: int) -> MediaEvent:
        """One video message."""
        if not len(payload):
            return None
        first = payload[0]
        frame_type = first >> 4 & 7
        if frame_type == _COMMAND_FRAME:
            return None
        if first & _EX_HEADER:
            return self._enhanced_video(payload, timestamp)
        codec = _VIDEO_CODECS.get(first & 15)
        if codec is None:
            return _unsupported_video(_VIDEO_NAMES.get(first & 15, f"number {first & 15}"))
        if len(payload) < 5:
            return _too_short(payload, "video")
        if not self._left_out.takes("video", 0):
            return None
        if payload[1] == _CODED:
            return self._frame(payload[5:], timestamp, _signed24(payload, 2), frame_type == _KEY_FRAME)
        if payload[1] == _CONFIGURATION:
            return self._configure_video(codec, bytes(payload[5:]))
        return None

    def audio(self, payload: memoryview, timestamp: int) -> MediaEvent:
        """One audio message."""
        if not len(payload):
            return None
        sound = payload[0] >> 4
        if sound == _EX_AUDIO:
            return self._enhanced_audio(payload, timestamp)
        if sound != _AAC:
            return _unsupported_audio(_AUDIO_NAMES.get(sound, f"number {sound}"))
        if len(payload) < 2:
            return _too_short(payload, "audio")
        if not self._left_out.takes("audio", 0):
            return None
        if payload[1] == _CODED:
            return self._sound(payload[2:], timestamp)
        if payload[1] == _CONFIGURATION:
            return self._configure_audio("aac", bytes(payload[2:]))
        return None

    def _enhanced_video(self, payload: memoryview, timestamp: int) -> MediaEvent:
        head = self._left_out.first("video", enhanced.video_tracks(payload))
        if head is None:
            return None
        codec = enhanced.VIDEO_CODECS.get(head.four_cc)
        if codec is None:
            return _unsupported_video(enhanced.NAMES.get(head.four_cc, head.four_cc))
        body = head.data
        if head.packet_type == enhanced.SEQUENCE_START:
            return self._configure_video(codec, bytes(body))
        if head.packet_type not in (enhanced.CODED_FRAMES, enhanced.CODED_FRAMES_X):
            return None
        offset = 0
        if head.packet_type == enhanced.CODED_FRAMES and codec != "av1":
            if len(body) < 3:
                reason = "enhanced video message without its composition time"
                raise PeerError(reason)
            offset, body = _signed24(body, 0), body[3:]
        if codec == "av1" and body[:2] == _TEMPORAL_DELIMITER:
            body = body[2:]
        return self._frame(body, timestamp, offset, head.frame_type == _KEY_FRAME, head.nanoseconds)

    def _enhanced_audio(self, payload: memoryview, timestamp: int) -> MediaEvent:
        head = self._left_out.first("audio", enhanced.audio_tracks(payload))
        if head is None:
            return None
        codec = enhanced.AUDIO_CODECS.get(head.four_cc)
        if codec is None:
            return _unsupported_audio(enhanced.NAMES.get(head.four_cc, head.four_cc))
        if head.packet_type == enhanced.SEQUENCE_START:
            return self._configure_audio(codec, bytes(head.data))
        if head.packet_type != enhanced.CODED_FRAMES:
            return None
        return self._sound(head.data, timestamp, head.nanoseconds)

    def _configure_video(self, codec: VideoCodec, sent: bytes) -> MediaEvent:
        if self._video is not None and self._video.codec == codec and self._video_config == sent:
            return None  # some encoders repeat it before each key frame
        try:
            config, self._length_size = _four_byte_lengths(codec, sent)
            track = video_track(codec, config)
        except MalformedMedia as error:
            reason = f"{codec} configuration: {error}"
            raise PeerError(reason) from error
        self._video, self._video_config = track, sent
        self._sets = SequenceHeader(track) if codec == "av1" else ParameterSets(codec, track)
        return TrackConfigured(track)

    def _configure_audio(self, codec: AudioCodec, sent: bytes) -> MediaEvent:
        if self._audio is not None and self._audio.codec == codec and self._audio_config == sent:
            return None
        try:
            config = opus.build_config(opus.parse_head(sent)) if codec == "opus" else sent
            track = audio_track(codec, config)
        except MalformedMedia as error:
            reason = f"{codec} configuration: {error}"
            raise PeerError(reason) from error
        self._audio, self._audio_config = track, sent
        return TrackConfigured(track)

    def _frame(
        self, data: memoryview, timestamp: int, offset_ms: int, keyframe: bool, nanoseconds: int = 0
    ) -> MediaEvent:
        ms = self._unwrap(timestamp)
        track = self._video
        if track is None or not len(data):
            return None  # frames before the configuration cannot be decoded by anyone
        if self._length_size != 4 and track.codec != "av1":
            data = _with_four_byte_lengths(data, self._length_size)
        if keyframe and self._sets is not None and self._sets.look(data):
            track = self._settled(self._sets, track)
        dts = ms * _TICKS_PER_MS
        if nanoseconds:
            dts += (nanoseconds * _TICKS_PER_MS + _NS_PER_MS // 2) // _NS_PER_MS
        return MediaReceived(Packet(track, dts, dts + offset_ms * _TICKS_PER_MS, keyframe, data))

    def _settled(self, sets: ParameterSets | SequenceHeader, track: Track) -> Track:
        """The track by a key frame's own parameter sets; as before where they make none."""
        try:
            sets.settle()
        except MalformedMedia:
            return track
        if sets.track is not None and sets.track != track:
            self._video = self.changed = track = sets.track
        return track

    def _sound(self, data: memoryview, timestamp: int, nanoseconds: int = 0) -> MediaEvent:
        ms = self._unwrap(timestamp)
        track = self._audio
        if track is None or not len(data):
            return None
        if nanoseconds:
            ticks = ((ms * _NS_PER_MS + nanoseconds) * track.timescale + 500 * _NS_PER_MS) // (1000 * _NS_PER_MS)
        else:
            ticks = (ms * track.timescale + 500) // 1000
        return MediaReceived(Packet(track, ticks, ticks, True, data))

    def _unwrap(self, timestamp: int) -> int:
        """Milliseconds that go on past 2³² (49.7 days), by the shorter way from the message before, audio or video."""
        last = self._last_ms
        self._last_ms = ms = timestamp if last is None else last + (timestamp - last + _HALF) % WRAP - _HALF
        return ms


def _four_byte_lengths(codec: VideoCodec, config: bytes) -> tuple[bytes, int]:
    """The configuration as for NAL lengths of four bytes, and the size that the encoder uses."""
    if codec == "av1":
        return config, 4
    size = h264.parse_config(config).length_size if codec == "h264" else h265.parse_config(config).length_size
    if size == 4:
        return config, 4
    place = 4 if codec == "h264" else 21  # of lengthSizeMinusOne (ISO/IEC 14496-15 §5.3.3.1, §8.3.3.1)
    return config[:place] + bytes((config[place] | 3,)) + config[place + 1 :], size


def _with_four_byte_lengths(data: memoryview, size: int) -> memoryview:
    try:
        return memoryview(nal.join_lengths(nal.split_lengths(data, size)))
    except MalformedMedia as error:
        raise PeerError(str(error)) from error


def _signed24(data: memoryview, position: int) -> int:
    return ((data[position] << 16 | data[position + 1] << 8 | data[position + 2]) ^ 0x80_0000) - 0x80_0000


def _too_short(payload: memoryview, kind: str) -> MediaEvent:
    """An end of sequence may be cut short; anything else may not."""
    if len(payload) > 1 and payload[1] not in (_CONFIGURATION, _CODED):
        return None
    reason = f"{kind} message of {len(payload)} bytes"
    raise PeerError(reason)


def _unsupported_video(codec: str) -> UnsupportedCodec:
    return UnsupportedCodec(codec, f"Video as {codec} is not supported. Send H.264 (or H.265, AV1 by Enhanced RTMP).")


def _unsupported_audio(codec: str) -> UnsupportedCodec:
    return UnsupportedCodec(codec, f"Audio as {codec} is not supported. Send AAC (or Opus by Enhanced RTMP).")
