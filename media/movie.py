"""The moov box: tracks ↔ bytes (ISO/IEC 14496-12 §8.2 to §8.8, ISO/IEC 23000-19 §7.3).

Written: no samples, no edit lists, an mvex; every creation time 0, so that the same tracks give the same bytes. Read:
also what other muxers write: edit lists, tracks of other kinds (left out), defaults in trex, any version of each box.
"""

import struct
from collections.abc import Sequence
from dataclasses import dataclass

from media.boxes import Box, Bytes, Fields, box, find, full_box, require, split
from media.malformed import MalformedMedia
from media.packet import Track
from media.sample_entries import build_entry, parse_entry

MOVIE_TIMESCALE = 1000
MAX_TRACKS = 64
_MATRIX = struct.pack(">9I", 0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x40000000)
_UNDETERMINED = b"\x55\xc4"  # language "und" in three groups of five bits
_HANDLERS = {"video": (b"vide", b"Video"), "audio": (b"soun", b"Audio")}


@dataclass(frozen=True, slots=True)
class Defaults:
    """What a sample is where a fragment does not say: trex's fields. Duration in ticks, size in bytes."""

    duration: int = 0
    size: int = 0
    flags: int = 0


@dataclass(frozen=True, slots=True)
class MovieTrack:
    """A track as a file holds it; `edit_start` is the media time, in ticks, that is presented at zero."""

    track_id: int
    track: Track
    defaults: Defaults
    edit_start: int


@dataclass(frozen=True, slots=True)
class Movie:
    """The video and audio tracks of an initialization segment, in file order."""

    tracks: tuple[MovieTrack, ...]

    @classmethod
    def of(cls, tracks: Sequence[Track]) -> "Movie":
        """The movie that `build_movie` would write."""
        return cls(tuple(MovieTrack(number, track, Defaults(), 0) for number, track in enumerate(tracks, 1)))


def build_movie(tracks: Sequence[Track]) -> bytes:
    """The moov box; track ids are 1, 2, … in order."""
    times = struct.pack(">IIII", 0, 0, MOVIE_TIMESCALE, 0)
    fixed = struct.pack(">IH10x", 0x10000, 0x0100)  # rate and volume 1
    header = full_box(b"mvhd", 0, 0, times, fixed, _MATRIX, bytes(24), (len(tracks) + 1).to_bytes(4, "big"))
    bodies = [_track(number, track) for number, track in enumerate(tracks, 1)]
    extends = [full_box(b"trex", 0, 0, struct.pack(">5I", number, 1, 0, 0, 0)) for number, _ in enumerate(tracks, 1)]
    return box(b"moov", header, *bodies, box(b"mvex", *extends))


def parse_movie(data: Bytes) -> Movie:
    """Reads the moov box of an initialization segment or a whole file. Raises MalformedMedia."""
    movie = require(data, b"moov")
    timescale = _timescale(require(movie.payload, b"mvhd"))
    extends = find(movie.payload, b"mvex")
    defaults = dict(_parse_trex(child) for child in split(extends.payload) if child.kind == b"trex") if extends else {}
    boxes = [child for child in split(movie.payload) if child.kind == b"trak"]
    if len(boxes) > MAX_TRACKS:
        message = f"{len(boxes)} tracks are over the limit of {MAX_TRACKS}"
        raise MalformedMedia(message)
    tracks = tuple(found for child in boxes if (found := _parse_track(child, timescale, defaults)))
    if not tracks or len({found.track_id for found in tracks}) != len(tracks):
        message = "no video or audio track, or two with one id"
        raise MalformedMedia(message)
    return Movie(tracks)


def _track(number: int, track: Track) -> bytes:
    volume = 0x0100 if track.kind == "audio" else 0
    header = full_box(
        b"tkhd",
        0,
        3,  # enabled, in the movie
        struct.pack(">IIIII8xHHHH", 0, 0, number, 0, 0, 0, 0, volume, 0),
        _MATRIX,
        struct.pack(">II", track.width << 16, track.height << 16),
    )
    media_header = full_box(b"mdhd", 0, 0, struct.pack(">IIII", 0, 0, track.timescale, 0), _UNDETERMINED, bytes(2))
    handler, name = _HANDLERS[track.kind]
    handler_box = full_box(b"hdlr", 0, 0, bytes(4), handler, bytes(12), name + b"\x00")
    kind_header = full_box(b"vmhd", 0, 1, bytes(8)) if track.kind == "video" else full_box(b"smhd", 0, 0, bytes(4))
    here = box(b"dinf", full_box(b"dref", 0, 0, b"\x00\x00\x00\x01", full_box(b"url ", 0, 1)))
    table = box(
        b"stbl",
        full_box(b"stsd", 0, 0, b"\x00\x00\x00\x01", build_entry(track)),
        full_box(b"stts", 0, 0, bytes(4)),
        full_box(b"stsc", 0, 0, bytes(4)),
        full_box(b"stsz", 0, 0, bytes(8)),
        full_box(b"stco", 0, 0, bytes(4)),
    )
    return box(b"trak", header, box(b"mdia", media_header, handler_box, box(b"minf", kind_header, here, table)))


def _parse_track(trak: Box, movie_timescale: int, defaults: dict[int, Defaults]) -> MovieTrack | None:
    """The track in a trak box, or None if it is neither video nor audio (chapters, time codes, subtitles)."""
    media = require(trak.payload, b"mdia").payload
    handler = Fields(require(media, b"hdlr").payload)
    handler.take(8)
    handler_type = bytes(handler.take(4))
    kind = next((kind for kind, (known, _) in _HANDLERS.items() if known == handler_type), None)
    if kind is None:
        return None
    track_id = _track_id(require(trak.payload, b"tkhd"))
    timescale = _timescale(require(media, b"mdhd"))
    description = Fields(require(media, b"minf", b"stbl", b"stsd").payload)
    description.take(8)
    first = next(split(description.rest()), None)
    if first is None:
        message = "track without a sample entry"
        raise MalformedMedia(message)
    entry = parse_entry(first)
    if (kind == "video") != (entry.codec in ("h264", "h265", "av1")):
        message = f"{kind} track with codec {entry.codec}"
        raise MalformedMedia(message)
    track = Track(
        "video" if kind == "video" else "audio",
        entry.codec,
        timescale,
        entry.config,
        entry.width,
        entry.height,
        entry.sample_rate,
        entry.channels,
    )
    edit = find(trak.payload, b"edts")
    start = _edit_start(require(edit.payload, b"elst"), timescale, movie_timescale) if edit else 0
    return MovieTrack(track_id, track, defaults.get(track_id, Defaults()), start)


def _parse_trex(trex: Box) -> tuple[int, Defaults]:
    fields = Fields(trex.payload)
    fields.version_flags()
    track_id = fields.u(4)
    fields.take(4)  # default_sample_description_index
    return track_id, Defaults(fields.u(4), fields.u(4), fields.u(4))


def _track_id(tkhd: Box) -> int:
    fields = Fields(tkhd.payload)
    version, _ = fields.version_flags()
    fields.take(16 if version else 8)
    return fields.u(4)


def _timescale(header: Box) -> int:
    """The timescale of an mvhd or mdhd box."""
    fields = Fields(header.payload)
    version, _ = fields.version_flags()
    fields.take(16 if version else 8)
    timescale = fields.u(4)
    if not timescale:
        message = f"timescale 0 in {header.kind.decode('latin-1')!r}"
        raise MalformedMedia(message)
    return timescale


def _edit_start(elst: Box, timescale: int, movie_timescale: int) -> int:
    """The media time presented at zero: the first real edit's, less the empty edits before it (§8.6.6)."""
    fields = Fields(elst.payload)
    version, _ = fields.version_flags()
    size = 8 if version else 4
    empty = 0
    for _ in range(fields.u(4)):
        duration, media_time = fields.u(size), fields.i(size)
        fields.take(4)  # media_rate
        if media_time >= 0:
            return media_time - empty * timescale // movie_timescale
        empty += duration
    return 0
