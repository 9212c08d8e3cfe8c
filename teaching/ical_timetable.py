"""Timetables as iCalendar (RFC 5545): each occurrence of each event within the horizon is a row.

Numbers are those of the lines on which events begin. An event that repeats is known by its UID and each occurrence's
RECURRENCE-ID in UTC; one that does not by its UID alone, so that it may be moved. What lies before `now` is not counted
out. Where the change of one occurrence cannot be read, that occurrence is left alone rather than put back.
"""

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from recurring_ical_events.adapters.event import EventAdapter
from recurring_ical_events.occurrence import Occurrence
from recurring_ical_events.series import Series

from domain.refusals import Refusal, RefusalCode
from teaching.ical_event import Told, changed_occurrence, instructors, occurrence_of, title_of, told, uid_of
from teaching.ical_lines import read_text
from teaching.ical_zones import Zones
from teaching.import_limits import Budget
from teaching.rows import BadRow, Row, RowCode, RowError, Rows, require_lengths

ONCE = ""
"""The occurrence of an event that does not repeat."""
_FOLD = re.compile(rb"\r?\n[ \t]")


@dataclass(frozen=True, slots=True)
class Window:
    """The stretch of time that is counted out."""

    now: datetime
    until: datetime
    zone: ZoneInfo
    """The institute's, for instants that name none."""


class _Adapter(EventAdapter):  # type: ignore[misc]
    """Lets an occurrence find the event it comes from."""

    def __init__(self, event: Told) -> None:
        super().__init__(event.component)
        self.told = event


class _Occurrence(Occurrence):  # type: ignore[misc]
    """An occurrence that knows the instant it was first given."""

    def __init__(self, adapter: _Adapter, start: Any = None, end: Any = None, sequence: int = -1) -> None:
        super().__init__(adapter, start, end, sequence)
        self.told = adapter.told
        changed = adapter.told.component.get("RECURRENCE-ID") if start is None else None
        self.given: datetime = changed.dt if changed is not None else self.start - adapter.move_recurrences_by


class _Series(Series):  # type: ignore[misc]
    occurrence = _Occurrence


def read_ical(data: bytes, budget: Budget, window: Window) -> Rows:
    """The file's rows. Refusals: invalid_input where it is no calendar, too_large."""
    text = read_text(_decoded(data), budget)
    # What was counted so far were events; from here on occurrences are, which are what is kept.
    budget.rows = 0
    zones = Zones(window.zone, text.zones)
    by_uid: dict[str, list[Told]] = defaultdict(list)
    unreadable: dict[str, set[str | None]] = defaultdict(set)
    for block in text.events:
        uid = uid_of(block)
        try:
            by_uid[uid or ""].append(told(block, zones, window.now))
        except RowError as error:
            occurrence = changed_occurrence(block, zones)
            unreadable[uid or ""].add(occurrence)
            yield BadRow(block.number, error.code, error.detail, uid, occurrence, title_of(block))
        budget.spend(0)
    for uid, events in by_uid.items():
        budget.spend(0)
        yield from _outdated(uid, events)
        yield from _series_rows(uid, events, unreadable.get(uid, set()), budget, window)


def _decoded(data: bytes) -> str:
    # Some programs fold in the middle of a character: unfolded, the file is UTF-8 after all.
    for encoding, taken in (("utf-8-sig", data), ("utf-8-sig", _FOLD.sub(b"", data)), ("gb18030", data)):
        try:
            return taken.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise Refusal(RefusalCode.invalid_input, field="file", reason="encoding", known="utf-8,gb18030")


def _outdated(uid: str, events: list[Told]) -> Rows:
    """Takes all but the newest version of an event out of its series; equal versions are somebody's mistake."""
    versions = sorted((one for one in events if not one.is_change), key=lambda one: one.sequence, reverse=True)
    for older in versions[1:]:
        events.remove(older)
        if older.sequence == versions[0].sequence:
            detail = f"another event, at line {versions[0].block.number}, has the same UID"
            yield BadRow(older.block.number, RowCode.duplicate, detail, uid, title=title_of(older.block))


def _series_rows(
    uid: str, events: Sequence[Told], unreadable: set[str | None], budget: Budget, window: Window
) -> Rows:  # fmt: skip
    if not events:
        return
    repeats = bool(unreadable) or any(one.repeats for one in events)
    try:
        for occurrence in _occurrences(events, repeats, window):
            budget.spend()
            given = occurrence_of(occurrence.given) if repeats else ONCE
            if given not in unreadable:
                yield _row(uid, occurrence, given, window.zone)
    except RowError as error:
        first = events[0].block
        yield BadRow(first.number, error.code, error.detail, uid, title=title_of(first))


def _occurrences(events: Sequence[Told], repeats: bool, window: Window) -> Iterator[_Occurrence]:
    """What the series has within the window. What does not repeat stands for itself, so that one that is over or too
    far away is told of.
    """
    try:
        adapters = [_Adapter(one) for one in events]
        yield from _Series(adapters).between(window.now, window.until) if repeats else map(_Occurrence, adapters)
    except (ValueError, TypeError, OverflowError, KeyError, AttributeError, IndexError) as error:
        raise RowError(RowCode.rule_invalid, f"the event's repetition is not readable: {error}"[:200]) from error


def _row(uid: str, occurrence: _Occurrence, given: str, zone: ZoneInfo) -> Row | BadRow:
    event = occurrence.told
    row = Row(
        number=event.block.number,
        uid=uid,
        occurrence=given,
        title=event.text("SUMMARY"),
        starts_at=occurrence.start.astimezone(zone),
        ends_at=occurrence.end.astimezone(zone),
        instructors=instructors(event.block),
        room=event.text("LOCATION") or None,
        cancelled=event.cancelled,
    )
    try:
        return require_lengths(row)
    except RowError as error:
        return BadRow(event.block.number, error.code, error.detail, uid, given, row.title)
