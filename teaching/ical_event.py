"""One event of an iCalendar file, parsed and checked as far as one event can be by itself."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any, cast

from icalendar import Component, Event
from icalendar.prop.broken import vBroken

from teaching.ical_lines import Block, ContentLine
from teaching.ical_rules import require_countable
from teaching.ical_zones import Zones
from teaching.rows import RowCode, RowError

DATES = frozenset({"DTSTART", "DTEND", "RDATE", "EXDATE", "RECURRENCE-ID"})
REPEATING = ("RRULE", "RDATE", "RECURRENCE-ID")
_CHAIR = re.compile(r";ROLE=\"?CHAIR\"?(;|$)", re.IGNORECASE)
_ESCAPED = re.compile(r"\\([,;\\])")
_MAILTO = re.compile(r"mailto:", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Told:
    """An event as the library has it, and as the file has it."""

    component: Event
    block: Block

    @property
    def repeats(self) -> bool:
        """Whether it is, or changes, one of several."""
        return any(name in self.component for name in REPEATING)

    @property
    def is_change(self) -> bool:
        """Whether it changes one occurrence of another event."""
        return "RECURRENCE-ID" in self.component

    @property
    def sequence(self) -> int:
        """Its place among the versions of the same event."""
        value = self.component.get("SEQUENCE", -1)
        return value if isinstance(value, int) else -1

    @property
    def cancelled(self) -> bool:
        """Whether it says that it does not take place."""
        return self.text("STATUS").upper() == "CANCELLED"

    def text(self, name: str) -> str:
        """A property as plain text, empty where there is none."""
        value = self.component.get(name, "")
        return " ".join(str(value[0] if isinstance(value, list) else value).split())


def title_of(block: Block) -> str:
    """The course's name as far as an event tells it that may not be readable."""
    line = block.first("SUMMARY")
    return " ".join(_ESCAPED.sub(r"\1", line.value).split()) if line else ""


def uid_of(block: Block) -> str | None:
    """The event's UID, where it has one."""
    line = block.first("UID")
    return line.value.strip() or None if line else None


def changed_occurrence(block: Block, zones: Zones) -> str | None:
    """Which occurrence of its series an unreadable event means, if at least that can be read."""
    line = block.first("RECURRENCE-ID")
    start = block.first("DTSTART")
    if line is None:
        return None
    try:
        event = _parsed(zones.placed([line, *([start] if start else [])]))
    except RowError:
        return None
    given = _one(event, "RECURRENCE-ID").dt
    return occurrence_of(given) if isinstance(given, datetime) else None


def occurrence_of(given: datetime) -> str:
    """An occurrence's name: the instant it was first given, in UTC."""
    return given.astimezone(UTC).isoformat()


def told(block: Block, zones: Zones, now: datetime) -> Told:
    """The event; RowError for what is wrong with it."""
    if block.malformed is not None:
        raise RowError(RowCode.row_malformed, f'"{block.malformed}" is no property')
    if uid_of(block) is None:
        raise RowError(RowCode.row_malformed, "the event has no UID")
    event = _parsed(zones.placed(block.lines))
    start, end = _one(event, "DTSTART"), _one(event, "DTEND") or _one(event, "DURATION")
    if start is None:
        raise RowError(RowCode.date_missing, "the event has no DTSTART")
    if not isinstance(start.dt, datetime):
        raise RowError(RowCode.time_missing, "the event lasts all day; a class has a time")
    if end is None or (isinstance(end.dt, date) and not isinstance(end.dt, datetime)):
        raise RowError(RowCode.time_missing, "the event has no DTEND or DURATION with a time")
    if start.dt >= (end.dt if isinstance(end.dt, datetime) else start.dt + end.dt):
        raise RowError(RowCode.window_invalid, "the event does not end after it begins")
    rules = event.get("RRULE", [])
    require_countable(rules if isinstance(rules, list) else [rules], start.dt, now)
    return Told(event, block)


def instructors(block: Block) -> tuple[str, ...]:
    """Logins that may be meant, the surest first; an address counts whole, then as what stands before its @."""
    named = [line.value.strip() for line in block.lines if line.name == "X-LECTERN-INSTRUCTOR" and line.value.strip()]
    if named:
        return tuple(named)
    attending = [line for line in block.lines if line.name == "ATTENDEE"]
    chairs = [line for line in attending if _CHAIR.search(line.parameters)]
    alone = attending if len(attending) == 1 else []
    organizers = [line for line in block.lines if line.name == "ORGANIZER"]
    return tuple(login for line in (*(chairs or alone), *organizers) for login in _logins(line.value))


def _logins(address: str) -> tuple[str, ...]:
    plain = _MAILTO.sub("", address.strip(), count=1)
    local = plain.partition("@")[0]
    return (plain,) if local == plain else (plain, local)


def _parsed(lines: Sequence[ContentLine]) -> Event:
    text = "\r\n".join(("BEGIN:VEVENT", *(str(line) for line in lines), "END:VEVENT", ""))
    try:
        event = cast(Event, Component.from_ical(text))
    except (ValueError, TypeError, IndexError, KeyError) as error:
        raise RowError(RowCode.row_malformed, str(error)[:200]) from error
    for name, value in event.items():
        if any(isinstance(one, vBroken) for one in (value if isinstance(value, list) else [value])):
            raise RowError(_code_of(name), f"{name} is not readable")
    return event


def _one(event: Event, name: str) -> Any:
    """A property that an event has once at most; RowError for several."""
    value = event.get(name)
    if isinstance(value, list):
        raise RowError(RowCode.row_malformed, f"the event has {len(value)} of {name}")
    return value


def _code_of(name: str) -> RowCode:
    if name == "RRULE":
        return RowCode.rule_invalid
    return RowCode.date_invalid if name in DATES else RowCode.row_malformed
