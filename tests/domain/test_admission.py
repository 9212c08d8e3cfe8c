"""Every reason for which a publish is refused, each at the instant it begins and ends, and in the order they count."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.admission import (
    Admission,
    AdmissionLimits,
    Credential,
    NodeLoad,
    Publisher,
    SessionFacts,
    admit,
    require_department_room,
)
from domain.kinds import SessionKind, Slot
from domain.refusals import Refusal
from domain.states import SessionState

START = datetime(2026, 3, 2, 0, 0, tzinfo=UTC)
END = START + timedelta(hours=1)
SESSION = UUID(int=1)
LIMITS = AdmissionLimits()
IDLE = NodeLoad()
KEY = Credential(SESSION, Slot.main, START - timedelta(days=1), END + timedelta(days=1))
CLASS = SessionFacts(SessionState.scheduled, SessionKind.daily, False, START, END)
SECOND = timedelta(seconds=1)


def _no(
    credential: Credential | None = KEY,
    session: SessionFacts | None = CLASS,
    current: Publisher | None = None,
    *,
    now: datetime = START,
    limits: AdmissionLimits = LIMITS,
    load: NodeLoad = IDLE,
    session_id: UUID | None = None,
) -> Refusal:
    with pytest.raises(Refusal) as no:
        admit(credential, session, current, now=now, limits=limits, load=load, session_id=session_id)
    return no.value


def test_the_instructor_of_a_daily_class_goes_live_with_no_further_step() -> None:
    assert admit(KEY, CLASS, None, now=START, limits=LIMITS) == Admission(takes_over=False)


@pytest.mark.parametrize("state", [SessionState.scheduled, SessionState.live, SessionState.cut])
def test_an_encoder_that_dropped_comes_back_while_the_session_goes_on(state: SessionState) -> None:
    assert admit(KEY, replace(CLASS, state=state), Publisher(active=False), now=END, limits=LIMITS).takes_over is False


def test_a_key_nobody_knows() -> None:
    assert _no(credential=None).code == "unknown_key"
    assert _no(session=None).code == "unknown_key"


def test_a_key_of_another_session_is_as_unknown_as_a_wrong_one_and_tells_as_little() -> None:
    refusal = _no(session_id=UUID(int=2))
    assert (refusal.code, refusal.facts) == ("unknown_key", {})
    assert admit(KEY, CLASS, None, now=START, limits=LIMITS, session_id=SESSION)


def test_a_revoked_key_counts_until_the_instant_of_its_revocation() -> None:
    revoked = replace(KEY, revoked_at=START)
    assert admit(revoked, CLASS, None, now=START - SECOND, limits=LIMITS)
    assert _no(revoked).code == "key_revoked"


def test_a_key_before_and_after_its_own_window() -> None:
    key = replace(KEY, not_before=START, not_after=END)
    early = _no(key, now=START - SECOND)
    assert (early.code, early.facts["opens_at"]) == ("outside_window", "2026-03-02T00:00:00Z")
    assert admit(key, CLASS, None, now=START, limits=LIMITS)
    assert admit(key, CLASS, None, now=END - SECOND, limits=LIMITS)
    assert _no(key, now=END).code == "key_expired"


def test_the_session_opens_a_quarter_hour_early_and_closes_half_an_hour_late() -> None:
    opens, closes = START - timedelta(minutes=15), END + timedelta(minutes=30)
    assert admit(KEY, CLASS, None, now=opens, limits=LIMITS)
    assert admit(KEY, CLASS, None, now=closes - SECOND, limits=LIMITS)
    for outside in (opens - SECOND, closes):
        refusal = _no(now=outside)
        assert refusal.code == "outside_window"
        assert refusal.facts == {"opens_at": "2026-03-01T23:45:00Z", "closes_at": "2026-03-02T01:30:00Z"}


def test_a_rehearsal_may_be_held_the_day_before_within_its_keys_window() -> None:
    rehearsal = replace(KEY, slot=Slot.rehearsal)
    assert admit(rehearsal, CLASS, None, now=START - timedelta(hours=20), limits=LIMITS)
    assert _no(rehearsal, now=START - timedelta(hours=25)).code == "outside_window"


@pytest.mark.parametrize(
    ("state", "code"),
    [
        (SessionState.cancelled, "session_cancelled"),
        (SessionState.ended, "session_over"),
        (SessionState.draft, "session_not_scheduled"),
    ],
)
def test_a_daily_session_that_is_not_to_be_taught(state: SessionState, code: str) -> None:
    assert _no(session=replace(CLASS, state=state)).code == code


@pytest.mark.parametrize("state", [SessionState.draft, SessionState.filed, SessionState.scheduled, SessionState.live])
@pytest.mark.parametrize("slot", Slot)
def test_no_credential_of_a_major_event_works_before_its_filing_is_approved(state: SessionState, slot: Slot) -> None:
    event = replace(CLASS, kind=SessionKind.major, state=state)
    assert _no(replace(KEY, slot=slot), event).code == "filing_missing"


def test_an_approved_event_waits_for_its_place_in_the_schedule() -> None:
    event = replace(CLASS, kind=SessionKind.major, state=SessionState.approved, filing_approved=True)
    assert _no(session=event).code == "session_not_scheduled"
    assert admit(KEY, replace(event, state=SessionState.scheduled), None, now=START, limits=LIMITS)


def test_a_second_publisher_is_refused_until_the_first_has_been_silent_for_three_seconds() -> None:
    for silence in (timedelta(0), timedelta(seconds=2.999), timedelta(seconds=-5)):
        refusal = _no(current=Publisher(active=True, last_media_at=START - silence))
        assert (refusal.code, refusal.facts) == ("key_in_use", {"dead_after_seconds": 3})
    dead = Publisher(active=True, last_media_at=START - timedelta(seconds=3))
    assert admit(KEY, CLASS, dead, now=START, limits=LIMITS) == Admission(takes_over=True)


def test_a_connection_that_never_sent_media_is_judged_by_its_beginning() -> None:
    assert _no(current=Publisher(active=True, since=START - SECOND)).code == "key_in_use"
    assert _no(current=Publisher(active=True)).code == "key_in_use"
    silent = Publisher(active=True, since=START - timedelta(seconds=3))
    assert admit(KEY, CLASS, silent, now=START, limits=LIMITS).takes_over


def test_a_full_node_takes_no_more_but_lets_an_encoder_replace_its_own_dead_connection() -> None:
    limits = replace(LIMITS, max_publishers=8)
    full = NodeLoad(publishers=8)
    refusal = _no(limits=limits, load=full)
    assert (refusal.code, refusal.facts) == ("node_full", {"max_publishers": 8})
    dead = Publisher(active=True, last_media_at=START - timedelta(seconds=9))
    assert admit(KEY, CLASS, dead, now=START, limits=limits, load=full).takes_over
    assert admit(KEY, CLASS, None, now=START, limits=limits, load=NodeLoad(publishers=7))


def test_a_department_has_as_many_on_the_air_as_it_may() -> None:
    limits = replace(LIMITS, max_department_publishers=2)
    with pytest.raises(Refusal) as caught:
        require_department_room(2, None, limits)
    assert (caught.value.code, caught.value.facts) == ("department_full", {"max_publishers": 2, "publishers": 2})
    require_department_room(1, None, limits)
    require_department_room(10_000, None, LIMITS)


def test_a_departments_own_limit_comes_before_the_houses() -> None:
    limits = replace(LIMITS, max_department_publishers=2)
    require_department_room(4, 5, limits)
    for own, has in ((5, 5), (1, 1), (0, 0)):
        with pytest.raises(Refusal, match="department_full"):
            require_department_room(has, own, limits)
    with pytest.raises(Refusal, match="department_full"):
        require_department_room(1, 1, LIMITS)


def test_a_disk_nearly_full_takes_nobody_in() -> None:
    limits = replace(LIMITS, min_free_bytes=1000)
    assert _no(limits=limits, load=NodeLoad(free_bytes=999)).code == "disk_full"
    assert admit(KEY, CLASS, None, now=START, limits=limits, load=NodeLoad(free_bytes=1000))
    assert admit(KEY, CLASS, None, now=START, limits=limits, load=NodeLoad(free_bytes=None))


def test_a_disk_nearly_full_ends_no_class_that_has_begun() -> None:
    """Its encoder comes back: what it sends is shown, if not recorded."""
    limits = replace(LIMITS, min_free_bytes=1000)
    for state in (SessionState.live, SessionState.cut):
        begun = replace(CLASS, state=state)
        assert admit(KEY, begun, None, now=START, limits=limits, load=NodeLoad(free_bytes=0))


def test_a_wrong_key_is_told_so_on_a_full_node_and_a_stale_one_before_the_session_is_spoken_of() -> None:
    full = {"limits": replace(LIMITS, max_publishers=0), "load": NodeLoad(publishers=1)}
    assert _no(None, **full).code == "unknown_key"  # type: ignore[arg-type]
    cancelled = replace(CLASS, state=SessionState.cancelled)
    assert _no(replace(KEY, revoked_at=START), cancelled).code == "key_revoked"
    assert _no(replace(KEY, not_after=START), cancelled).code == "key_expired"


instants = st.integers(-200_000, 200_000).map(lambda seconds: START + timedelta(seconds=seconds))


@given(now=instants, not_before=instants, not_after=instants, state=st.sampled_from(SessionState))
def test_whoever_is_admitted_holds_a_valid_key_within_an_open_session(
    now: datetime, not_before: datetime, not_after: datetime, state: SessionState
) -> None:
    key = replace(KEY, not_before=not_before, not_after=not_after)
    try:
        admit(key, replace(CLASS, state=state), None, now=now, limits=LIMITS)
    except Refusal:
        admitted = False
    else:
        admitted = True
    expected = (
        not_before <= now < not_after
        and START - timedelta(seconds=900) <= now < END + timedelta(seconds=1800)
        and state in {"scheduled", "live", "cut"}
    )
    assert admitted == expected
