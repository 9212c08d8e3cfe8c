"""HLS playlists (RFC 8216bis): media playlists with low-latency parts, and the multivariant playlist.

A playlist of a live session is rendered twice a second with hours of segments behind, so it is made of three texts: the
header, the closed segments and the footer. `segment_text` of a closed segment never changes: keep it as bytes and put
a playlist together by `assemble`. `MediaPlaylist.render` does all of it at once, for one that is asked for seldom.

One file over 300 lines, because a playlist's lines are read beside where they are written.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, NamedTuple

from media.malformed import MalformedMedia
from media.playlist_tags import (
    attributes,
    date_time,
    parse_attributes,
    parse_byte_range,
    parse_date_time,
    parse_integer,
    parse_seconds,
    quoted,
    seconds,
    uri_line,
)

MAX_LINES = 500_000  # 3 h of 2 s segments with every part of them listed are 40,000


class ByteRange(NamedTuple):
    """`length` bytes from `offset` of a resource (§4.4.4.2)."""

    length: int
    offset: int


@dataclass(frozen=True, slots=True)
class PartLine:
    """EXT-X-PART (§4.4.4.9)."""

    uri: str
    duration_seconds: float
    independent: bool = False
    gap: bool = False
    byte_range: ByteRange | None = None


@dataclass(frozen=True, slots=True)
class SegmentLines:
    """A segment with the tags before it. `map_uri` is its initialization segment; its tag stands where it changes."""

    msn: int
    uri: str
    duration_seconds: float
    program_date_time: datetime | None = None
    parts: Sequence[PartLine] = ()
    discontinuity: bool = False
    map_uri: str | None = None
    gap: bool = False
    byte_range: ByteRange | None = None


@dataclass(frozen=True, slots=True)
class ServerControl:
    """EXT-X-SERVER-CONTROL (§4.4.3.8), all in seconds; None: left out."""

    can_block_reload: bool = False
    can_skip_until_seconds: float | None = None
    hold_back_seconds: float | None = None
    part_hold_back_seconds: float | None = None


@dataclass(frozen=True, slots=True)
class RenditionReport:
    """EXT-X-RENDITION-REPORT (§4.4.5.4): the newest segment and part of another rendition."""

    uri: str
    last_msn: int
    last_part: int | None = None


@dataclass(frozen=True, slots=True)
class MediaPlaylist:
    """A media playlist. `open_segment` is the one being written: only its parts are listed, its `uri` is not used.

    `preload_hint` is the URI of the next part. `skipped_segments` is set by a parsed delta update only.
    """

    target_duration_seconds: int
    part_target_seconds: float | None = None
    media_sequence: int = 0
    discontinuity_sequence: int = 0
    segments: Sequence[SegmentLines] = ()
    open_segment: SegmentLines | None = None
    preload_hint: str | None = None
    rendition_reports: Sequence[RenditionReport] = ()
    server_control: ServerControl | None = None
    playlist_type: Literal["EVENT", "VOD"] | None = None
    independent_segments: bool = False
    endlist: bool = False
    skipped_segments: int = 0

    def header(self, skipped: int = 0) -> str:
        """Everything before the first segment; with `skipped` > 0, of a delta update (§4.4.5.2)."""
        control = self.server_control
        # Version 9 is what EXT-X-SKIP asks for (§8); it must not change between two renderings of one playlist.
        version = 9 if control and control.can_skip_until_seconds is not None else 7
        lines = ["#EXTM3U", f"#EXT-X-VERSION:{version}"]
        if self.independent_segments:
            lines.append("#EXT-X-INDEPENDENT-SEGMENTS")
        lines.append(f"#EXT-X-TARGETDURATION:{self.target_duration_seconds}")
        if control and (text := _server_control(control)):
            lines.append(f"#EXT-X-SERVER-CONTROL:{text}")
        if self.part_target_seconds is not None:
            lines.append(f"#EXT-X-PART-INF:PART-TARGET={seconds(self.part_target_seconds)}")
        lines.append(f"#EXT-X-MEDIA-SEQUENCE:{self.media_sequence}")
        if self.discontinuity_sequence:
            lines.append(f"#EXT-X-DISCONTINUITY-SEQUENCE:{self.discontinuity_sequence}")
        if self.playlist_type:
            lines.append(f"#EXT-X-PLAYLIST-TYPE:{self.playlist_type}")
        if skipped:
            lines.append(f"#EXT-X-SKIP:SKIPPED-SEGMENTS={skipped}")
        return "\n".join(lines) + "\n"

    def footer(self, previous_map: str | None = None) -> str:
        """Everything behind the last closed segment, whose map was `previous_map`: open parts, hint, reports, end."""
        text = ""
        if self.open_segment:
            changed = self.open_segment.map_uri != previous_map
            text = _before(self.open_segment, with_map=changed) + _parts(self.open_segment.parts)
        lines = []
        if self.preload_hint is not None:
            lines.append(f"#EXT-X-PRELOAD-HINT:TYPE=PART,URI={quoted(self.preload_hint)}\n")
        for report in self.rendition_reports:
            part = None if report.last_part is None else str(report.last_part)
            pairs = (("URI", quoted(report.uri)), ("LAST-MSN", str(report.last_msn)), ("LAST-PART", part))
            lines.append(f"#EXT-X-RENDITION-REPORT:{attributes(pairs)}\n")
        if self.endlist:
            lines.append("#EXT-X-ENDLIST\n")
        return text + "".join(lines)

    def render(self, skip: bool = False) -> str:
        """The whole text; with `skip`, a delta update, if the server control allows one and anything is old enough."""
        durations = [segment.duration_seconds for segment in self.segments]
        ahead = sum(part.duration_seconds for part in self.open_segment.parts) if self.open_segment else 0.0
        skipped = 0
        if skip and not self.endlist and self.server_control and self.server_control.can_skip_until_seconds is not None:
            skipped = older_than(durations, self.server_control.can_skip_until_seconds, ahead)
        bare = older_than(durations, 3 * self.target_duration_seconds, ahead)
        texts, map_uri = [self.header(skipped)], None
        for index, segment in enumerate(self.segments):
            if index >= skipped:
                changed = segment.map_uri != map_uri
                texts.append(segment_text(segment, with_parts=index >= bare, with_map=changed))
            map_uri = segment.map_uri or map_uri
        return "".join((*texts, self.footer(map_uri)))


def segment_text(segment: SegmentLines, with_parts: bool, with_map: bool = True) -> str:
    """A closed segment's lines. Parts belong to segments within three target durations of the end (§4.4.4.9)."""
    lines = [_before(segment, with_map)]
    if with_parts:
        lines.append(_parts(segment.parts))
    if segment.gap:
        lines.append("#EXT-X-GAP\n")
    lines.append(f"#EXTINF:{seconds(segment.duration_seconds)},\n")
    if segment.byte_range:
        lines.append(f"#EXT-X-BYTERANGE:{segment.byte_range.length}@{segment.byte_range.offset}\n")
    lines.append(uri_line(segment.uri))
    return "".join(lines)


def assemble(header: str, closed: Iterable[bytes], footer: str) -> bytes:
    """A playlist from its header, the kept texts of closed segments and its footer."""
    return b"".join((header.encode(), *closed, footer.encode()))


def older_than(durations: Sequence[float], boundary_seconds: float, ahead_seconds: float = 0.0) -> int:
    """How many closed segments lie wholly further than the boundary from the end, `ahead_seconds` behind the last one.

    It looks at the newest durations only, so its cost does not grow with the playlist.
    """
    distance = ahead_seconds
    for index in range(len(durations), 0, -1):
        if distance > boundary_seconds:
            return index
        distance += durations[index - 1]
    return 0


@dataclass(frozen=True, slots=True)
class Variant:
    """EXT-X-STREAM-INF (§4.4.6.2); bandwidths are bits a second, `codecs` RFC 6381's by comma; size 0: only audio."""

    uri: str
    bandwidth: int
    average_bandwidth: int | None
    codecs: str
    width: int = 0
    height: int = 0
    frame_rate: float | None = None
    audio_group: str | None = None


@dataclass(frozen=True, slots=True)
class AudioRendition:
    """EXT-X-MEDIA of type AUDIO (§4.4.6.1); without `uri` the audio is in the variant itself."""

    group_id: str
    name: str
    uri: str | None = None
    language: str | None = None
    default: bool = True
    channels: int = 0


def multivariant(variants: Sequence[Variant], audio: Sequence[AudioRendition] = (), independent: bool = False) -> str:
    """The multivariant playlist; `independent` says that every segment of every rendition begins with a key frame."""
    lines = ["#EXTM3U", "#EXT-X-VERSION:7"]
    if independent:
        lines.append("#EXT-X-INDEPENDENT-SEGMENTS")
    for rendition in audio:
        pairs = (
            ("TYPE", "AUDIO"),
            ("GROUP-ID", quoted(rendition.group_id)),
            ("NAME", quoted(rendition.name)),
            ("LANGUAGE", None if rendition.language is None else quoted(rendition.language)),
            ("DEFAULT", "YES" if rendition.default else "NO"),
            ("AUTOSELECT", "YES"),
            ("CHANNELS", quoted(str(rendition.channels)) if rendition.channels else None),
            ("URI", None if rendition.uri is None else quoted(rendition.uri)),
        )
        lines.append(f"#EXT-X-MEDIA:{attributes(pairs)}")
    for variant in variants:
        stream = (
            ("BANDWIDTH", str(variant.bandwidth)),
            ("AVERAGE-BANDWIDTH", None if variant.average_bandwidth is None else str(variant.average_bandwidth)),
            ("CODECS", quoted(variant.codecs)),
            ("RESOLUTION", f"{variant.width}x{variant.height}" if variant.width and variant.height else None),
            ("FRAME-RATE", None if variant.frame_rate is None else f"{variant.frame_rate:.3f}"),
            ("AUDIO", None if variant.audio_group is None else quoted(variant.audio_group)),
        )
        lines.append(f"#EXT-X-STREAM-INF:{attributes(stream)}")
        lines.append(uri_line(variant.uri).rstrip("\n"))
    return "\n".join(lines) + "\n"


def _server_control(control: ServerControl) -> str:
    times = (
        ("CAN-SKIP-UNTIL", control.can_skip_until_seconds),
        ("HOLD-BACK", control.hold_back_seconds),
        ("PART-HOLD-BACK", control.part_hold_back_seconds),
    )
    given = [(name, None if value is None else seconds(value)) for name, value in times]
    return attributes((("CAN-BLOCK-RELOAD", "YES" if control.can_block_reload else None), *given))


def _before(segment: SegmentLines, with_map: bool) -> str:
    """The tags that stand before a segment's parts. A discontinuity comes first: the map belongs to what follows it."""
    text = "#EXT-X-DISCONTINUITY\n" if segment.discontinuity else ""
    if with_map and segment.map_uri is not None:
        text += f"#EXT-X-MAP:URI={quoted(segment.map_uri)}\n"
    if segment.program_date_time is not None:
        text += f"#EXT-X-PROGRAM-DATE-TIME:{date_time(segment.program_date_time)}\n"
    return text


def _parts(parts: Iterable[PartLine]) -> str:
    lines = []
    for part in parts:
        at = part.byte_range
        pairs = (
            ("DURATION", seconds(part.duration_seconds)),
            ("URI", quoted(part.uri)),
            ("INDEPENDENT", "YES" if part.independent else None),
            ("BYTERANGE", f'"{at.length}@{at.offset}"' if at else None),
            ("GAP", "YES" if part.gap else None),
        )
        lines.append(f"#EXT-X-PART:{attributes(pairs)}\n")
    return "".join(lines)


def parse_media(text: str) -> MediaPlaylist:
    """Reads a media playlist; unknown tags are passed over (§6.3.1). Raises MalformedMedia."""
    lines = text.split("\n", MAX_LINES)
    if len(lines) > MAX_LINES or lines[0].rstrip("\r") != "#EXTM3U":
        message = "playlist is too long, or does not begin with #EXTM3U"
        raise MalformedMedia(message)
    reader = _Reader()
    for line in lines[1:]:
        line = line.strip()
        if line.startswith("#EXT"):
            name, _, value = line[1:].partition(":")
            reader.tag(name, value)
        elif line and line[0] != "#":
            reader.uri(line)
    return reader.playlist()


@dataclass(slots=True)
class _Reader:
    """What has been read; `pending` are the fields of the segment whose tags are being read."""

    header: dict[str, Any] = field(default_factory=dict)
    segments: list[SegmentLines] = field(default_factory=list)
    reports: list[RenditionReport] = field(default_factory=list)
    pending: dict[str, Any] = field(default_factory=dict)
    parts: list[PartLine] = field(default_factory=list)
    map_uri: str | None = None
    next_offset: int = 0

    def tag(self, name: str, value: str) -> None:
        if name in _HEADER_TAGS:
            key, parse = _HEADER_TAGS[name]
            self.header[key] = parse(value)
        elif name in _SEGMENT_TAGS:
            key, parse = _SEGMENT_TAGS[name]
            self.pending[key] = parse(value)
        elif name == "EXT-X-PART":
            self.parts.append(_parse_part(parse_attributes(value)))
        elif name == "EXT-X-MAP":
            self.map_uri = _attribute(parse_attributes(value), "URI")
            self.pending["map_uri"] = self.map_uri
        elif name == "EXT-X-RENDITION-REPORT":
            self.reports.append(_parse_report(parse_attributes(value)))

    def uri(self, uri: str) -> None:
        if "duration_seconds" not in self.pending:
            message = "segment without EXTINF"
            raise MalformedMedia(message)
        if given := self.pending.pop("byte_range", None):
            length, offset = given
            at = ByteRange(length, self.next_offset if offset is None else offset)
            self.next_offset = at.offset + length
            self.pending["byte_range"] = at
        self.segments.append(self._segment(uri))

    def playlist(self) -> MediaPlaylist:
        if "target_duration_seconds" not in self.header:
            message = "playlist without EXT-X-TARGETDURATION"
            raise MalformedMedia(message)
        still_open = None
        if self.parts or self.pending:
            self.pending.pop("byte_range", None)
            self.pending["duration_seconds"] = 0.0
            still_open = self._segment("")
        fields = {**self.header, "segments": tuple(self.segments), "rendition_reports": tuple(self.reports)}
        return MediaPlaylist(open_segment=still_open, **fields)

    def _segment(self, uri: str) -> SegmentLines:
        first = self.header.get("media_sequence", 0) + self.header.get("skipped_segments", 0)
        fields = {**self.pending, "map_uri": self.map_uri}
        segment = SegmentLines(first + len(self.segments), uri, parts=tuple(self.parts), **fields)
        self.pending, self.parts = {}, []
        return segment


def _attribute(found: dict[str, str], name: str) -> str:
    if name not in found:
        message = f"attribute {name} is missing"
        raise MalformedMedia(message)
    return found[name]


def _parse_part(found: dict[str, str]) -> PartLine:
    at = None
    if "BYTERANGE" in found:
        length, offset = parse_byte_range(found["BYTERANGE"])
        at = ByteRange(length, offset or 0)
    return PartLine(
        _attribute(found, "URI"),
        parse_seconds(_attribute(found, "DURATION")),
        independent=found.get("INDEPENDENT") == "YES",
        gap=found.get("GAP") == "YES",
        byte_range=at,
    )


def _parse_report(found: dict[str, str]) -> RenditionReport:
    part = parse_integer(found["LAST-PART"]) if "LAST-PART" in found else None
    return RenditionReport(_attribute(found, "URI"), parse_integer(_attribute(found, "LAST-MSN")), part)


def _parse_control(value: str) -> ServerControl:
    found = parse_attributes(value)
    names = ("CAN-SKIP-UNTIL", "HOLD-BACK", "PART-HOLD-BACK")
    times = (parse_seconds(found[name]) if name in found else None for name in names)
    return ServerControl(found.get("CAN-BLOCK-RELOAD") == "YES", *times)


def _parse_hint(value: str) -> str | None:
    found = parse_attributes(value)
    return _attribute(found, "URI") if found.get("TYPE") == "PART" else None


def _parse_type(value: str) -> str:
    if value not in ("EVENT", "VOD"):
        message = "playlist type is neither EVENT nor VOD"
        raise MalformedMedia(message)
    return value


_HEADER_TAGS: dict[str, tuple[str, Callable[[str], Any]]] = {
    "EXT-X-TARGETDURATION": ("target_duration_seconds", parse_integer),
    "EXT-X-MEDIA-SEQUENCE": ("media_sequence", parse_integer),
    "EXT-X-DISCONTINUITY-SEQUENCE": ("discontinuity_sequence", parse_integer),
    "EXT-X-PLAYLIST-TYPE": ("playlist_type", _parse_type),
    "EXT-X-INDEPENDENT-SEGMENTS": ("independent_segments", lambda _: True),
    "EXT-X-ENDLIST": ("endlist", lambda _: True),
    "EXT-X-PART-INF": ("part_target_seconds", lambda v: parse_seconds(_attribute(parse_attributes(v), "PART-TARGET"))),
    "EXT-X-SERVER-CONTROL": ("server_control", _parse_control),
    "EXT-X-PRELOAD-HINT": ("preload_hint", _parse_hint),
    "EXT-X-SKIP": ("skipped_segments", lambda v: parse_integer(_attribute(parse_attributes(v), "SKIPPED-SEGMENTS"))),
}
_SEGMENT_TAGS: dict[str, tuple[str, Callable[[str], Any]]] = {
    "EXTINF": ("duration_seconds", lambda value: parse_seconds(value.partition(",")[0])),
    "EXT-X-BYTERANGE": ("byte_range", parse_byte_range),
    "EXT-X-PROGRAM-DATE-TIME": ("program_date_time", parse_date_time),
    "EXT-X-DISCONTINUITY": ("discontinuity", lambda _: True),
    "EXT-X-GAP": ("gap", lambda _: True),
}
