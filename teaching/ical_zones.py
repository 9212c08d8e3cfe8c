"""Which zone an iCalendar TZID means (RFC 5545 §3.2.19), as the name of one that the time zone database has.

Known are the database's names, Windows' names, both behind a vendor's prefix, and a zone of the file's own that has one
offset from UTC in whole hours the year round. A file's own rules for summer time are not run: they are a stranger's
program, and one that never ends would stop the import.
"""

import re
import zoneinfo
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from functools import cache
from zoneinfo import ZoneInfo

from icalendar.timezone.windows_to_olson import WINDOWS_TO_OLSON

from teaching.ical_lines import DATED, Block, ContentLine
from teaching.rows import RowCode, RowError

_TZID = re.compile(r";TZID=(\"[^\"]*\"|[^;:]*)", re.IGNORECASE)
_OFFSET = re.compile(r"([+-])(\d{2})00(?:00)?")
_UNTIL = re.compile(r"(UNTIL=)(\d{8})(?:T(\d{6}))?(Z?)", re.IGNORECASE)


class Zones:
    """The zones that one file may name; `institute` is meant where it names none."""

    def __init__(self, institute: ZoneInfo, own: Mapping[str, Sequence[Block]]) -> None:
        self.institute = institute
        self._own = own

    def named(self, tzid: str) -> str:
        """The database's name for a TZID; RowError("zone_unknown")."""
        plain = tzid.strip().strip('"').strip("/")
        parts = plain.split("/")
        for start in range(min(len(parts), 5)):
            name = "/".join(parts[start:])
            name = WINDOWS_TO_OLSON.get(name, name)
            if name in _known():
                return name
        fixed = self._fixed(tzid.strip().strip('"'))
        if fixed is None:
            raise RowError(RowCode.zone_unknown, f'the time zone "{plain[:60]}" is not known')
        return fixed

    def placed(self, lines: Sequence[ContentLine]) -> list[ContentLine]:
        """An event's lines with every instant in a known zone, and the rule's end in UTC."""
        zone = self._zone_of_start(lines)
        return [
            self._dated(line, zone) if line.name in DATED else _ruled(line, zone) if line.name == "RRULE" else line
            for line in lines
        ]

    def _zone_of_start(self, lines: Sequence[ContentLine]) -> ZoneInfo:
        start = next((line for line in lines if line.name == "DTSTART"), None)
        tzid = _TZID.search(start.parameters) if start else None
        if tzid is not None:
            return ZoneInfo(self.named(tzid.group(1)))
        return self.institute

    def _dated(self, line: ContentLine, zone: ZoneInfo) -> ContentLine:
        """A floating instant gets the zone of the event's start; a date stays one; UTC needs no name."""
        tzid = _TZID.search(line.parameters)
        others = _TZID.sub("", line.parameters)
        if "T" not in line.value.upper() or line.value.rstrip().upper().endswith("Z"):
            return ContentLine(line.name, others, line.value)
        name = self.named(tzid.group(1)) if tzid is not None else zone.key
        return ContentLine(line.name, f"{others};TZID={name}", line.value)

    def _fixed(self, tzid: str) -> str | None:
        offsets = {line.value.strip() for block in self._own.get(tzid, ()) if (line := block.first("TZOFFSETTO"))}
        found = _OFFSET.fullmatch(offsets.pop()) if len(offsets) == 1 else None
        if found is None or int(found.group(2)) > 12:
            return None
        # The database's signs are the other way round: Etc/GMT-8 is eight hours east.
        hours = int(found.group(2))
        return "Etc/UTC" if hours == 0 else f"Etc/GMT{'-' if found.group(1) == '+' else '+'}{hours}"


def _ruled(line: ContentLine, zone: ZoneInfo) -> ContentLine:
    """UNTIL must be UTC where the start has a zone (§3.3.10), and often is not: a date means the whole of that day."""
    return ContentLine(line.name, line.parameters, _UNTIL.sub(lambda found: _until(found, zone), line.value))


def _until(found: re.Match[str], zone: ZoneInfo) -> str:
    day, clock, utc = found.group(2), found.group(3), found.group(4)
    if utc and clock:
        return found.group(0)
    try:
        local = datetime.strptime(f"{day}{clock or '235959'}", "%Y%m%d%H%M%S").replace(tzinfo=zone)
    except ValueError as error:
        raise RowError(RowCode.rule_invalid, f"the rule's end {day} is no date") from error
    return f"UNTIL={local.astimezone(UTC):%Y%m%dT%H%M%SZ}"


@cache
def _known() -> frozenset[str]:
    return frozenset(zoneinfo.available_timezones())
