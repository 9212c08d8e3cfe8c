"""Whatever bytes come, a parser gives a value or MalformedMedia, never anything else, and does not take for ever.

Each parser is tried with noise, and with a valid input in which some bytes were changed, cut or repeated: that gets
deeper. A crasher found later is kept as an `@example` on its test.
"""

from collections.abc import Callable
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from media import boxes
from media.codecs import aac, av1, h264, h265, opus
from media.codecs.h264_quantiser import KeyFrameQuantiser
from media.fragments import (
    Sample,
    TrackRun,
    complete_length,
    edit_start,
    fragment,
    init_segment,
    packets,
    read_fragments,
    read_init,
)
from media.malformed import MalformedMedia
from media.packet import Track, audio_track, video_track
from media.playlist import parse_media
from tests.media.codecs.test_h264 import HIGH_RECORD, SPS_1080
from tests.media.codecs.test_h265_av1 import AV1C, HVCC
from tests.media.codecs.test_opus import BOX, HEAD, SURROUND
from tests.media.test_playlist import live

TRACKS = [
    Track("video", "h264", 90_000, HIGH_RECORD, width=1920, height=1080),
    audio_track("aac", b"\x11\x90"),
    video_track("h265", HVCC),
    video_track("av1", AV1C),
    audio_track("opus", BOX),
]
INIT = init_segment(TRACKS)
RUNS = [
    TrackRun(1, 90_000, [Sample(b"\x65abc", 3600, True, 7200), Sample(b"\x41", 3000, False, -3000)]),
    TrackRun(2, 48_000, [Sample(b"xyz", 1024, True), Sample(b"", 1024, True)]),
]
HEADER, PAYLOADS = fragment(1, RUNS)
MEDIA = (HEADER + b"".join(PAYLOADS)) * 2
TEXT = live(3).render()


def _playlist(data: bytes) -> None:
    parsed = parse_media(data.decode("utf-8", "replace"))
    with suppress(MalformedMedia):  # a text may be readable that we would not write
        parsed.render()


PARSERS: dict[str, tuple[Callable[[bytes], object], bytes]] = {
    "boxes": (lambda data: list(boxes.split(data)), MEDIA),
    "read_init": (read_init, INIT),
    "edit_start": (lambda data: edit_start(data, 1), INIT),
    "read_fragments": (lambda data: read_fragments(data, TRACKS), MEDIA),
    "packets": (lambda data: packets(INIT, data), MEDIA),
    "whole file": (lambda data: packets(data, data), INIT + MEDIA),
    "complete_length": (complete_length, MEDIA),
    "h264 track": (lambda data: video_track("h264", data).codec_string, HIGH_RECORD),
    "h264 sps": (h264.parse_sps, SPS_1080),
    "h264 quantiser": (
        lambda data: KeyFrameQuantiser(HIGH_RECORD).read(data),
        b"\x00\x00\x00\x08\x65\x88\x84\x00\x33\xff\xfe\xf6",
    ),
    "h264 quantiser sets": (KeyFrameQuantiser, HIGH_RECORD),
    "h264 lengths": (h264.split_avcc, b"\x00\x00\x00\x02\x65\x88\x00\x00\x00\x01\x41"),
    "h264 start codes": (h264.annexb_to_avcc, b"\x00\x00\x00\x01\x65\x88\x00\x00\x01\x41"),
    "h265 track": (lambda data: video_track("h265", data).codec_string, HVCC),
    "h265 sps": (h265.parse_sps, h265.parse_config(HVCC).units[1][1][0]),
    "av1 track": (lambda data: video_track("av1", data).codec_string, AV1C),
    "av1 sample": (av1.is_keyframe, b"\x12\x00\x0a\x01\x00\x32\x02\x10\x00"),
    "aac track": (lambda data: audio_track("aac", data).codec_string, bytes.fromhex("130856e59d4880")),
    "aac ticks": (lambda data: aac.parse_config(data).frame_ticks, bytes.fromhex("eb098800")),
    "opus track": (lambda data: audio_track("opus", data).codec_string, opus.build_config(SURROUND)),
    "opus head": (opus.parse_head, HEAD),
    "opus packet": (opus.packet_ticks, b"\xfb\x03abc"),
    "playlist": (_playlist, TEXT.encode()),
}
edits = st.lists(
    st.tuples(
        st.integers(0, 2**16), st.sampled_from(("set", "cut", "repeat", "insert")), st.binary(min_size=1, max_size=4)
    ),
    max_size=4,
)


def edited(data: bytes, changes: list[tuple[int, str, bytes]]) -> bytes:
    """`data` with some places overwritten, taken out, doubled, or pushed apart."""
    for place, kind, content in changes:
        at = place % (len(data) + 1)
        size = len(content)
        before, here, after = data[:at], data[at : at + size], data[at + size :]
        middle = {"set": content[: len(here)], "cut": b"", "repeat": here * 2, "insert": content + here}[kind]
        data = before + middle + after
    return data


@pytest.mark.parametrize("name", PARSERS)
@given(noise=st.binary(max_size=200))
def test_noise(name: str, noise: bytes) -> None:
    with suppress(MalformedMedia):
        PARSERS[name][0](noise)


@pytest.mark.parametrize("name", PARSERS)
@given(changes=edits)
def test_a_valid_input_with_changes(name: str, changes: list[tuple[int, str, bytes]]) -> None:
    parse, valid = PARSERS[name]
    with suppress(MalformedMedia):
        parse(edited(valid, changes))


@pytest.mark.parametrize("name", PARSERS)
def test_a_valid_input_cut_at_every_byte(name: str) -> None:
    parse, valid = PARSERS[name]
    parse(valid)
    for length in range(len(valid)):
        with suppress(MalformedMedia):
            parse(valid[:length])
