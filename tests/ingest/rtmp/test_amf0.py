"""AMF0 by literal bytes, both ways, and by hypothesis."""

import contextlib
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.rtmp.amf0 import Date, EcmaArray, Value, decode, encode
from ingest.rtmp.errors import PeerError
from ingest.rtmp.limits import MAX_AMF_DEPTH, MAX_AMF_VALUES

LITERALS: list[tuple[str, Value]] = [
    ("00 3ff0000000000000", 1.0),
    ("01 01", True),
    ("01 00", False),
    ("02 0003 e8aeb2", "讲"),
    ("03 0001 61 02 0001 62 0000 09", {"a": "b"}),
    ("05", None),
    ("08 00000001 0001 61 05 0000 09", EcmaArray({"a": None})),
    ("0a 00000002 05 01 01", [None, True]),
    ("0b 4271d6f3e5c00000 0000", Date(1_225_932_037_120.0)),
]


@pytest.mark.parametrize(("literal", "value"), LITERALS)
def test_literals_both_ways(literal: str, value: Value) -> None:
    data = bytes.fromhex(literal)
    assert decode(data) == [value]
    assert encode(value) == data


@pytest.mark.parametrize(
    ("literal", "value"),
    [
        ("06", None),
        ("0c 00000002 6162", "ab"),
        ("0f 00000004 3c612f3e", "<a/>"),
        ("10 0001 43 0001 61 05 0000 09", {"a": None}),
        ("08 00000063 0001 61 05 0000 09", {"a": None}),  # a wrong count
        ("08 00000001 0001 61 05", {"a": None}),  # no end marker before the end of the message
        ("08 00000000", {}),
        ("03 0000 05 0000 09", {"": None}),  # an empty name that is no end
        ("02 0002 d6d0", "\ufffd\ufffd"),  # 中 in GBK
    ],
)
def test_other_forms_are_read(literal: str, value: Value) -> None:
    assert decode(bytes.fromhex(literal)) == [value]


def test_a_long_text_takes_the_long_form() -> None:
    text = "x" * 70_000
    assert encode(text)[:5] == b"\x0c\x00\x01\x11\x70"
    assert decode(encode(text)) == [text]


@pytest.mark.parametrize("literal", ["04", "07 0000", "0d", "0e", "12", "ff"])
def test_what_no_encoder_sends_is_refused(literal: str) -> None:
    with pytest.raises(PeerError, match="not understood"):
        decode(bytes.fromhex(literal))


@pytest.mark.parametrize(
    "literal", ["00 3ff0", "01", "02 0005 61", "02 00", "03 0001 61", "03", "0a 00000002 05", "0b 00"]
)
def test_values_that_end_too_early(literal: str) -> None:
    with pytest.raises(PeerError, match="runs past"):
        decode(bytes.fromhex(literal))


def test_depth_and_number_are_bounded() -> None:
    deep: Value = None
    for _ in range(MAX_AMF_DEPTH):
        deep = [deep]
    assert decode(encode(deep)) == [deep]
    with pytest.raises(PeerError, match="deeper"):
        decode(encode([deep]))
    with pytest.raises(PeerError, match="values"):
        decode(b"\x05" * (MAX_AMF_VALUES + 1))
    with pytest.raises(PeerError, match="values"):
        decode(b"\x0a\xff\xff\xff\xff" + b"\x05" * 5000)


values = st.recursive(
    st.none()
    | st.booleans()
    | st.floats(allow_nan=False)
    | st.text(max_size=20)
    | st.builds(Date, st.floats(allow_nan=False)),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.text(max_size=8), inner, max_size=4)
        | st.dictionaries(st.text(max_size=8), inner, max_size=4).map(EcmaArray)
    ),
    max_leaves=12,
)


@given(st.lists(values, max_size=4))
def test_every_value_survives(sent: list[Value]) -> None:
    assert decode(encode(*sent)) == sent


def test_a_number_that_is_none_survives() -> None:
    (number,) = decode(bytes.fromhex("00 7ff8000000000000"))
    assert isinstance(number, float)
    assert math.isnan(number)


@given(st.binary(max_size=400))
def test_anything_is_read_or_refused(data: bytes) -> None:
    with contextlib.suppress(PeerError):
        decode(data)
