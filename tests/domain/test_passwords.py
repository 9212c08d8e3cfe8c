"""The password policy at its edges, and a lock that opens by itself."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.passwords import (
    LOCK_AFTER_FAILURES,
    LOCK_SECONDS,
    MAX_CHARACTERS,
    MIN_CHARACTERS,
    Attempts,
    after_failure,
    after_success,
    is_locked,
    require_strong,
    require_unlocked,
    weaknesses,
)
from domain.refusals import Refusal

NOW = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    "password", ["Abcdefgh12", "abcdefgh1!", "ABCDEFGH1 ", "讲台lectern2026", "Correct horse battery"]
)
def test_a_strong_one_passes(password: str) -> None:
    assert weaknesses("wang.li", password) == ()
    require_strong("wang.li", password)


@pytest.mark.parametrize(
    ("password", "found"),
    [
        ("Abcdefg12", ("too_short",)),
        ("Ab1!" * 65, ("too_long",)),
        ("abcdefgh12", ("too_few_kinds",)),
        ("ABCDEFGHIJ", ("too_few_kinds",)),
        ("讲台讲台讲台讲台讲台", ("too_few_kinds",)),
        ("Wang.Li.2026", ("is_login",)),
        ("", ("too_short", "too_few_kinds")),
    ],
)
def test_a_weak_one_is_told_why(password: str, found: tuple[str, ...]) -> None:
    assert weaknesses("wang.li.2026", password) == found
    with pytest.raises(Refusal) as no:
        require_strong("wang.li.2026", password)
    assert no.value.code == "password_too_weak"
    assert no.value.facts == {"weaknesses": ",".join(found), "min_characters": 10, "min_kinds": 3}


@pytest.mark.parametrize(
    "password", ["a1!", "z1!", "A1!", "Z1!", "aA0", "aA9", "aA/", "aA:", "aA@", "a1[", "a1`", "A1{"]
)
def test_a_kind_reaches_from_its_first_character_to_its_last_and_not_beyond(password: str) -> None:
    assert weaknesses("wang.li", password) == ("too_short",)
    assert weaknesses("wang.li", password[:2]) == ("too_short", "too_few_kinds")


def test_the_longest_password_is_of_256_characters() -> None:
    assert weaknesses("wang.li", "Ab1!" * 64) == ()
    assert weaknesses("wang.li", "Ab1!" * 64 + "x") == ("too_long",)


def test_a_refusal_never_holds_the_password() -> None:
    with pytest.raises(Refusal) as no:
        require_strong("wang.li", "hunter2hunter2")
    assert "hunter2" not in f"{no.value!r}{no.value}{no.value.facts}"


@given(st.text(max_size=MAX_CHARACTERS + 5), st.text(max_size=20))
def test_any_text_at_all_is_judged_and_none_too_short_or_long_passes(password: str, login: str) -> None:
    if not weaknesses(login, password):
        assert MIN_CHARACTERS <= len(password) <= MAX_CHARACTERS
        assert password != login


def test_the_fifth_failure_locks_for_a_quarter_of_an_hour() -> None:
    attempts = Attempts(0, None)
    for _ in range(4):
        attempts = after_failure(attempts.failed_attempts, NOW)
        assert attempts.locked_until is None
    attempts = after_failure(attempts.failed_attempts, NOW)
    assert attempts == Attempts(5, NOW + timedelta(minutes=15))


def test_it_opens_by_itself_and_gives_five_tries_again() -> None:
    until = NOW + timedelta(seconds=LOCK_SECONDS)
    assert is_locked(until, until - timedelta(microseconds=1))
    assert not is_locked(until, until)
    assert not is_locked(None, NOW)
    failed, locks = 5, []
    for _ in range(2 * LOCK_AFTER_FAILURES):
        attempts = after_failure(failed, until)
        failed = attempts.failed_attempts
        locks.append(attempts.locked_until is not None)
    assert locks == [False, False, False, False, True] * 2


def test_the_right_password_forgets_the_wrong_ones() -> None:
    assert after_success() == Attempts(0, None)


@pytest.mark.parametrize(
    ("left", "said"), [(timedelta(minutes=15), 900), (timedelta(microseconds=1), 1), (timedelta(seconds=2.5), 3)]
)
def test_while_locked_the_refusal_says_how_long_rounded_up(left: timedelta, said: int) -> None:
    with pytest.raises(Refusal) as no:
        require_unlocked(NOW + left, NOW)
    assert no.value.code == "account_locked"
    assert no.value.facts["retry_after_seconds"] == said
    require_unlocked(NOW, NOW)
    require_unlocked(None, NOW)
