"""An iCalendar file's content lines (RFC 5545 §3.1), unfolded, and its events, each with the line it begins at.

Read before the calendar library sees anything: it keeps of each event only what makes a class, so that one malformed
event is one bad row, and so that depth, length and number of what is parsed are bounded by what is counted here.
"""

import io
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from domain.refusals import Refusal, RefusalCode
from teaching.import_limits import Budget

KEPT = frozenset(
    {
        "UID", "DTSTART", "DTEND", "DURATION", "RRULE", "RDATE", "EXDATE", "RECURRENCE-ID", "SEQUENCE", "STATUS",
        "SUMMARY", "LOCATION", "ATTENDEE", "ORGANIZER", "X-LECTERN-INSTRUCTOR",
    }
)  # fmt: skip
DATED = frozenset({"DTSTART", "DTEND", "RDATE", "EXDATE", "RECURRENCE-ID"})
DEEPEST = 4
"""VCALENDAR, VEVENT, VALARM: nothing real goes deeper."""
LARGEST_EVENT = 64 * 1024
"""Characters of what is kept of one event: a thousand extra dates have 16,000."""

_LINE = re.compile(r"([A-Za-z0-9-]+)((?:;[^:\"]*(?:\"[^\"]*\"[^:\"]*)*)?):(.*)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class ContentLine:
    """One property: NAME;PARAM=VALUE:value."""

    name: str
    parameters: str
    """As written, each with its semicolon before it."""
    value: str

    def __str__(self) -> str:
        return f"{self.name}{self.parameters}:{self.value}"


@dataclass(slots=True)
class Block:
    """A component as it stands in the file. `malformed` is its first line that is no property."""

    name: str
    number: int
    lines: list[ContentLine] = field(default_factory=list)
    malformed: str | None = None
    characters: int = 0

    def first(self, name: str) -> ContentLine | None:
        """Its first property of that name."""
        return next((line for line in self.lines if line.name == name), None)


@dataclass(slots=True)
class CalendarText:
    """What a file has: its events, and the properties of its zones' observances by the zone's id."""

    events: list[Block] = field(default_factory=list)
    zones: dict[str, list[Block]] = field(default_factory=dict)


def read_text(text: str, budget: Budget) -> CalendarText:
    """The file's events and zones. Refusals: invalid_input where it is no calendar, too_large."""
    found = CalendarText()
    open_blocks: list[Block] = []
    for number, raw in _unfolded(text):
        line = parse(raw)
        if line is not None and line.name == "BEGIN":
            if not open_blocks and line.value.strip().upper() != "VCALENDAR":
                raise _not_a_calendar(number)
            if len(open_blocks) == DEEPEST:
                raise Refusal(RefusalCode.too_large, field="file", limit="depth", most=DEEPEST)
            open_blocks.append(Block(line.value.strip().upper(), number))
        elif not open_blocks:
            raise _not_a_calendar(number)
        elif line is not None and line.name == "END":
            _close(found, open_blocks, line.value.strip().upper(), number, budget)
        else:
            _keep(open_blocks, line, raw)
    if open_blocks:
        raise _not_a_calendar(open_blocks[-1].number)
    return found


def parse(raw: str) -> ContentLine | None:
    """An unfolded line as a property, or None where it is none."""
    found = _LINE.fullmatch(raw)
    return ContentLine(found.group(1).upper(), found.group(2), found.group(3)) if found else None


def _unfolded(text: str) -> Iterator[tuple[int, str]]:
    """Lines with their numbers; one that begins with a space or a tab goes on from the one before (§3.1)."""
    parts: list[str] = []
    began = 1
    for number, line in enumerate(io.StringIO(text), start=1):
        line = line.rstrip("\r\n")
        if line[:1] in (" ", "\t") and parts:
            parts.append(line[1:])
            continue
        if parts:
            yield began, "".join(parts)
        parts, began = ([line], number) if line.strip() else ([], number)
    if parts:
        yield began, "".join(parts)


def _close(found: CalendarText, open_blocks: list[Block], name: str, number: int, budget: Budget) -> None:
    block = open_blocks.pop()
    if block.name != name:
        raise _not_a_calendar(number)
    parent = open_blocks[-1].name if open_blocks else None
    if name == "VEVENT" and parent == "VCALENDAR":
        budget.spend()
        found.events.append(block)
    elif parent == "VTIMEZONE":
        # The zone's own properties end where its observances begin, so its id is known here (§3.6.5).
        zone = open_blocks[-1].first("TZID")
        if zone is not None:
            found.zones.setdefault(zone.value, []).append(block)


def _keep(open_blocks: list[Block], line: ContentLine | None, raw: str) -> None:
    block = open_blocks[-1]
    if line is None:
        block.malformed = block.malformed or raw[:80]
        return
    wanted = block.name == "VEVENT" and line.name in KEPT
    if block.name in ("VTIMEZONE", "STANDARD", "DAYLIGHT"):
        wanted = line.name in ("TZID", "TZOFFSETTO")
    if not wanted:
        return
    block.lines.append(line)
    block.characters += len(raw)
    if block.characters > LARGEST_EVENT:
        raise Refusal(RefusalCode.too_large, field="file", limit="event_characters", most=LARGEST_EVENT)


def _not_a_calendar(number: int) -> Refusal:
    return Refusal(RefusalCode.invalid_input, field="file", reason="not_a_calendar", line=number)
