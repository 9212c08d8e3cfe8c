"""RTP payloads to pictures: literal packets, every packetization, and what a loss must do."""

from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.whip.depacketize import OPUS_TRACK, AccessUnit, H264Depacketizer, opus_packet
from media.codecs import h264
from media.malformed import MalformedMedia
from tests.ingest.whip.h264_rtp import IDR, NEW_PPS, NEW_SPS, PPS, SLICE, SPS, Sender, fragments, stap

Numbered = tuple[int, int, bool, bytes]


def fed(pictures: H264Depacketizer, packets: Iterable[Numbered]) -> list[AccessUnit]:
    return [one for n, t, marker, payload in packets for one in pictures.push(n, t, payload, marker=marker)]


def units_of(picture: AccessUnit) -> list[bytes]:
    return [bytes(unit) for unit in h264.split_avcc(picture.data)]


@pytest.fixture
def pictures() -> H264Depacketizer:
    return H264Depacketizer()


@pytest.fixture
def sender() -> Sender:
    return Sender()


def test_single_units_by_literal_bytes(pictures: H264Depacketizer) -> None:
    assert pictures.push(7, 3000, SPS, marker=False) == []
    assert pictures.push(8, 3000, PPS, marker=False) == []
    (picture,) = pictures.push(9, 3000, IDR, marker=True)
    assert picture.data == bytes.fromhex("0000000465888400")
    assert (picture.timestamp, picture.keyframe) == (3000, True)
    assert picture.track.config == h264.build_config([SPS], [PPS])
    assert (picture.track.width, picture.track.height) == h264.parse_config(picture.track.config).size
    (after,) = pictures.push(10, 6000, SLICE, marker=True)
    assert (after.data, after.keyframe) == (bytes.fromhex("00000004419a2040"), False)
    assert after.track is picture.track


def test_aggregate_and_fragments_by_literal_bytes(pictures: H264Depacketizer) -> None:
    pictures.push(0, 90, stap([SPS, PPS]), marker=False)
    assert pictures.push(1, 90, bytes.fromhex("7c858884"), marker=False) == []
    assert pictures.push(2, 90, bytes.fromhex("7c0500aa"), marker=False) == []
    (picture,) = pictures.push(3, 90, bytes.fromhex("7c45bb"), marker=True)
    assert picture.data == bytes.fromhex("00000006 6588 8400 aabb")


def test_a_picture_without_marker_ends_at_the_next_time(pictures: H264Depacketizer) -> None:
    pictures.push(0, 90, stap([SPS, PPS, IDR]), marker=False)
    (picture,) = pictures.push(1, 180, SLICE, marker=False)
    assert picture.timestamp == 90
    (picture,) = pictures.push(2, 270, SLICE, marker=False)
    assert (picture.timestamp, units_of(picture)) == (180, [SLICE])


def test_delimiters_and_filler_are_left_out_and_messages_kept(pictures: H264Depacketizer, sender: Sender) -> None:
    sei = bytes.fromhex("0605ff80")
    (key,) = fed(pictures, sender.picture([b"\x09\xf0", SPS, PPS, sei, IDR, b"\x0c\xff\x80"], 90))
    assert units_of(key) == [sei, IDR]


def test_nothing_before_the_first_key_frame(pictures: H264Depacketizer, sender: Sender) -> None:
    assert fed(pictures, sender.picture([SLICE], 90)) == []
    assert fed(pictures, sender.picture([IDR], 180)) == []  # a key frame whose parameter sets never came
    assert pictures.awaits_keyframe
    assert pictures.dropped == 2
    assert len(fed(pictures, sender.picture([SPS, PPS, IDR], 270))) == 1
    assert not pictures.awaits_keyframe


def test_after_a_loss_nothing_until_a_whole_key_frame(pictures: H264Depacketizer, sender: Sender) -> None:
    assert len(fed(pictures, sender.picture([stap([SPS, PPS]), IDR], 90))) == 1
    sender.number += 1
    assert fed(pictures, sender.picture([SLICE], 180)) == []
    assert (pictures.losses, pictures.awaits_keyframe) == (1, True)
    assert fed(pictures, sender.picture([SLICE], 270)) == []
    (key,) = fed(pictures, sender.picture([IDR], 360))  # its parameter sets are those from before
    assert key.keyframe
    assert len(fed(pictures, sender.picture([SLICE], 450))) == 1


def test_a_loss_within_a_key_frame_drops_it(pictures: H264Depacketizer, sender: Sender) -> None:
    packets = list(sender.picture([stap([SPS, PPS]), *fragments(IDR + bytes(50), 10)], 90))
    del packets[3]
    assert fed(pictures, packets) == []
    assert pictures.awaits_keyframe
    assert pictures.dropped == 1


def test_a_key_frame_whose_first_slice_may_be_lost_is_dropped(pictures: H264Depacketizer, sender: Sender) -> None:
    fed(pictures, sender.picture([SPS, PPS, IDR], 90))
    sender.number += 1  # was it the last of the picture before, or the first of this one?
    assert fed(pictures, sender.picture([IDR, IDR], 180)) == []
    sender.number += 1
    (key,) = fed(pictures, sender.picture([SPS, PPS, IDR, IDR], 270))  # this one begins where a picture must
    assert units_of(key) == [IDR, IDR]


def test_padding_is_no_loss_and_does_not_hide_one(pictures: H264Depacketizer, sender: Sender) -> None:
    fed(pictures, sender.picture([SPS, PPS, IDR], 90))
    assert fed(pictures, sender.picture([b""], 90)) == []
    assert len(fed(pictures, sender.picture([SLICE], 180))) == 1
    sender.number += 1
    fed(pictures, sender.picture([b""], 180))
    assert fed(pictures, sender.picture([IDR], 270)) == []


def test_new_parameter_sets_make_a_new_track_at_a_key_frame(pictures: H264Depacketizer, sender: Sender) -> None:
    (first,) = fed(pictures, sender.picture([SPS, PPS, IDR], 90))
    (again,) = fed(pictures, sender.picture([SPS, PPS, IDR], 180))
    assert again.track is first.track
    (other,) = fed(pictures, sender.picture([NEW_SPS, NEW_PPS, IDR], 270))
    assert other.track.config == h264.build_config([NEW_SPS], [NEW_PPS])
    (back,) = fed(pictures, sender.picture([SPS, PPS, IDR], 360))
    assert back.track == first.track


@pytest.mark.parametrize(
    "payload",
    [
        "9c8588",  # forbidden_zero_bit
        "7c85",  # FU-A without a byte
        "7c0588aa",  # FU-A without its start
        "7cc588aa",  # FU-A that is its own end
        "18000567",  # STAP-A that ends within a unit
        "180000",  # STAP-A with an empty unit
        "1967",  # STAP-B: only in packetization mode 2
        "1d67",  # FU-B
        "0067",  # no type at all
    ],
)
def test_a_broken_payload_spoils_its_picture_alone(pictures: H264Depacketizer, sender: Sender, payload: str) -> None:
    fed(pictures, sender.picture([SPS, PPS, IDR], 90))
    assert fed(pictures, sender.picture([SLICE, bytes.fromhex(payload)], 180)) == []
    assert (pictures.malformed, pictures.awaits_keyframe) == (1, True)
    assert len(fed(pictures, sender.picture([SPS, PPS, IDR], 270))) == 1


def test_an_unended_fragment_spoils_its_picture(pictures: H264Depacketizer, sender: Sender) -> None:
    cut = [stap([SPS, PPS]), fragments(IDR + bytes(9), 4)[0]]
    assert fed(pictures, sender.picture(cut, 90)) == []
    assert len(fed(pictures, sender.picture([SPS, PPS, IDR], 180))) == 1


def test_unreadable_parameter_sets_give_no_track(pictures: H264Depacketizer, sender: Sender) -> None:
    assert fed(pictures, sender.picture([b"\x67\x42\x00\x1f\xff", PPS, IDR], 90)) == []
    assert pictures.awaits_keyframe
    assert len(fed(pictures, sender.picture([SPS, PPS, IDR], 180))) == 1


def _bodies(kind: int) -> st.SearchStrategy[bytes]:
    return st.binary(min_size=3, max_size=90).map(lambda body: bytes((0x60 | kind,)) + body)


@st.composite
def packetized(draw: st.DrawFn) -> tuple[list[bytes], list[bytes]]:
    """A key frame's units, and one of the many ways to send them."""
    units = [*draw(st.lists(st.one_of(_bodies(5), _bodies(6)), min_size=1, max_size=6)), draw(_bodies(5))]
    payloads: list[bytes] = [stap([SPS, PPS])]
    waiting = list(units)
    while waiting:
        how = draw(st.sampled_from(("single", "stap", "fragments")))
        if how == "stap":
            count = draw(st.integers(1, len(waiting)))
            payloads.append(stap(waiting[:count]))
            del waiting[:count]
        elif how == "single":
            payloads.append(waiting.pop(0))
        else:
            payloads += fragments(waiting.pop(0), draw(st.integers(1, 60)))
    return units, payloads


@given(packetized())
def test_any_packetization_gives_the_picture_back(case: tuple[list[bytes], list[bytes]]) -> None:
    units, payloads = case
    (picture,) = fed(H264Depacketizer(), Sender(65_530).picture(payloads, 90))
    assert units_of(picture) == units


@given(packetized(), st.data())
def test_no_picture_comes_of_a_stream_with_a_hole(case: tuple[list[bytes], list[bytes]], data: st.DataObject) -> None:
    _, payloads = case
    packets = list(Sender().picture(payloads, 90))
    first = [*Sender(-1).picture([stap([SPS, PPS, IDR])], 0)]
    del packets[data.draw(st.integers(0, len(packets) - 1))]
    after = [(len(payloads), 180, True, SLICE)]
    assert len(fed(H264Depacketizer(), [*first, *packets, *after])) == 1


@given(st.lists(st.tuples(st.integers(0, 40), st.integers(0, 4), st.booleans(), st.binary(max_size=30)), max_size=40))
def test_no_bytes_do_any_harm(packets: list[Numbered]) -> None:
    for picture in fed(H264Depacketizer(), packets):
        assert h264.split_avcc(picture.data)


def test_opus() -> None:
    assert opus_packet(memoryview(b"\xfc\xff\xfe")) == b"\xfc\xff\xfe"
    assert (OPUS_TRACK.timescale, OPUS_TRACK.channels, OPUS_TRACK.codec_string) == (48_000, 2, "opus")
    with pytest.raises(MalformedMedia):
        opus_packet(b"\x03\x00")
