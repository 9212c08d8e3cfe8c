"""Tracks made from a codec's configuration alone, as an encoder announces it."""

import pytest

from media.malformed import MalformedMedia
from media.packet import AudioCodec, Packet, Track, VideoCodec, audio_track, video_track
from tests.media.codecs.test_h264 import HIGH_RECORD
from tests.media.codecs.test_h265_av1 import AV1C, HVCC
from tests.media.codecs.test_opus import BOX


def test_video() -> None:
    assert video_track("h264", HIGH_RECORD) == Track("video", "h264", 90_000, HIGH_RECORD, width=1920, height=1080)
    assert video_track("h264", HIGH_RECORD, timescale=1000).timescale == 1000
    assert isinstance(video_track("h264", HIGH_RECORD).config, bytes)


@pytest.mark.parametrize(
    ("track", "name"),
    [
        (Track("video", "h264", 90_000, HIGH_RECORD), "avc1.640028"),
        (Track("video", "h265", 90_000, HVCC), "hvc1.1.6.L120.90"),
        (Track("video", "av1", 90_000, AV1C), "av01.0.05M.08"),
        (Track("audio", "aac", 48_000, b"\x11\x90"), "mp4a.40.2"),
        (Track("audio", "opus", 48_000, BOX), "opus"),
    ],
)
def test_codec_strings(track: Track, name: str) -> None:
    assert track.codec_string == name
    with pytest.raises(MalformedMedia):
        _ = Track(track.kind, track.codec, track.timescale, b"").codec_string


@pytest.mark.parametrize("codec", ["h264", "h265", "av1"])
def test_video_that_is_none(codec: VideoCodec) -> None:
    with pytest.raises(MalformedMedia):
        video_track(codec, b"\x01\x02")


@pytest.mark.parametrize("codec", ["aac", "opus"])
def test_audio_that_is_none(codec: AudioCodec) -> None:
    with pytest.raises(MalformedMedia):
        audio_track(codec, b"\x11")


def test_a_packet_keeps_the_data_it_was_given() -> None:
    data = memoryview(b"abc")
    assert Packet(audio_track("opus", BOX), 1, 1, True, data).data is data
