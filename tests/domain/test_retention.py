"""Six calendar months and what stops them. The calendar is checked against python-dateutil, an outside judge."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from dateutil.relativedelta import relativedelta
from hypothesis import given
from hypothesis import strategies as st

from domain.refusals import Refusal
from domain.retention import (
    DEFAULT_CLASSES,
    Due,
    Holding,
    Keep,
    KeepReason,
    RetentionClass,
    add_months,
    expires_at,
    notices_due,
    purge_may_begin,
    require_confirmed,
    require_holdable,
    require_promotable,
    require_purgeable,
    verdict,
    verdict_on,
)
from domain.states import RecordingState

SHANGHAI = ZoneInfo("Asia/Shanghai")
ORDINARY = RetentionClass("ordinary_teaching", "日常课堂教学", "Ordinary teaching", 6)
FOR_GOOD = RetentionClass("kept", "长期保存", "Kept", None)
EXPIRY = datetime(2026, 9, 2, 1, 0, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
S = RecordingState


def _shanghai(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=SHANGHAI)  # type: ignore[misc,arg-type]


@pytest.mark.parametrize(
    ("ended", "expires"),
    [
        (_shanghai(2026, 3, 2, 9, 45), _shanghai(2026, 9, 2, 9, 45)),
        (_shanghai(2025, 8, 31, 17, 0), _shanghai(2026, 2, 28, 17, 0)),
        (_shanghai(2023, 8, 31, 17, 0), _shanghai(2024, 2, 29, 17, 0)),
        (_shanghai(2025, 8, 29, 17, 0), _shanghai(2026, 2, 28, 17, 0)),
        (_shanghai(2026, 2, 28, 17, 0), _shanghai(2026, 8, 28, 17, 0)),  # a month's last day is a day, not an end
        (_shanghai(2025, 12, 31, 23, 59, 59), _shanghai(2026, 6, 30, 23, 59, 59)),
        # Half past midnight in Shanghai is still the month before in UTC: the zone decides which month is counted from.
        (_shanghai(2026, 3, 1, 0, 30), _shanghai(2026, 9, 1, 0, 30)),
    ],
    ids=str,
)
def test_six_calendar_months_in_the_institutes_zone(ended: datetime, expires: datetime) -> None:
    assert expires_at(ORDINARY, ended) == expires
    assert expires_at(ORDINARY, ended.astimezone(UTC)) == expires


def test_what_is_kept_for_good_has_no_expiry() -> None:
    assert expires_at(FOR_GOOD, EXPIRY) is None


def test_another_zone_counts_its_own_months() -> None:
    ended = datetime(2026, 3, 1, 0, 30, tzinfo=SHANGHAI)  # 28 February, 16:30 in UTC
    assert expires_at(ORDINARY, ended, "UTC") == datetime(2026, 8, 28, 16, 30, tzinfo=UTC)


def test_an_end_without_a_zone_is_our_own_fault() -> None:
    with pytest.raises(ValueError, match="zone"):
        expires_at(ORDINARY, datetime(2026, 1, 1))  # noqa: DTZ001 - the fault under test


instants = st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001
months = st.integers(0, 240)


@given(instants, months)
def test_the_calendar_agrees_with_dateutil(ended: datetime, count: int) -> None:
    local = ended.astimezone(SHANGHAI)
    assert add_months(ended, count).astimezone(SHANGHAI) == local + relativedelta(months=count)


@given(instants, months)
def test_the_day_and_the_time_of_day_stay_or_the_month_has_no_such_day(ended: datetime, count: int) -> None:
    before, after = ended.astimezone(SHANGHAI), add_months(ended, count).astimezone(SHANGHAI)
    assert after.time() == before.time()
    assert (after.year - before.year) * 12 + after.month - before.month == count
    assert after.day == before.day or (after.day < before.day and (after + timedelta(days=1)).day == 1)


@given(instants, instants, months)
def test_what_ended_later_never_expires_earlier(one: datetime, other: datetime, count: int) -> None:
    earlier, later = sorted((one, other))
    assert add_months(earlier, count) <= add_months(later, count)


@given(instants, st.integers(0, 24), st.sampled_from(["Europe/Berlin", "America/New_York", "Asia/Shanghai"]))
def test_more_months_are_never_less_time_even_over_a_changed_clock(ended: datetime, count: int, zone: str) -> None:
    assert add_months(ended, count, zone) < add_months(ended, count + 1, zone)


@pytest.mark.parametrize(
    ("state", "holds", "promoted", "reason"),
    [
        (S.capturing, 0, False, KeepReason.capturing),
        (S.stored, 1, False, KeepReason.on_hold),
        (S.marked, 2, False, KeepReason.on_hold),
        (S.stored, 0, True, KeepReason.promoted),
        (S.marked, 0, True, KeepReason.promoted),
        (S.promoted, 0, False, KeepReason.promoted),
        (S.promoted, 3, True, KeepReason.promoted),
        (S.purged, 0, False, KeepReason.already_purged),
    ],
)
def test_what_stops_the_clock_stops_it_however_late_it_is(
    state: RecordingState, holds: int, promoted: bool, reason: KeepReason
) -> None:
    late = EXPIRY + timedelta(days=1000)
    assert verdict(state, EXPIRY, holds, promoted, late) == Keep(reason)
    assert verdict(state, EXPIRY, holds, promoted, late, ordered=True) == Keep(reason)


def test_its_time_is_up_at_the_instant_and_not_before() -> None:
    for state in (S.stored, S.marked):
        assert verdict(state, EXPIRY, 0, False, EXPIRY - MICROSECOND) == Keep(KeepReason.not_expired)
        assert verdict(state, EXPIRY, 0, False, EXPIRY) == Due(EXPIRY)
        assert verdict(state, None, 0, False, EXPIRY) == Keep(KeepReason.kept_for_good)


def test_nobody_ordered_it_unless_that_is_said() -> None:
    assert verdict_on(Holding(S.marked, EXPIRY), EXPIRY - MICROSECOND) == Keep(KeepReason.not_expired)


def test_a_person_may_order_what_the_clock_does_not_yet() -> None:
    early = EXPIRY - timedelta(days=90)
    assert verdict(S.marked, EXPIRY, 0, False, early, ordered=True) == Due(early)
    assert verdict(S.marked, None, 0, False, early, ordered=True) == Due(early)
    assert verdict(S.marked, EXPIRY, 0, False, EXPIRY + timedelta(days=1), ordered=True) == Due(EXPIRY)


def test_what_is_half_gone_goes_whole() -> None:
    assert verdict(S.purging, EXPIRY, 1, True, EXPIRY) == Due(EXPIRY)
    assert verdict(S.purging, None, 0, False, EXPIRY) == Due(EXPIRY)


@given(st.sampled_from(S), st.none() | instants, st.integers(0, 2), st.booleans(), instants, st.booleans())
def test_nothing_unpromoted_unheld_or_unexpired_is_due(
    state: RecordingState,
    expiry: datetime | None,
    holds: int,
    promoted: bool,
    now: datetime,
    ordered: bool,
) -> None:
    holding = Holding(state, expiry, holds, promoted, ordered)
    due = isinstance(verdict_on(holding, now), Due)
    stopped = holds > 0 or promoted or state in {S.promoted, S.capturing, S.purged}
    expired = ordered or (expiry is not None and expiry <= now)
    assert due == (state == S.purging or (expired and not stopped))


def test_one_notice_at_each_of_its_days() -> None:
    at = [EXPIRY - timedelta(days=days) for days in (30, 7, 1)]
    assert notices_due(ORDINARY, EXPIRY, (), at[0] - MICROSECOND) == ()
    assert notices_due(ORDINARY, EXPIRY, (), at[0]) == (30,)
    assert notices_due(ORDINARY, EXPIRY, (30,), at[1] - MICROSECOND) == ()
    assert notices_due(ORDINARY, EXPIRY, (30,), at[1]) == (7,)
    assert notices_due(ORDINARY, EXPIRY, (30, 7), at[2]) == (1,)
    assert notices_due(ORDINARY, EXPIRY, (30, 7, 1), at[2]) == ()


def test_after_an_outage_a_person_is_told_once_with_the_days_that_are_left() -> None:
    week_before = EXPIRY - timedelta(days=6)
    assert notices_due(ORDINARY, EXPIRY, (), week_before) == (7,)
    assert notices_due(ORDINARY, EXPIRY, (7,), week_before) == ()


def test_nobody_is_told_of_what_is_over_or_never_ends() -> None:
    assert notices_due(ORDINARY, EXPIRY, (), EXPIRY) == ()
    assert notices_due(FOR_GOOD, None, (), EXPIRY) == ()


def test_a_class_names_its_own_notice_days() -> None:
    short = RetentionClass("rehearsal", "彩排", "Rehearsal", 1, notice_days=(3,))
    assert notices_due(short, EXPIRY, (), EXPIRY - timedelta(days=4)) == ()
    assert notices_due(short, EXPIRY, (), EXPIRY - timedelta(days=2)) == (3,)


def test_the_trash_keeps_a_recording_for_its_grace_time() -> None:
    assert not purge_may_begin(EXPIRY, 60, EXPIRY + timedelta(seconds=59))
    assert purge_may_begin(EXPIRY, 60, EXPIRY + timedelta(seconds=60))


def _no(rule: str, holding: Holding) -> str:
    with pytest.raises(Refusal) as no:
        {"promote": require_promotable, "purge": require_purgeable}[rule](holding)
    return no.value.code


@pytest.mark.parametrize(
    ("holding", "promotion", "purge"),
    [
        (Holding(S.capturing, None), "move_not_allowed", "move_not_allowed"),
        (Holding(S.marked, EXPIRY), "move_not_allowed", None),
        (Holding(S.purging, EXPIRY), "already_purged", "already_purged"),
        (Holding(S.purged, EXPIRY), "already_purged", "already_purged"),
        (Holding(S.promoted, EXPIRY), "already_promoted", "already_promoted"),
        (Holding(S.stored, EXPIRY, promoted=True), "already_promoted", "already_promoted"),
        (Holding(S.stored, EXPIRY, holds=1), None, "on_hold"),
        (Holding(S.stored, EXPIRY), None, None),
    ],
    ids=lambda value: str(value.state) if isinstance(value, Holding) else None,
)
def test_what_may_become_a_course_and_what_may_be_purged_now(
    holding: Holding, promotion: str | None, purge: str | None
) -> None:
    if promotion is None:
        require_promotable(holding)
    else:
        assert _no("promote", holding) == promotion
    if purge is None:
        require_purgeable(holding)
    else:
        assert _no("purge", holding) == purge


def test_a_hold_comes_in_time_or_not_at_all() -> None:
    for state in (S.capturing, S.stored, S.marked, S.promoted):
        require_holdable(state)
    for state in (S.purging, S.purged):
        with pytest.raises(Refusal, match="already_purged"):
            require_holdable(state)


def test_who_purges_now_types_the_title() -> None:
    require_confirmed("第三课 导数", " 第三课 导数 ")
    with pytest.raises(Refusal, match="confirmation_mismatch"):
        require_confirmed("第三课 导数", "第三课")


def test_an_installation_begins_with_ordinary_teaching_kept_for_six_months() -> None:
    slugs = [each.slug for each in DEFAULT_CLASSES]
    assert len(slugs) == len(set(slugs))
    ordinary = DEFAULT_CLASSES[slugs.index("ordinary_teaching")]
    assert (ordinary.months, ordinary.notice_days) == (6, (30, 7, 1))
