"""Which recurrence rules (RFC 5545 §3.3.10) an import will write out.

A class repeats by days, weeks, months or years; a rule for hours or minutes is a mistake or an attack, and one that can
never come true would be looked for until the year 9999. Both are told by their row, before anything is counted out.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from math import prod
from typing import Any

from teaching.rows import RowCode, RowError

FREQUENCIES = frozenset({"DAILY", "WEEKLY", "MONTHLY", "YEARLY"})
MOST_A_DAY = 24
MOST_RULES = 4
"""RFC 5545 asks for one; some calendars write a second."""
MOST_YEARS_BACK = 5
"""A rule is counted out from its start, so that one of a century ago costs a century."""
LONGEST_MONTHS = {1: 31, 2: 29, 3: 31, 4: 30, 5: 31, 6: 30, 7: 31, 8: 31, 9: 30, 10: 31, 11: 30, 12: 31}
ONLY_YEARLY = ("BYWEEKNO", "BYYEARDAY")
MOST_PLACES = 31
"""BYSETPOS counts within a week, a month or a year of classes."""

Rule = Mapping[str, Sequence[Any]]


def require_countable(rules: Sequence[Rule], starts_at: datetime, now: datetime) -> None:
    """RowError for rules that repeat too often, that cannot come true, or that began too long ago."""
    if len(rules) > MOST_RULES:
        raise RowError(RowCode.rule_invalid, f"more than {MOST_RULES} rules for one event")
    if rules and starts_at < now - timedelta(days=366 * MOST_YEARS_BACK):
        raise RowError(RowCode.rule_invalid, f"it repeats since more than {MOST_YEARS_BACK} years")
    for rule in rules:
        _require_one(rule)


def _require_one(rule: Rule) -> None:
    frequency = str(next(iter(rule.get("FREQ", ())), "")).upper()
    if not frequency:
        raise RowError(RowCode.rule_invalid, "the rule names no frequency")
    if frequency not in FREQUENCIES:
        raise RowError(RowCode.rule_too_frequent, f"{frequency} is no frequency of classes")
    times = prod(max(1, len(rule.get(part, ()))) for part in ("BYHOUR", "BYMINUTE", "BYSECOND"))
    if times > MOST_A_DAY:
        raise RowError(RowCode.rule_too_frequent, f"it repeats {times} times a day")
    if frequency != "YEARLY" and any(part in rule for part in ONLY_YEARLY):
        raise RowError(RowCode.rule_invalid, f"{' and '.join(ONLY_YEARLY)} go with YEARLY alone")
    if any(abs(int(place)) > MOST_PLACES for place in rule.get("BYSETPOS", ())):
        raise RowError(RowCode.rule_invalid, f"BYSETPOS is over {MOST_PLACES}")
    days = [abs(int(day)) for day in rule.get("BYMONTHDAY", ())]
    months = [int(month) for month in rule.get("BYMONTH", ())] or list(LONGEST_MONTHS)
    if days and min(days) > max(LONGEST_MONTHS.get(month, 0) for month in months):
        raise RowError(RowCode.rule_invalid, "none of its months has such a day")
