"""AMF3 inside of AMF0, by literal bytes from the specification's grammar."""

import contextlib
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.rtmp.amf0 import Date, Value, decode
from ingest.rtmp.errors import PeerError
from ingest.rtmp.limits import MAX_AMF_DEPTH, MAX_AMF_VALUES
from tests.kit.rtmp_bytes import u29


def amf3(literal: str) -> list[Value]:
    """One AMF3 value behind AMF0's marker."""
    return decode(bytes.fromhex("11" + literal))


@pytest.mark.parametrize(
    ("literal", "value"),
    [
        ("00", None),
        ("01", None),
        ("02", False),
        ("03", True),
        ("04 00", 0.0),
        ("04 7f", 127.0),
        ("04 81 00", 128.0),
        ("04 ff ff 7f", 2_097_151.0),
        ("04 80 c0 80 00", 2_097_152.0),
        ("04 bf ff ff ff", 268_435_455.0),
        ("04 ff ff ff ff", -1.0),
        ("04 c0 80 80 00", -268_435_456.0),
        ("05 3ff8000000000000", 1.5),
        ("06 01", ""),
        ("06 07 616263", "abc"),
        ("06 05 d6d0", "\ufffd\ufffd"),
        ("07 09 3c612f3e", "<a/>"),
        ("08 01 4271d6f3e5c00000", Date(1_225_932_037_120.0)),
        ("09 05 01 04 01 06 03 61", [1.0, "a"]),
        ("09 03 03 61 02 01 03", {"a": False, "0": True}),
        ("0a 0b 01 03 61 04 05 01", {"a": 5.0}),  # anonymous, dynamic
        ("0a 23 03 43 03 61 03 62 01 04 02", {"a": None, "b": 2.0}),  # class C with two sealed members
        ("0b 09 3c612f3e", "<a/>"),
        ("0c 05 6869", "hi"),
        ("0d 05 00 00000001 ffffffff", [1.0, -1.0]),
        ("0e 05 01 00000001 ffffffff", [1.0, 4_294_967_295.0]),
        ("0f 03 00 3ff8000000000000", [1.5]),
        ("10 05 00 03 43 04 01 06 03 61", [1.0, "a"]),
        ("11 05 00 06 03 61 04 01 04 07 03", {"a": 1.0, "7.0": True}),
    ],
)
def test_each_kind(literal: str, value: Value) -> None:
    assert amf3(literal) == [value]
    for end in range(1, len(bytes.fromhex("11" + literal))):
        with pytest.raises(PeerError, match="runs past"):
            decode(bytes.fromhex("11" + literal)[:end])


@pytest.mark.parametrize("number", [0, 1, 0x7F, 0x80, 0x3FFF, 0x4000, 0x1F_FFFF, 0x20_0000, 0xFFF_FFFF])
def test_whole_numbers_of_one_to_four_bytes(number: int) -> None:
    assert decode(b"\x11\x04" + u29(number)) == [float(number)]


def test_texts_traits_and_objects_are_referred_to() -> None:
    """[{a: "a"}, {a: "a"} by the same traits, the first object again]."""
    assert amf3("09 07 01 0a 13 01 03 61 06 00 0a 01 06 00 0a 02") == [[{"a": "a"}] * 3]


def test_amf0_goes_on_behind_it() -> None:
    assert decode(bytes.fromhex("11 04 05 02 0001 61 11 06 03 62")) == [5.0, "a", "b"]


@pytest.mark.parametrize("literal", ["06 02", "0a 04", "09 08", "0a 05", "08 02"])
def test_references_to_nothing(literal: str) -> None:
    with pytest.raises(PeerError):
        amf3(literal)


def test_what_is_refused() -> None:
    with pytest.raises(PeerError, match="externalizable"):
        amf3("0a 07 03 43")
    with pytest.raises(PeerError, match="holds itself"):
        amf3("09 03 01 09 00")
    with pytest.raises(PeerError, match="not understood"):
        amf3("12")


def test_depth_number_and_unfolding_are_bounded() -> None:
    deep = b"\x09\x03\x01" * MAX_AMF_DEPTH + b"\x01"
    assert decode(b"\x11" + deep)
    with pytest.raises(PeerError, match="deeper"):
        decode(b"\x11\x09\x03\x01" + deep)
    for many in (
        b"\x09\xff\xff\xff\xff\x01" + bytes(5000),  # an array
        b"\x0f\xff\xff\xff\xff\x00" + bytes(5000),  # a vector
        b"\x0a" + u29((MAX_AMF_VALUES + 5) << 4 | 3) + b"\x01" + b"\x03a" * 3000,  # members
        b"\x11\xff\xff\xff\xff\x00" + b"\x06\x01\x01" * 5000,  # a dictionary
    ):
        with pytest.raises(PeerError, match="values"):
            decode(b"\x11" + many)
    # Ten times ten times ten … of a value that stands there once: [x], [[x] × 10], … by references.
    levels = b"\x09" + u29(11 << 1 | 1) + b"\x01"
    nested = b"".join(b"\x09" + u29(10 << 1 | 1) + b"\x01" + b"\x09" + u29(1) + b"\x01" for _ in range(3))
    with pytest.raises(PeerError):
        decode(b"\x11" + levels + nested)
    wide = b"\x09" + u29(61 << 1 | 1) + b"\x01" + b"\x0f" + u29(40 << 1 | 1) + b"\x00" + bytes(320)
    with pytest.raises(PeerError, match="values"):
        decode(b"\x11" + wide + (b"\x0f" + u29(1 << 1)) * 60)


@given(st.binary(max_size=300))
def test_anything_is_read_or_refused(data: bytes) -> None:
    with contextlib.suppress(PeerError):
        decode(b"\x11" + data)


@given(
    st.recursive(
        st.sampled_from(["00", "03", "04 05", "06 03 61", "06 00", "0a 02", "09 00"]),
        lambda inner: st.lists(inner, max_size=4).map(
            lambda parts: "09" + u29(len(parts) << 1 | 1).hex() + "01" + "".join(parts)
        ),
    )
)
def test_nested_arrays_and_references(literal: str) -> None:
    with contextlib.suppress(PeerError):
        assert len(amf3(literal)) >= 1


def test_doubles_are_big_endian() -> None:
    assert decode(b"\x11\x05" + struct.pack(">d", -2.25)) == [-2.25]
