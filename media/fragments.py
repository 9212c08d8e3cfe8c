"""Packets ↔ fragmented MP4: initialization segment, moof + mdat (ISO/IEC 14496-12 §8.8; CMAF: ISO/IEC 23000-19).

A fragment is one moof with a traf per track and one mdat. Written: default-base-is-moof, tfdt and trun of version 1, no
edit lists anywhere, so a sample's presentation time is its decode time plus its offset and nothing else. Payloads are
handed back beside the header, never copied: write them with one writev. Read: what other muxers write too (defaults in
tfhd and trex, several runs, any version), as views into the input.
"""

import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from media.boxes import Box, Bytes, Fields, box, full_box, require, split
from media.malformed import MalformedMedia
from media.movie import Defaults, Movie, build_movie, parse_movie
from media.packet import Packet, Track

MAX_FRAGMENT_BYTES = 1 << 30  # a data offset has 31 bits, and a part is some hundred kilobytes
MAX_SAMPLES = 2_000_000  # of one file: 3 h of 60 frames a second with AAC are 1.2 million

_SYNC, _NOT_SYNC = 0x0200_0000, 0x0101_0000  # sample_depends_on and sample_is_non_sync_sample, §8.8.3.1
_NOT_SYNC_BIT = 0x1_0000
_BASE_IS_MOOF, _BASE_OFFSET = 0x2_0000, 0x1  # tfhd flags, §8.8.7.1
_DESCRIPTION, _DURATION, _SIZE, _FLAGS = 0x2, 0x8, 0x10, 0x20
_DATA_OFFSET, _FIRST_FLAGS = 0x1, 0x4  # trun flags, §8.8.8.1
_EACH_DURATION, _EACH_SIZE, _EACH_FLAGS, _EACH_OFFSET = 0x100, 0x200, 0x400, 0x800


@dataclass(slots=True)
class Sample:
    """One access unit in a fragment; duration and composition offset in the track's ticks."""

    data: bytes | memoryview
    duration: int
    keyframe: bool
    composition_offset: int = 0


@dataclass(slots=True)
class TrackRun:
    """Samples of one track that follow each other, the first decoded at `base_decode_time` ticks."""

    track_id: int
    base_decode_time: int
    samples: Sequence[Sample]


@dataclass(slots=True)
class Fragment:
    """One moof and its data as read: `start` and `end` are byte positions in what was read."""

    sequence_number: int
    runs: list[TrackRun]
    start: int
    end: int


def init_segment(tracks: Sequence[Track]) -> bytes:
    """ftyp and moov for these tracks, with ids 1, 2, … The same tracks give the same bytes."""
    # CMAF's own brand is for files of one track (ISO/IEC 23000-19 §7.3.1); a muxed one is plain fragmented ISO-BMFF.
    brands = b"iso6mp41" + (b"cmfc" if len(tracks) == 1 else b"")
    return box(b"ftyp", b"iso6", bytes(4), brands) + build_movie(tracks)


def track_run(track_id: int, packets: Sequence[Packet], end_dts: int) -> TrackRun:
    """The run of a track's packets in decode order; each lasts until the next, the last until `end_dts`."""
    ends = [*(packet.dts for packet in packets[1:]), end_dts]
    samples = [
        Sample(packet.data, end - packet.dts, packet.keyframe, packet.pts - packet.dts)
        for packet, end in zip(packets, ends, strict=True)
    ]
    return TrackRun(track_id, packets[0].dts, samples)


def fragment(sequence_number: int, runs: Sequence[TrackRun]) -> tuple[bytes, list[bytes | memoryview]]:
    """moof and mdat header, and then the payloads in order as they were given. Runs without samples are left out."""
    runs = [run for run in runs if run.samples]
    payloads = [sample.data for run in runs for sample in run.samples]
    size = sum(map(len, payloads))
    if not runs or size > MAX_FRAGMENT_BYTES:
        message = f"a fragment of {len(payloads)} samples and {size} bytes cannot be written"
        raise MalformedMedia(message)
    head = bytearray(24)
    struct.pack_into(">4xI4sII", head, 4, 16, b"mfhd", 0, sequence_number)
    struct.pack_into(">4s", head, 4, b"moof")
    places = []
    for run in runs:
        traf, place = _build_traf(run)
        places.append(len(head) + place)
        head += traf
    struct.pack_into(">I", head, 0, len(head))
    offset = len(head) + 8
    for run, place in zip(runs, places, strict=True):
        struct.pack_into(">I", head, place, offset)
        offset += sum(len(sample.data) for sample in run.samples)
    return bytes(head) + struct.pack(">I4s", 8 + size, b"mdat"), payloads


def read_init(data: Bytes) -> list[Track]:
    """The video and audio tracks of an initialization segment. Raises MalformedMedia."""
    return [found.track for found in parse_movie(data).tracks]


def edit_start(init: Bytes, track_id: int) -> int:
    """The media time, in ticks, that the track's edit list presents at zero: take it off each pts. 0 without one."""
    for found in parse_movie(init).tracks:
        if found.track_id == track_id:
            return found.edit_start
    message = f"no track {track_id}"
    raise MalformedMedia(message)


def read_fragments(data: Bytes, tracks: Sequence[Track] | Movie) -> list[Fragment]:
    """The fragments in `data`. Give `media.movie.parse_movie(init)` where ids are not 1, 2, … or trex has defaults."""
    movie = tracks if isinstance(tracks, Movie) else Movie.of(tracks)
    return [
        Fragment(number, [run for run, _ in placed], start, end) for number, placed, start, end in _read(data, movie)
    ]


def packets(init: Bytes, media: Bytes) -> list[Packet]:
    """The packets of all tracks in the order in which the file holds them. `init` may be the same whole file."""
    movie = parse_movie(init)
    by_id = {found.track_id: found.track for found in movie.tracks}
    found: list[tuple[int, Packet]] = []
    for _, placed, _, _ in _read(media, movie):
        first = len(found)
        for run, offsets in placed:
            track, dts = by_id[run.track_id], run.base_decode_time
            for sample, offset in zip(run.samples, offsets, strict=True):
                packet = Packet(track, dts, dts + sample.composition_offset, sample.keyframe, sample.data)
                found.append((offset, packet))
                dts += sample.duration
        if len(placed) > 1:
            found[first:] = sorted(found[first:], key=lambda pair: pair[0])
    return [packet for _, packet in found]


def complete_length(data: Bytes) -> int:
    """How many bytes at the start are whole fragments: what is left of a file whose writer died.

    It reads sizes only: whether the bytes of a payload reached the disk, a hash must tell.
    """
    length, open_moof = 0, False
    try:
        for child in split(data):
            if child.kind == b"mdat" and open_moof:
                length = child.end
            open_moof = child.kind == b"moof"
    except MalformedMedia:
        pass  # the torn end
    return length


def _build_traf(run: TrackRun) -> tuple[bytes, int]:
    """A traf box and the place in it of the data offset. What all samples share is said once, in tfhd."""
    samples = run.samples
    flags = [_SYNC if sample.keyframe else _NOT_SYNC for sample in samples]
    same_duration = all(sample.duration == samples[0].duration for sample in samples)
    same_flags = flags.count(flags[0]) == len(flags)
    columns = [[len(sample.data) for sample in samples]]
    head_flags, head, run_flags, row = _BASE_IS_MOOF, [], _DATA_OFFSET | _EACH_SIZE, "I"
    if same_duration:
        head_flags, head = head_flags | _DURATION, [samples[0].duration]
    else:
        run_flags, row = run_flags | _EACH_DURATION, row + "I"
        columns.insert(0, [sample.duration for sample in samples])
    if same_flags:
        head_flags, head = head_flags | _FLAGS, [*head, flags[0]]
    else:
        run_flags, row = run_flags | _EACH_FLAGS, row + "I"
        columns.append(flags)
    if any(sample.composition_offset for sample in samples):
        run_flags, row = run_flags | _EACH_OFFSET, row + "i"
        columns.append([sample.composition_offset for sample in samples])
    rows = struct.pack(">" + row * len(samples), *(value for values in zip(*columns, strict=True) for value in values))
    tfhd = full_box(b"tfhd", 0, head_flags, struct.pack(f">{1 + len(head)}I", run.track_id, *head))
    tfdt = full_box(b"tfdt", 1, 0, struct.pack(">Q", run.base_decode_time))
    trun = full_box(b"trun", 1, run_flags, struct.pack(">II", len(samples), 0), rows)
    return box(b"traf", tfhd, tfdt, trun), 8 + len(tfhd) + len(tfdt) + 16


_Placed = tuple[TrackRun, list[int]]  # a run and where in the file each of its samples lies


def _read(data: Bytes, movie: Movie) -> Iterator[tuple[int, list[_Placed], int, int]]:
    """Sequence number, runs, start and end of each fragment."""
    view = memoryview(data)
    defaults = {found.track_id: found.defaults for found in movie.tracks}
    clock = dict.fromkeys(defaults, 0)  # where a fragment without tfdt goes on
    pending: tuple[int, list[_Placed], int, int] | None = None
    left = MAX_SAMPLES
    for child in split(view):
        if child.kind == b"moof":
            if pending:
                yield pending
            number, placed = _parse_moof(view, child, defaults, clock, left)
            left -= sum(len(offsets) for _, offsets in placed)
            pending = (number, placed, child.start, child.end)
        elif child.kind == b"mdat" and pending:
            pending = (*pending[:3], child.end)
    if pending:
        yield pending


def _parse_moof(
    view: memoryview, moof: Box, defaults: dict[int, Defaults], clock: dict[int, int], left: int
) -> tuple[int, list[_Placed]]:
    header = Fields(require(moof.payload, b"mfhd").payload)
    header.version_flags()
    number = header.u(4)
    placed: list[_Placed] = []
    base = moof.start  # without a flag, the first traf counts from the moof, the next from the end of the one before
    for traf in split(moof.payload):
        if traf.kind != b"traf":
            continue
        track_id, default, explicit = _parse_tfhd(traf, moof.start, defaults)
        if explicit is not None:
            base = explicit
        run, offsets, base = _parse_runs(view, traf, track_id, default, base, left)
        left -= len(offsets)
        if track_id not in defaults:
            continue  # a track of another kind
        if run.base_decode_time < 0:
            run.base_decode_time = clock[track_id]
        clock[track_id] = run.base_decode_time + sum(sample.duration for sample in run.samples)
        placed.append((run, offsets))
    return number, placed


def _parse_tfhd(traf: Box, moof_start: int, defaults: dict[int, Defaults]) -> tuple[int, Defaults, int | None]:
    """Track id, what holds for its samples, and where its data offsets count from if the box says so."""
    fields = Fields(require(traf.payload, b"tfhd").payload)
    _, flags = fields.version_flags()
    track_id = fields.u(4)
    default = defaults.get(track_id, Defaults())
    base = fields.u(8) if flags & _BASE_OFFSET else moof_start if flags & _BASE_IS_MOOF else None
    if flags & _DESCRIPTION:
        fields.take(4)
    duration = fields.u(4) if flags & _DURATION else default.duration
    size = fields.u(4) if flags & _SIZE else default.size
    sample_flags = fields.u(4) if flags & _FLAGS else default.flags
    return track_id, Defaults(duration, size, sample_flags), base


def _parse_runs(
    view: memoryview, traf: Box, track_id: int, default: Defaults, base: int, left: int
) -> tuple[TrackRun, list[int], int]:
    """All runs of a traf as one, where its samples lie, and where its data ends. Base time −1: no tfdt."""
    time, end = -1, base
    samples: list[Sample] = []
    offsets: list[int] = []
    for child in split(traf.payload):
        fields = Fields(child.payload)
        if child.kind == b"tfdt":
            version, _ = fields.version_flags()
            time = fields.u(8 if version else 4)
        elif child.kind == b"trun":
            end = _parse_trun(view, fields, default, (base, end), left - len(samples), samples, offsets)
    return TrackRun(track_id, time, samples), offsets, end


def _parse_trun(
    view: memoryview,
    fields: Fields,
    default: Defaults,
    places: tuple[int, int],
    left: int,
    samples: list[Sample],
    offsets: list[int],
) -> int:
    """Appends a run's samples and returns their end; `places`: base of data offsets, start of a run without one."""
    version, flags = fields.version_flags()
    count = fields.u(4)
    place = places[0] + fields.i(4) if flags & _DATA_OFFSET else places[1]
    first_flags = fields.u(4) if flags & _FIRST_FLAGS else None
    row = "".join("I" for bit in (_EACH_DURATION, _EACH_SIZE, _EACH_FLAGS) if flags & bit)
    row += ("i" if version else "I") if flags & _EACH_OFFSET else ""
    if count > left or (not flags & _EACH_SIZE and count * (default.size or len(view) + 1) > len(view)):
        message = f"run of {count} samples is over the limit, or larger than the file"
        raise MalformedMedia(message)
    columns = list(zip(*struct.iter_unpack(">" + row, fields.take(4 * len(row) * count)), strict=True)) if row else []
    if not count:
        return place
    constant = (default.duration, default.size, default.flags, 0)
    given = iter(columns)
    each = (_EACH_DURATION, _EACH_SIZE, _EACH_FLAGS, _EACH_OFFSET)
    durations, sizes, all_flags, shifts = (
        next(given) if flags & bit else (value,) * count for bit, value in zip(each, constant, strict=True)
    )
    if first_flags is not None:
        all_flags = (first_flags, *all_flags[1:])
    if place < 0 or place + sum(sizes) > len(view):
        message = "samples lie outside the file"
        raise MalformedMedia(message)
    for duration, size, sample_flags, shift in zip(durations, sizes, all_flags, shifts, strict=True):
        samples.append(Sample(view[place : place + size], duration, not sample_flags & _NOT_SYNC_BIT, shift))
        offsets.append(place)
        place += size
    return place
