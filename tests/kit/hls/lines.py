"""What a client gathers from a playlist's lines (RFC 8216bis §4): shares no code with what writes them.

Anything that is not the grammar's is an error here: AssertionError with the line.
"""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime

_PAIR = re.compile(r'([A-Z0-9-]+)=("[^"\r\n]*"|0x[0-9A-F]+|[0-9]+x[0-9]+|-?[0-9]+(?:\.[0-9]+)?|[A-Z][A-Z0-9-]*)')
_SEGMENT_TAGS = {"EXTINF", "EXT-X-MAP", "EXT-X-DISCONTINUITY", "EXT-X-PROGRAM-DATE-TIME", "EXT-X-GAP", "EXT-X-PART"}
_ONCE = {
    *("EXTM3U", "EXT-X-VERSION", "EXT-X-INDEPENDENT-SEGMENTS", "EXT-X-TARGETDURATION", "EXT-X-SERVER-CONTROL"),
    *("EXT-X-PART-INF", "EXT-X-MEDIA-SEQUENCE", "EXT-X-DISCONTINUITY-SEQUENCE", "EXT-X-PLAYLIST-TYPE"),
    *("EXT-X-SKIP", "EXT-X-ENDLIST"),
}
_MANY = {"EXT-X-PRELOAD-HINT", "EXT-X-RENDITION-REPORT"}
_MASTER = {"EXTM3U", "EXT-X-VERSION", "EXT-X-INDEPENDENT-SEGMENTS", "EXT-X-MEDIA", "EXT-X-STREAM-INF"}

Attributes = dict[str, str]


@dataclass(frozen=True)
class Part:
    """EXT-X-PART."""

    uri: str
    seconds: float
    independent: bool
    gap: bool


@dataclass(frozen=True)
class Segment:
    """A segment with all that applies to it, written there or before; `tags` are those that stand at it, in order.

    One that is still open has no `uri` and lasts as long as its parts.
    """

    msn: int
    uri: str
    seconds: float
    parts: tuple[Part, ...]
    breaks: int
    """Its discontinuity sequence number."""
    map_uri: str | None
    date: datetime | None
    gap: bool
    tags: tuple[str, ...]


@dataclass(frozen=True)
class Media:
    """A media playlist: tags that stand once by their names, the rest as lists."""

    once: dict[str, str]
    segments: tuple[Segment, ...]
    open: Segment | None
    hints: tuple[Attributes, ...]
    reports: tuple[Attributes, ...]

    @property
    def target(self) -> int:
        return int(self.once["EXT-X-TARGETDURATION"])

    @property
    def control(self) -> Attributes:
        return pairs(self.once.get("EXT-X-SERVER-CONTROL", ""))

    @property
    def part_target(self) -> float | None:
        found = pairs(self.once.get("EXT-X-PART-INF", ""))
        return float(found["PART-TARGET"]) if found else None

    @property
    def skipped(self) -> int:
        return int(pairs(self.once.get("EXT-X-SKIP", "")).get("SKIPPED-SEGMENTS", 0))

    @property
    def ended(self) -> bool:
        return "EXT-X-ENDLIST" in self.once

    @property
    def all(self) -> tuple[Segment, ...]:
        """The open segment too."""
        return (*self.segments, self.open) if self.open else self.segments

    @property
    def parts(self) -> list[tuple[int, int, Part]]:
        """Every part with its segment's number and its own."""
        return [(one.msn, index, part) for one in self.all for index, part in enumerate(one.parts)]


@dataclass(frozen=True)
class Master:
    """A multivariant playlist: the attributes of each variant with its URI, and of each rendition."""

    version: int
    variants: tuple[tuple[Attributes, str], ...]
    renditions: tuple[Attributes, ...]


def pairs(text: str) -> Attributes:
    """An attribute list (§4.2), without quotes. AssertionError where it is none."""
    found: Attributes = {}
    at = 0
    while at < len(text):
        match = _PAIR.match(text, at)
        assert match is not None, f"4.2: {text!r} at {at}"
        assert match[1] not in found, f"4.2: {match[1]} twice in {text!r}"
        assert text[match.end() : match.end() + 1] in ("", ","), f"4.2: {text!r} at {match.end()}"
        found[match[1]] = match[2].strip('"')
        at = match.end() + 1
    return found


def read_media(text: str) -> Media:
    """A media playlist, or a delta update of one."""
    reader = _Reader()
    for line in _lines(text):
        if line.startswith("#"):
            name, _, value = line[1:].partition(":")
            reader.tag(name, value)
        else:
            reader.close(line)
    still_open = reader.segment("") if reader.tags else None
    return Media(reader.once, tuple(reader.segments), still_open, tuple(reader.hints), tuple(reader.reports))


def read_master(text: str) -> Master:
    """A multivariant playlist."""
    version, variants, renditions = 1, [], []
    pending: Attributes | None = None
    for line in _lines(text):
        name, _, value = line[1:].partition(":")
        if not line.startswith("#"):
            assert pending is not None, f"4.1: {line} without EXT-X-STREAM-INF"
            variants.append((pending, line))
            pending = None
            continue
        assert name in _MASTER, f"4.1: {line}"
        assert pending is None, f"4.4.6.2: {line} between EXT-X-STREAM-INF and its URI"
        if name == "EXT-X-VERSION":
            version = int(value)
        elif name == "EXT-X-MEDIA":
            renditions.append(pairs(value))
        elif name == "EXT-X-STREAM-INF":
            pending = pairs(value)
    return Master(version, tuple(variants), tuple(renditions))


def _lines(text: str) -> Iterable[str]:
    assert text.startswith("#EXTM3U\n"), "4.4.1.1"
    assert text.endswith("\n"), "4.1: the last line is broken off"
    assert "\r" not in text
    lines = text[:-1].split("\n")
    assert all(line and line == line.strip() for line in lines), "4.1: an empty line, or blanks around one"
    return lines


@dataclass
class _Reader:
    once: dict[str, str] = field(default_factory=dict)
    segments: list[Segment] = field(default_factory=list)
    hints: list[Attributes] = field(default_factory=list)
    reports: list[Attributes] = field(default_factory=list)
    tags: list[str] = field(default_factory=list)
    parts: list[Part] = field(default_factory=list)
    seconds: float | None = None
    date: datetime | None = None
    breaks: int | None = None
    map_uri: str | None = None

    def tag(self, name: str, value: str) -> None:
        if name in _SEGMENT_TAGS:
            assert name == "EXT-X-PART" or name not in self.tags, f"4.4.4: {name} twice at one segment"
            self.tags.append(name)
            if name in _TAKE:
                _TAKE[name](self, value)
        elif name in _MANY:
            (self.hints if name == "EXT-X-PRELOAD-HINT" else self.reports).append(pairs(value))
        else:
            assert name in _ONCE, f"unknown tag {name}"
            assert name not in self.once, f"4.4: {name} twice"
            early = name in ("EXT-X-MEDIA-SEQUENCE", "EXT-X-DISCONTINUITY-SEQUENCE")
            assert not early or not (self.tags or self.segments), f"4.4.3: {name} behind the first segment"
            self.once[name] = value

    def break_(self) -> None:
        self.breaks = self._breaks() + 1

    def close(self, uri: str) -> None:
        assert self.seconds is not None, f"4.4.4.1: {uri} without EXTINF"
        behind = [*self.hints, *self.reports]
        assert not behind, f"{uri} behind the playlist's end"
        self.segments.append(self.segment(uri))

    def segment(self, uri: str) -> Segment:
        lasts = sum(part.seconds for part in self.parts) if self.seconds is None else self.seconds
        first = int(self.once.get("EXT-X-MEDIA-SEQUENCE", 0)) + int(
            pairs(self.once.get("EXT-X-SKIP", "")).get("SKIPPED-SEGMENTS", 0)
        )
        made = Segment(
            *(first + len(self.segments), uri, lasts, tuple(self.parts), self._breaks(), self.map_uri, self.date),
            *("EXT-X-GAP" in self.tags, tuple(self.tags)),
        )
        self.tags, self.parts, self.seconds, self.date = [], [], None, None
        return made

    def _breaks(self) -> int:
        return int(self.once.get("EXT-X-DISCONTINUITY-SEQUENCE", 0)) if self.breaks is None else self.breaks


def _inf(reader: _Reader, value: str) -> None:
    match = re.fullmatch(r"(\d+(?:\.\d+)?),[^\n]*", value)
    assert match is not None, f"4.4.4.1: {value}"
    reader.seconds = float(match[1])


def _part(reader: _Reader, value: str) -> None:
    assert reader.seconds is None, "4.4.4.9: a part behind its segment's EXTINF"
    found = pairs(value)
    flags = found.get("INDEPENDENT", "YES"), found.get("GAP", "YES")
    assert flags == ("YES", "YES"), f"4.4.4.9: {value}"
    reader.parts.append(Part(found["URI"], float(found["DURATION"]), "INDEPENDENT" in found, "GAP" in found))


def _map(reader: _Reader, value: str) -> None:
    reader.map_uri = pairs(value)["URI"]


def _date(reader: _Reader, value: str) -> None:
    reader.date = datetime.fromisoformat(value)
    assert reader.date.tzinfo is not None, f"4.4.4.6: {value} without a zone"


_TAKE: dict[str, Callable[[_Reader, str], None]] = {
    "EXTINF": _inf,
    "EXT-X-PART": _part,
    "EXT-X-MAP": _map,
    "EXT-X-PROGRAM-DATE-TIME": _date,
    "EXT-X-DISCONTINUITY": lambda reader, _: reader.break_(),
}
