"""Enhanced RTMP v2 by its bytes: several tracks, modifiers, and the encoder that is told what is not used."""

import pytest

from ingest.rtmp import enhanced
from ingest.rtmp.errors import PeerError
from ingest.rtmp.events import MediaReceived, TrackConfigured, UnsupportedCodec, Warned
from ingest.rtmp.flv import MediaReader
from tests.ingest.rtmp.publisher import Publisher
from tests.kit import rtmp_bytes as wire

NAL = b"\0\0\0\x02\x65\x88"
ONE, MANY, MANY_CODECS = 0, 1, 2


def several(form: int, packet_type: int, *tracks: tuple[bytes, int, bytes], frame_type: int = 1) -> bytes:
    """A multitrack video message of (FourCC, number, body)."""
    said = bytes((0x80 | frame_type << 4 | 6, form << 4 | packet_type))
    said += tracks[0][0] if form != MANY_CODECS else b""
    for four_cc, number, body in tracks:
        said += four_cc if form == MANY_CODECS else b""
        said += bytes((number,)) + (len(body).to_bytes(3, "big") if form != ONE else b"") + body
    return said


def seen(message: bytes) -> list[tuple[str, int, int, bytes]]:
    return [
        (track.four_cc, track.packet_type, track.number, bytes(track.data))
        for track in enhanced.video_tracks(memoryview(message))
    ]


def test_the_three_forms_of_several_tracks() -> None:
    assert seen(several(ONE, 1, (b"avc1", 3, b"body"))) == [("avc1", 1, 3, b"body")]
    assert seen(several(MANY, 0, (b"hvc1", 0, b"a"), (b"hvc1", 1, b""), (b"hvc1", 7, b"ccc"))) == [
        ("hvc1", 0, 0, b"a"),
        ("hvc1", 0, 1, b""),
        ("hvc1", 0, 7, b"ccc"),
    ]
    assert seen(several(MANY_CODECS, 3, (b"vp09", 0, b"a"), (b"avc1", 1, b"bb"))) == [
        ("vp09", 3, 0, b"a"),
        ("avc1", 3, 1, b"bb"),
    ]


@pytest.mark.parametrize(
    "message",
    [
        b"\x96",
        b"\x96\x00avc",
        b"\x96\x00avc1",
        b"\x96\x10avc1\x00\x00\x00",
        b"\x96\x10avc1\x00\x00\x00\x02a",
        b"\x96\x20",
        b"\x96\x20avc1\x00\x00\x00\x00hvc",
        b"\x96\x10avc1" + b"\x00\x00\x00\x00" * 257,
    ],
)
def test_several_tracks_that_end_too_early_or_never(message: bytes) -> None:
    with pytest.raises(PeerError):
        enhanced.video_tracks(memoryview(message))


def test_the_first_video_track_is_taken_and_the_encoder_is_told(publishing: Publisher) -> None:
    (configured,) = publishing.media(wire.VIDEO, b"\x90avc1" + wire.AVCC)
    assert isinstance(configured, TrackConfigured)
    second = several(ONE, 0, (b"vp09", 1, b"whatever"))
    (warned,) = publishing.media(wire.VIDEO, second)
    assert isinstance(warned, Warned)
    assert (warned.code, warned.facts) == ("tracks_left_out", {"kind": "video", "tracks": 1})
    assert publishing.statuses() == [("NetStream.Publish.Warning", warned.description)]
    assert publishing.media(wire.VIDEO, second, 40) == [], "said once"
    both = several(MANY, 3, (b"avc1", 1, b"other"), (b"avc1", 0, NAL))
    (frame,) = publishing.media(wire.VIDEO, both, 40)
    assert isinstance(frame, MediaReceived)
    assert (bytes(frame.packet.data), frame.packet.dts) == (NAL, 3600)
    assert publishing.media(wire.VIDEO, several(ONE, 3, (b"avc1", 2, NAL)), 80) != [], "another one is said too"


def test_the_first_of_a_message_is_taken_whatever_its_number() -> None:
    reader = MediaReader()
    configured = reader.video(memoryview(several(MANY, 0, (b"avc1", 4, wire.AVCC), (b"avc1", 0, b"?"))), 0)
    assert isinstance(configured, TrackConfigured)
    assert [warned.facts["tracks"] for warned in reader.warnings] == [1]
    assert reader.video(memoryview(b"\xa3avc1" + NAL), 0) is None, "outside of multitrack it is track 0"
    assert reader.video(memoryview(wire.avc_frame(NAL)), 0) is None
    assert isinstance(reader.video(memoryview(several(ONE, 3, (b"avc1", 4, NAL))), 0), MediaReceived)


def test_several_audio_tracks(publishing: Publisher) -> None:
    """OBS sends its first track as ever and the others beside it."""
    publishing.media(wire.AUDIO, wire.aac_configuration())
    (warned,) = publishing.media(wire.AUDIO, b"\x95\x00mp4a\x01" + wire.ASC)
    assert isinstance(warned, Warned)
    assert (warned.code, warned.facts["kind"]) == ("tracks_left_out", "audio")
    assert publishing.media(wire.AUDIO, b"\x95\x01mp4a\x01raw") == []
    (frame,) = publishing.media(wire.AUDIO, wire.aac_frame(b"raw"))
    assert isinstance(frame, MediaReceived)


def test_a_first_track_that_cannot_be_packaged_is_refused(publishing: Publisher) -> None:
    _warned, refused, _ended = publishing.media(
        wire.VIDEO, several(MANY_CODECS, 0, (b"vp09", 0, b"?"), (b"avc1", 1, b"?"))
    )
    assert isinstance(refused, UnsupportedCodec)
    assert "VP9" in refused.reason
    assert publishing.connection.closed


@pytest.mark.parametrize(("nanoseconds", "ticks"), [(0, 0), (1, 0), (500_000, 45), (999_999, 90), (0xFF_FFFF, 90)])
def test_nanoseconds_make_video_times_finer(nanoseconds: int, ticks: int) -> None:
    reader = MediaReader()
    reader.video(memoryview(b"\x90avc1" + wire.AVCC), 0)
    message = b"\x97\x02" + nanoseconds.to_bytes(3, "big") + b"\x03avc1" + NAL
    event = reader.video(memoryview(message), 10)
    assert isinstance(event, MediaReceived)
    assert (event.packet.dts, event.packet.pts) == (900 + ticks, 900 + ticks)


def test_nanoseconds_make_audio_times_exact() -> None:
    """1024 samples at 48 kHz are 21.333… ms."""
    reader = MediaReader()
    reader.audio(memoryview(b"\x90mp4a" + wire.ASC), 0)
    times = []
    for number in range(200):
        ms, nanoseconds = divmod(number * 1024 * 1_000_000_000 // 48_000, 1_000_000)
        event = reader.audio(memoryview(b"\x97\x02" + nanoseconds.to_bytes(3, "big") + b"\x01mp4araw"), ms)
        assert isinstance(event, MediaReceived)
        times.append(event.packet.dts)
    assert times == [number * 1024 for number in range(200)]


def test_several_modifiers_and_unknown_ones() -> None:
    """A modifier of a kind to come (5) before the offset, then several tracks."""
    reader = MediaReader()
    reader.video(memoryview(b"\x90avc1" + wire.AVCC), 0)
    message = b"\x97\x00x\x57\x02\x07\xa1\x20\x06\x03avc1\x00" + NAL
    event = reader.video(memoryview(message), 10)
    assert isinstance(event, MediaReceived)
    assert (event.packet.dts, bytes(event.packet.data)) == (945, NAL)
