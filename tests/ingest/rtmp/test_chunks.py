"""The chunk stream. To test here: build bytes with `rtmp_bytes` or spell them out, and compare what `read` flattens."""

import itertools
import struct
import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.rtmp.chunks import ChunkReader, ChunkWriter
from ingest.rtmp.errors import PeerError
from ingest.rtmp.limits import MAX_CHUNK_STREAMS, MAX_COMMAND_BYTES, MAX_VIDEO_BYTES
from tests.kit import rtmp_bytes as wire

Flat = tuple[int, int, int, bytes]
LIMITS = {9: MAX_VIDEO_BYTES, 8: 65536}


def read(*pieces: bytes, reader: ChunkReader | None = None) -> list[Flat]:
    reader = reader or ChunkReader(LIMITS)
    found: list[Flat] = []
    for piece in pieces:
        found += [(m.kind, m.stream_id, m.timestamp, bytes(m.payload)) for m in reader.receive(piece)]
    return found


def one_by_one(data: bytes) -> list[bytes]:
    return [data[place : place + 1] for place in range(len(data))]


def test_literal_message_in_one_chunk() -> None:
    data = bytes.fromhex("04 000a00 000003 09 01000000 aabbcc")
    assert read(data) == [(9, 1, 2560, b"\xaa\xbb\xcc")]


def test_literal_forms_1_2_and_3_build_on_the_header_before() -> None:
    data = bytes.fromhex(
        "04 0003e8 000001 08 01000000 a0"  # type 0 at 1000
        "44 000014 000002 08 b0b1"  # type 1, 20 later
        "84 000015 c0c1"  # type 2, 21 later
        "c4 d0d1"  # type 3, 21 later again
    )
    assert read(data) == [
        (8, 1, 1000, b"\xa0"),
        (8, 1, 1020, b"\xb0\xb1"),
        (8, 1, 1041, b"\xc0\xc1"),
        (8, 1, 1062, b"\xd0\xd1"),
    ]


def test_type_3_after_type_0_adds_its_timestamp_again() -> None:
    assert read(bytes.fromhex("04 000028 000001 08 01000000 a0 c4 a1")) == [(8, 1, 40, b"\xa0"), (8, 1, 80, b"\xa1")]


@pytest.mark.parametrize(
    ("chunk_stream", "literal"),
    [(3, "03"), (63, "3f"), (64, "0000"), (319, "00ff"), (320, "010001"), (65599, "01ffff")],
)
def test_chunk_stream_ids_of_one_two_and_three_bytes(chunk_stream: int, literal: str) -> None:
    assert wire.basic_header(0, chunk_stream).hex() == literal
    data = wire.message(9, bytes(range(200)), chunk_stream=chunk_stream, stream_id=1)
    expected = [(9, 1, 0, bytes(range(200)))]
    assert read(data) == expected
    assert read(*one_by_one(data)) == expected


def test_messages_interleave_on_chunk_streams() -> None:
    video = wire.chunks(9, b"v" * 300, chunk_stream=6, stream_id=1)
    audio = wire.chunks(8, b"a" * 200, chunk_stream=70, stream_id=1)
    data = video[0] + audio[0] + video[1] + audio[1] + video[2]
    assert read(data) == [(8, 1, 0, b"a" * 200), (9, 1, 0, b"v" * 300)]


@pytest.mark.parametrize("size", [1, 2, 127, 129, 4096, 65_535, 65_536, 70_000, 0x7FFF_FFFF])
def test_chunk_size_changes_in_mid_stream(size: int) -> None:
    payload = bytes(range(256)) * 300
    data = wire.message(9, payload) + wire.set_chunk_size(size) + wire.message(9, payload, chunk_bytes=size)
    assert read(data) == [(9, 0, 0, payload)] * 2


def test_chunk_size_changes_between_two_chunks_of_a_message() -> None:
    first, second = wire.header(0, 6, 0, 300, 9, 1) + b"v" * 128, wire.basic_header(3, 6) + b"w" * 172
    assert read(first + wire.set_chunk_size(200) + second) == [(9, 1, 0, b"v" * 128 + b"w" * 172)]


@pytest.mark.parametrize("size", [0, 0x8000_0000])
def test_chunk_size_zero_is_refused(size: int) -> None:
    with pytest.raises(PeerError, match="chunk size 0"):
        read(wire.set_chunk_size(size))


@pytest.mark.parametrize("repeat", [-1, None, 0x0100_0007])
def test_extended_timestamp_with_every_dialect_of_type_3(repeat: int | None) -> None:
    payload = bytes(range(256)) + b"end"
    data = wire.message(9, payload, time=0x0100_0000, repeat=repeat if repeat != 0x0100_0007 else -1)
    assert read(data) == [(9, 0, 0x0100_0000, payload)]
    assert read(*one_by_one(data)) == [(9, 0, 0x0100_0000, payload)]


def test_extended_delta_repeated_as_absolute_time() -> None:
    first = wire.message(9, b"x", time=1000)
    second = wire.message(9, b"y" * 300, time=0x0100_0000, form=1, repeat=0x0100_0000 + 1000)
    assert read(first + second)[1] == (9, 0, 0x0100_0000 + 1000, b"y" * 300)


@pytest.mark.parametrize("same", [0, 1, 2, 3])
def test_payload_that_looks_like_the_start_of_a_repeated_timestamp(same: int) -> None:
    """Not repeated, but the payload begins with bytes of it; cut so that the reader has to wait for each."""
    payload = b"p" * 128 + struct.pack(">I", 0x0102_0304)[:same] + b"\xff" * (4 - same) + b"tail"
    data = wire.message(9, payload, time=0x0102_0304, repeat=None)
    assert read(data) == read(*one_by_one(data)) == [(9, 0, 0x0102_0304, payload)]


def test_extended_delta_on_a_type_3_that_begins_a_message() -> None:
    data = wire.message(9, b"a", time=5) + wire.message(9, b"b", time=0x0100_0000, form=1)
    data += wire.basic_header(3, 3) + struct.pack(">I", 0x0100_0001) + b"c"
    assert [time for _, _, time, _ in read(data)] == [5, 0x0100_0005, 0x0200_0006]


def test_timestamps_wrap_at_32_bits() -> None:
    data = wire.message(9, b"a", time=0xFFFF_FFF0) + wire.message(9, b"b", time=0x20, form=1)
    assert [time for _, _, time, _ in read(data)] == [0xFFFF_FFF0, 0x10]


def test_abort_drops_the_message_under_way_only() -> None:
    video, other = wire.chunks(9, b"v" * 300, chunk_stream=6), wire.chunks(9, b"o" * 200, chunk_stream=7)
    abort = wire.message(2, struct.pack(">I", 6), chunk_stream=2)
    again = wire.message(9, b"n" * 300, chunk_stream=6)
    assert read(video[0] + other[0] + abort + again + other[1]) == [(9, 0, 0, b"n" * 300), (9, 0, 0, b"o" * 200)]


def test_abort_of_an_idle_or_unknown_stream_is_nothing() -> None:
    abort = wire.message(2, struct.pack(">I", 6), chunk_stream=2)
    assert read(abort + wire.message(9, b"v", chunk_stream=6) + abort) == [(9, 0, 0, b"v")]


def test_empty_messages() -> None:
    data = wire.message(8, b"") + wire.message(8, b"", form=3) + wire.message(8, b"x", form=1)
    assert read(data) == read(*one_by_one(data)) == [(8, 0, 0, b""), (8, 0, 0, b""), (8, 0, 0, b"x")]


def test_type_1_may_begin_a_chunk_stream_as_librtmp_does() -> None:
    assert read(bytes.fromhex("42 000000 000006 04 0006 00000001")) == [(4, 0, 0, b"\0\6\0\0\0\1")]


@pytest.mark.parametrize("first", ["83 000000", "c3"])
def test_type_2_and_3_may_not_begin_a_chunk_stream(first: str) -> None:
    with pytest.raises(PeerError, match="begins with a header of type"):
        read(bytes.fromhex(first))


def test_a_message_within_a_message_is_refused() -> None:
    with pytest.raises(PeerError, match="within another"):
        read(wire.chunks(9, b"v" * 300)[0] + wire.message(9, b"w"))


def test_a_message_whole_in_one_read_is_not_copied() -> None:
    data = wire.message(9, b"v" * 100)
    (found,) = ChunkReader(LIMITS).receive(data)
    assert found.payload.obj is data


def test_sizes_over_the_limit_are_refused_by_their_header_alone() -> None:
    with pytest.raises(PeerError, match="allowed are"):
        read(wire.header(0, 3, 0, MAX_COMMAND_BYTES + 1, 20, 0))
    with pytest.raises(PeerError, match="allowed are"):
        read(wire.header(0, 3, 0, MAX_VIDEO_BYTES + 1, 9, 0))
    assert read(wire.header(0, 3, 0, MAX_VIDEO_BYTES, 9, 0)) == []


def test_too_many_chunk_streams_are_refused() -> None:
    reader = ChunkReader(LIMITS)
    for number in range(MAX_CHUNK_STREAMS):
        read(wire.message(8, b"a", chunk_stream=100 + number), reader=reader)
    with pytest.raises(PeerError, match="chunk streams"):
        read(wire.message(8, b"a", chunk_stream=99), reader=reader)


def test_announced_sizes_alone_take_little_memory() -> None:
    """60 headers that announce 8 MiB each: refused when the sum is too large, and nearly nothing is held before."""
    reader = ChunkReader(LIMITS)
    tracemalloc.start()
    try:
        announced = b"".join(wire.header(0, number, 0, MAX_VIDEO_BYTES, 9, 1) + b"v" * 128 for number in range(3, 63))
        with pytest.raises(PeerError, match="announce more than"):
            read(announced, reader=reader)
        assert tracemalloc.get_traced_memory()[1] < 1_000_000
    finally:
        tracemalloc.stop()


def test_aborts_give_the_announced_sizes_back() -> None:
    reader = ChunkReader(LIMITS)
    for _ in range(20):
        read(wire.header(0, 6, 0, MAX_VIDEO_BYTES, 9, 1) + b"v" * 128, reader=reader)
        read(wire.message(2, struct.pack(">I", 6), chunk_stream=2), reader=reader)


def test_a_large_message_in_the_smallest_chunks() -> None:
    payload = bytes(range(256)) * 1200
    reader = ChunkReader(LIMITS)
    read(wire.set_chunk_size(1), reader=reader)
    data = wire.message(9, payload, chunk_bytes=1)
    tracemalloc.start()
    try:
        assert read(data, reader=reader) == [(9, 0, 0, payload)]
        assert tracemalloc.get_traced_memory()[1] < 5 * len(payload)
    finally:
        tracemalloc.stop()


def test_writer_by_literal_bytes_and_by_the_reader() -> None:
    writer = ChunkWriter()
    assert writer.write(2, 1, 0, b"\0\0\x10\0").hex(" ") == "02 00 00 00 00 00 04 01 00 00 00 00 00 00 10 00"
    payload = bytes(range(256)) * 2
    written = writer.write(3, 20, 7, payload)
    assert len(written) == 12 + 512 + 3
    assert read(written) == [(20, 7, 0, payload)]


@st.composite
def conversations(draw: st.DrawFn) -> list[bytes]:
    """Interleaved messages on a few chunk streams, with chunk sizes changing on the way."""
    size = 128
    pieces: list[bytes] = []
    for _ in range(draw(st.integers(1, 6))):
        if draw(st.booleans()):
            before, size = size, draw(st.sampled_from([1, 3, 64, 128, 1000, 65_536]))
            pieces.append(wire.set_chunk_size(size, before))
        group = []
        for chunk_stream in draw(st.lists(st.sampled_from([3, 6, 63, 64, 400]), min_size=1, max_size=3, unique=True)):
            payload = draw(st.binary(max_size=200))
            time = draw(st.sampled_from([0, 40, 0xFF_FFFE, 0xFF_FFFF, 0xFFFF_FFFF]))
            repeat = draw(st.sampled_from([-1, None]))
            if (
                repeat is None
            ):  # a payload that has the timestamp where it could be repeated is read as such: 2⁻³² otherwise
                payload = payload.replace(b"\xff", b"\xfe")
            group.append(wire.chunks(9, payload, time=time, chunk_stream=chunk_stream, chunk_bytes=size, repeat=repeat))
        while any(group):
            pieces.append(draw(st.sampled_from([chunks for chunks in group if chunks])).pop(0))
    return pieces


@given(conversations(), st.data())
def test_any_split_gives_the_same_messages(pieces: list[bytes], data: st.DataObject) -> None:
    whole = b"".join(pieces)
    expected = read(whole)
    assert expected
    cuts = sorted(data.draw(st.lists(st.integers(0, len(whole)), max_size=12)))
    edges = [0, *cuts, len(whole)]
    assert read(*(whole[start:end] for start, end in itertools.pairwise(edges))) == expected
    assert read(*one_by_one(whole)) == expected


@given(st.binary(max_size=3000))
def test_anything_is_understood_or_refused(data: bytes) -> None:
    outcomes = []
    for pieces in ([data], one_by_one(data)):
        found: list[Flat] = []
        reader = ChunkReader(LIMITS)
        try:
            for piece in pieces:
                found += read(piece, reader=reader)
        except PeerError as error:
            outcomes.append(str(error))
        else:
            outcomes.append(repr(found))
    assert outcomes[0] == outcomes[1]
