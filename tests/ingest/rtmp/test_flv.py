"""Audio and video messages by their bytes."""

import pytest

from ingest.rtmp.errors import PeerError
from ingest.rtmp.events import MediaReceived, TrackConfigured, UnsupportedCodec
from ingest.rtmp.flv import MediaEvent, MediaReader
from media.codecs import opus
from media.packet import Packet
from tests.kit import rtmp_bytes as wire

NAL = b"\0\0\0\x02\x65\x88"
HVCC = bytes.fromhex(  # x265, 320 × 180, Main
    "0101600000009000000000003cf000fcfdf8f800000f03a00001001840010c01ffff01600000030090000003000003003c959409a100"
    "01002b42010101600000030090000003000003003ca00a080c1f3e595952930bc05a020000030002000003003c10a2000100064401c073c189"
)
AV1C = bytes.fromhex("81000c000a0b000000043cfecc02f80040")  # SVT-AV1, 320 × 180


def video(reader: MediaReader, payload: bytes, ms: int = 0) -> MediaEvent:
    return reader.video(memoryview(payload), ms)


def audio(reader: MediaReader, payload: bytes, ms: int = 0) -> MediaEvent:
    return reader.audio(memoryview(payload), ms)


def packet(event: MediaEvent) -> Packet:
    assert isinstance(event, MediaReceived)
    return event.packet


def configured() -> MediaReader:
    reader = MediaReader()
    assert isinstance(video(reader, wire.avc_configuration()), TrackConfigured)
    assert isinstance(audio(reader, wire.aac_configuration()), TrackConfigured)
    return reader


def test_avc_configuration() -> None:
    event = video(MediaReader(), wire.avc_configuration())
    assert isinstance(event, TrackConfigured)
    track = event.track
    assert (track.kind, track.codec, track.timescale, track.config) == ("video", "h264", 90_000, wire.AVCC)
    assert (track.width, track.height) == (320, 180)


def test_aac_configuration() -> None:
    event = audio(MediaReader(), wire.aac_configuration())
    assert isinstance(event, TrackConfigured)
    track = event.track
    assert (track.kind, track.codec, track.timescale, track.config) == ("audio", "aac", 48_000, wire.ASC)
    assert (track.sample_rate, track.channels) == (48_000, 2)


def test_a_repeated_configuration_says_nothing_and_another_one_does() -> None:
    reader = configured()
    assert video(reader, wire.avc_configuration()) is None
    assert audio(reader, wire.aac_configuration()) is None
    event = audio(reader, wire.aac_configuration(bytes.fromhex("1210")))
    assert isinstance(event, TrackConfigured)
    assert event.track.timescale == 44_100


@pytest.mark.parametrize("offset_ms", [0, 80, -40, 0x7F_FFFF, -0x80_0000])
def test_video_times_are_ms_times_90(offset_ms: int) -> None:
    found = packet(video(configured(), wire.avc_frame(NAL, key=True, offset_ms=offset_ms), 1001))
    assert (found.dts, found.pts) == (90_090, 90_090 + offset_ms * 90)
    assert (found.keyframe, bytes(found.data)) == (True, NAL)
    assert not packet(video(configured(), wire.avc_frame(NAL))).keyframe


@pytest.mark.parametrize(("rate", "asc"), [(48_000, "1190"), (44_100, "1210")])
def test_audio_times_are_the_nearest_tick(rate: int, asc: str) -> None:
    reader = MediaReader()
    audio(reader, wire.aac_configuration(bytes.fromhex(asc)))
    for ms in (0, 1, 21, 23, 43, 64, 999_983):
        found = packet(audio(reader, wire.aac_frame(b"raw"), ms))
        assert found.dts == found.pts == int(ms * rate / 1000 + 0.5)
        assert (found.keyframe, bytes(found.data)) == (True, b"raw")


def test_payload_is_a_view_of_what_came() -> None:
    payload = wire.avc_frame(NAL)
    data = packet(video(configured(), payload)).data
    assert isinstance(data, memoryview)
    assert data.obj is payload


def test_time_goes_on_past_32_bits_for_both() -> None:
    reader = configured()
    sent = [0xFFFF_FFF0, 0xFFFF_FFFE, 4, 0xFFFF_FFFF, 20]
    found = [packet(video(reader, wire.avc_frame(NAL), ms)).dts // 90 for ms in sent]
    assert found == [0xFFFF_FFF0, 0xFFFF_FFFE, 0x1_0000_0004, 0xFFFF_FFFF, 0x1_0000_0014]
    assert packet(audio(reader, wire.aac_frame(b"raw"), 20)).dts == 0x1_0000_0014 * 48


def test_frames_before_their_configuration_are_dropped() -> None:
    reader = MediaReader()
    assert video(reader, wire.avc_frame(NAL)) is None
    assert audio(reader, wire.aac_frame(b"raw")) is None


@pytest.mark.parametrize("payload", [b"", b"\x17\x02\0\0\0", b"\x17\x02", b"\x57\x00", wire.avc_frame(b"")])
def test_video_messages_that_say_nothing(payload: bytes) -> None:
    """Empty, end of sequence, command frame, empty frame."""
    assert video(configured(), payload) is None


@pytest.mark.parametrize("payload", [b"", wire.aac_frame(b""), b"\xaf\x02"])
def test_audio_messages_that_say_nothing(payload: bytes) -> None:
    assert audio(configured(), payload) is None


@pytest.mark.parametrize(
    "payload", [b"\x17", b"\x17\x01\0\0", b"\x17\x00", b"\x17\x00\0\0\0", b"\x17\x00\0\0\0\x02junk"]
)
def test_broken_video_is_the_peers_fault(payload: bytes) -> None:
    with pytest.raises(PeerError):
        video(configured(), payload)


@pytest.mark.parametrize("payload", [b"\xaf", b"\xaf\x00", b"\xaf\x00\xff"])
def test_broken_audio_is_the_peers_fault(payload: bytes) -> None:
    with pytest.raises(PeerError):
        audio(configured(), payload)


@pytest.mark.parametrize(
    ("payload", "codec"),
    [
        (b"\x12..", "Sorenson H.263"),
        (b"\x14..", "VP6"),
        (b"\x1f..", "number 15"),
        (b"\x90vp08..", "VP8"),
        (b"\x90vp09..", "VP9"),
        (b"\x90vvc1..", "H.266"),
        (b"\x90xyz1..", "xyz1"),
        (b"\x96\x00vp09\x00", "VP9"),
    ],
)
def test_video_that_is_not_supported(payload: bytes, codec: str) -> None:
    event = video(MediaReader(), payload)
    assert isinstance(event, UnsupportedCodec)
    assert event.codec == codec
    assert "H.264" in event.reason


@pytest.mark.parametrize(
    ("payload", "codec"),
    [
        (b"\x2f..", "MP3"),
        (b"\xb2..", "Speex"),
        (b"\x7f..", "G.711 A-law"),
        (b"\x90fLaC", "FLAC"),
        (b"\x90ac-3", "AC-3"),
        (b"\x90ec-3", "E-AC-3"),
        (b"\x90.mp3", "MP3"),
        (b"\x95\x00fLaC\x00", "FLAC"),
    ],
)
def test_audio_that_is_not_supported(payload: bytes, codec: str) -> None:
    event = audio(MediaReader(), payload)
    assert isinstance(event, UnsupportedCodec)
    assert event.codec == codec
    assert "AAC" in event.reason


@pytest.mark.parametrize(
    ("four_cc", "config", "codec"), [(b"hvc1", HVCC, "h265"), (b"avc1", wire.AVCC, "h264"), (b"av01", AV1C, "av1")]
)
def test_enhanced_video(four_cc: bytes, config: bytes, codec: str) -> None:
    reader = MediaReader()
    event = video(reader, b"\x90" + four_cc + config)
    assert isinstance(event, TrackConfigured)
    assert (event.track.codec, event.track.config, event.track.timescale) == (codec, config, 90_000)
    shown = packet(video(reader, b"\xa3" + four_cc + NAL, 10))  # CodedFramesX: no composition time
    assert (shown.dts, shown.pts, shown.keyframe, bytes(shown.data)) == (900, 900, False, NAL)
    body = NAL if codec == "av1" else b"\0\0\x28" + NAL
    coded = packet(video(reader, b"\x91" + four_cc + body, 10))
    assert (coded.dts, coded.pts - coded.dts) == (900, 0 if codec == "av1" else 3600)
    assert (coded.keyframe, bytes(coded.data)) == (True, NAL)
    assert video(reader, b"\x92" + four_cc) is None
    assert video(reader, b"\x94" + four_cc + b"\x02\x00\x09colorInfo") is None


def test_av1_temporal_delimiters_are_left_out() -> None:
    reader = MediaReader()
    video(reader, b"\x90av01" + AV1C)
    assert bytes(packet(video(reader, b"\x91av01\x12\x00\x32\x01x")).data) == b"\x32\x01x"


def test_h265_in_the_dialect_of_codec_id_12() -> None:
    reader = MediaReader()
    event = video(reader, b"\x1c\x00\0\0\0" + HVCC)
    assert isinstance(event, TrackConfigured)
    assert (event.track.codec, event.track.width, event.track.height) == ("h265", 320, 180)
    found = packet(video(reader, b"\x1c\x01\0\0\x28" + NAL, 10))
    assert (found.dts, found.pts, found.keyframe, bytes(found.data)) == (900, 4500, True, NAL)


def test_enhanced_opus() -> None:
    reader = MediaReader()
    config = opus.OpusConfig(channels=2, pre_skip=312, input_rate=44_100)
    event = audio(reader, b"\x90Opus" + opus.build_head(config))
    assert isinstance(event, TrackConfigured)
    track = event.track
    assert (track.codec, track.timescale, track.channels) == ("opus", 48_000, 2)
    assert opus.parse_config(track.config) == config
    found = packet(audio(reader, b"\x91Opusraw", 20))
    assert (found.dts, bytes(found.data)) == (960, b"raw")


def test_enhanced_aac() -> None:
    reader = MediaReader()
    assert isinstance(audio(reader, b"\x90mp4a" + wire.ASC), TrackConfigured)
    assert bytes(packet(audio(reader, b"\x91mp4araw")).data) == b"raw"


@pytest.mark.parametrize("modifier", [b"\x02\x00\x01\x02\x01", b"\xff\x00\xff" + bytes(256) + b"\x01"])
def test_modifiers_are_skipped(modifier: bytes) -> None:
    """ModEx of three bytes, and of 256 by the escape."""
    reader = MediaReader()
    video(reader, b"\x90av01" + AV1C)
    assert bytes(packet(video(reader, b"\x97" + modifier + b"av01" + NAL)).data) == NAL


@pytest.mark.parametrize("payload", [b"\x90", b"\x90av0", b"\x97", b"\x97\x10\x00", b"\x97\xff", b"\x91hvc1\x00"])
def test_enhanced_messages_that_end_too_early(payload: bytes) -> None:
    with pytest.raises(PeerError):
        video(MediaReader(), payload)


def test_other_nal_lengths_become_four_bytes() -> None:
    reader = MediaReader()
    two = wire.AVCC[:4] + bytes((wire.AVCC[4] & 0xFC | 1,)) + wire.AVCC[5:]
    event = video(reader, wire.avc_configuration(two))
    assert isinstance(event, TrackConfigured)
    assert event.track.config == wire.AVCC
    found = packet(video(reader, wire.avc_frame(b"\0\x02\x65\x88\0\x01\x06")))
    assert bytes(found.data) == b"\0\0\0\x02\x65\x88\0\0\0\x01\x06"
    with pytest.raises(PeerError):
        video(reader, wire.avc_frame(b"\0\x09\x65"))
