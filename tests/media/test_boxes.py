"""Boxes by literal bytes, and every way in which a size can lie."""

import pytest

from media import boxes
from media.boxes import Fields, box, find, full_box, require, split
from media.malformed import MalformedMedia


def test_a_box_of_parts() -> None:
    assert box(b"free", b"ab", memoryview(b"c")) == b"\x00\x00\x00\x0bfreeabc"


def test_a_full_box_begins_with_version_and_flags() -> None:
    assert full_box(b"tfdt", 1, 0x020001, b"\x05") == b"\x00\x00\x00\x0dtfdt\x01\x02\x00\x01\x05"


def test_boxes_are_split_as_views_with_their_places() -> None:
    data = box(b"ftyp", b"iso6") + box(b"free")
    first, second = split(data)
    assert (first.kind, bytes(first.payload), first.start, first.end) == (b"ftyp", b"iso6", 0, 12)
    assert (second.kind, bytes(second.payload), second.start, second.end) == (b"free", b"", 12, 20)
    assert first.payload.obj is data


def test_a_size_of_64_bits() -> None:
    (found,) = split(b"\x00\x00\x00\x01mdat\x00\x00\x00\x00\x00\x00\x00\x12xy")
    assert bytes(found.payload) == b"xy"


def test_a_size_of_zero_reaches_to_the_end() -> None:
    (found,) = split(b"\x00\x00\x00\x00mdatxyz")
    assert bytes(found.payload) == b"xyz"


@pytest.mark.parametrize(
    "data",
    [
        b"\x00\x00\x00",  # too short for a header
        b"\x00\x00\x00\x07free",  # smaller than its header
        b"\x00\x00\x00\x09free",  # larger than the file
        b"\x00\x00\x00\x01free\x00\x00\x00\x00\x00\x00\x00\x0f",  # 64 bits, smaller than its header
        b"\x00\x00\x00\x01free\x00\x00\x00\x10",  # 64 bits, cut off
        b"\x00\x00\x00\x01free\xff\xff\xff\xff\xff\xff\xff\xff",
    ],
)
def test_sizes_that_lie_are_refused(data: bytes) -> None:
    with pytest.raises(MalformedMedia):
        list(split(data))


def test_the_number_of_boxes_is_limited(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(boxes, "MAX_BOXES", 3)
    assert len(list(split(box(b"free") * 3))) == 3
    with pytest.raises(MalformedMedia):
        list(split(box(b"free") * 4))


def test_paths() -> None:
    data = box(b"moov", box(b"trak"), box(b"mvex", box(b"trex", b"!")))
    assert bytes(require(data, b"moov", b"mvex", b"trex").payload) == b"!"
    assert find(data, b"mvex") is None
    with pytest.raises(MalformedMedia, match="mdia"):
        require(data, b"moov", b"trak", b"mdia")


def test_fields_do_not_read_past_the_end() -> None:
    fields = Fields(memoryview(b"\x01\x00\x00\x02\xff\xfe\x07"))
    assert fields.version_flags() == (1, 2)
    assert fields.i(2) == -2
    with pytest.raises(MalformedMedia):
        fields.u(2)
    assert bytes(fields.rest()) == b"\x07"
