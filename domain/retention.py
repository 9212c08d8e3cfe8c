"""How long a recording is kept, and what may end it.

Rule of this file (article 16, mission R15): a class names calendar months, counted in the institute's zone from the
session's end: the same day of the month and time of day, or the month's last day where it has no such day. A hold or a
promotion stops the clock whatever it says. Nothing here deletes: `Due` is what the sweep acts on, under the row's lock.
"""

import calendar
from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from domain.refusals import Refusal, RefusalCode
from domain.states import RecordingState

INSTITUTE_ZONE = "Asia/Shanghai"
NOTICE_DAYS = (30, 7, 1)


@dataclass(frozen=True)
class RetentionClass:
    """A rule that says how long recordings are kept; `months` is None for those kept for good."""

    slug: str
    name_zh: str
    name_en: str
    months: int | None
    notice_days: tuple[int, ...] = NOTICE_DAYS


# What an installation begins with; the catalogue's rows are what counts from then on.
DEFAULT_CLASSES = (
    RetentionClass("ordinary_teaching", "日常课堂教学", "Ordinary teaching", 6),
    RetentionClass("major_event", "大型活动", "Major event", 24),
    RetentionClass("rehearsal", "彩排", "Rehearsal", 1),
    RetentionClass("kept", "长期保存", "Kept for good", None),
)


class KeepReason(StrEnum):
    """Why a recording is not purged now."""

    capturing = "capturing"
    promoted = "promoted"
    on_hold = "on_hold"
    kept_for_good = "kept_for_good"
    not_expired = "not_expired"
    already_purged = "already_purged"


@dataclass(frozen=True)
class Keep:
    """The recording stays, and why."""

    reason: KeepReason


@dataclass(frozen=True)
class Due:
    """The recording's time was up at `since`."""

    since: datetime


@dataclass(frozen=True)
class Holding:
    """What the rules need to know of one recording. `holds` counts those that stand; `ordered`: a person purges it."""

    state: RecordingState
    expires_at: datetime | None
    holds: int = 0
    promoted: bool = False
    ordered: bool = False


def add_months(instant: datetime, months: int, zone: str = INSTITUTE_ZONE) -> datetime:
    """`months` calendar months later on that zone's wall clock, the day clamped to the month's last; in UTC."""
    local = instant.astimezone(ZoneInfo(zone))
    year, month = divmod(local.year * 12 + local.month - 1 + months, 12)
    day = min(local.day, calendar.monthrange(year, month + 1)[1])
    return local.replace(year=year, month=month + 1, day=day).astimezone(UTC)


def expires_at(class_: RetentionClass, ended_at: datetime, zone: str = INSTITUTE_ZONE) -> datetime | None:
    """When a recording of this class, whose session ended then, has been kept long enough; None: kept for good."""
    if ended_at.tzinfo is None:
        raise ValueError("the end of a session carries its zone")
    return None if class_.months is None else add_months(ended_at, class_.months, zone)


def verdict(
    state: RecordingState,
    expires_at: datetime | None,
    holds: int,
    promoted: bool,
    now: datetime,
    *,
    ordered: bool = False,
) -> Keep | Due:
    """Whether a recording's time is up now.

    `promoted` says that a course is made of it, whatever its state says; `ordered`, that a person had it marked before
    its time. Once its objects are going (`purging`) nothing keeps it: half a recording is nobody's.
    """
    over_since = expires_at if expires_at is not None and now >= expires_at else None
    if state == RecordingState.purged:
        return Keep(KeepReason.already_purged)
    if state == RecordingState.capturing:
        return Keep(KeepReason.capturing)
    if state == RecordingState.purging:
        return Due(over_since or now)
    if promoted or state == RecordingState.promoted:
        return Keep(KeepReason.promoted)
    if holds > 0:
        return Keep(KeepReason.on_hold)
    if over_since is not None or ordered:
        return Due(over_since or now)
    return Keep(KeepReason.kept_for_good if expires_at is None else KeepReason.not_expired)


def verdict_on(holding: Holding, now: datetime) -> Keep | Due:
    """`verdict` of gathered facts."""
    return verdict(holding.state, holding.expires_at, holding.holds, holding.promoted, now, ordered=holding.ordered)


def notices_due(
    class_: RetentionClass, expires_at: datetime | None, sent: Collection[int], now: datetime
) -> tuple[int, ...]:
    """Which notice (by its days before expiry) is to be sent now: the nearest one reached, if it was not sent.

    At most one: after an outage that passed over two of them, a person is told once, with the days that are left.
    """
    if expires_at is None or now >= expires_at:
        return ()
    reached = [days for days in class_.notice_days if now >= expires_at - timedelta(days=days)]
    return (min(reached),) if reached and min(reached) not in sent else ()


def purge_may_begin(marked_at: datetime, grace_seconds: float, now: datetime) -> bool:
    """Whether a marked recording has lain in the trash for its grace time."""
    return now >= marked_at + timedelta(seconds=grace_seconds)


def require_promotable(holding: Holding) -> None:
    """Refusal unless this recording can become a course: already_promoted, already_purged, move_not_allowed."""
    if holding.promoted or holding.state == RecordingState.promoted:
        raise Refusal(RefusalCode.already_promoted)
    if holding.state in (RecordingState.purging, RecordingState.purged):
        raise Refusal(RefusalCode.already_purged)
    if holding.state != RecordingState.stored:
        raise Refusal(RefusalCode.move_not_allowed, machine="recording", state=holding.state, move="promote")


def require_purgeable(holding: Holding) -> None:
    """Refusal unless a person may purge this recording before its time: on_hold, already_promoted, already_purged,
    move_not_allowed (still capturing). Its expiry does not matter: that is what purging now means.
    """
    if holding.promoted or holding.state == RecordingState.promoted:
        raise Refusal(RefusalCode.already_promoted)
    if holding.state in (RecordingState.purging, RecordingState.purged):
        raise Refusal(RefusalCode.already_purged)
    if holding.holds > 0:
        raise Refusal(RefusalCode.on_hold, holds=holding.holds)
    if holding.state == RecordingState.capturing:
        raise Refusal(RefusalCode.move_not_allowed, machine="recording", state=holding.state, move="mark")


def require_holdable(state: RecordingState) -> None:
    """Refusal("already_purged") for a hold on what is going or gone."""
    if state in (RecordingState.purging, RecordingState.purged):
        raise Refusal(RefusalCode.already_purged)


def require_confirmed(title: str, confirm_title: str) -> None:
    """Refusal("confirmation_mismatch") unless the person typed the recording's own title."""
    if confirm_title.strip() != title.strip():
        raise Refusal(RefusalCode.confirmation_mismatch)
