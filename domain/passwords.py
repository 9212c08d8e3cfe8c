"""What a password must be, and when too many wrong ones lock an account.

Rule of this file (article 20, classified protection level 3): at least ten characters of three kinds, never the login
itself; five failures in a row lock an account for a quarter of an hour. Hashing is not here: it costs time by design.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from domain.refusals import Refusal, RefusalCode

MIN_CHARACTERS = 10
# Longer ones would only make the hash a way to keep the server busy.
MAX_CHARACTERS = 256
MIN_KINDS = 3
LOCK_AFTER_FAILURES = 5
LOCK_SECONDS = 15 * 60


@dataclass(frozen=True)
class Attempts:
    """An account's failures in a row, and until when it is locked by them."""

    failed_attempts: int
    locked_until: datetime | None


def weaknesses(login: str, password: str) -> tuple[str, ...]:
    """What is wrong with the password, by stable words: too_short, too_long, too_few_kinds, is_login."""
    found = {
        "too_short": len(password) < MIN_CHARACTERS,
        "too_long": len(password) > MAX_CHARACTERS,
        "too_few_kinds": _kinds(password) < MIN_KINDS,
        "is_login": password.casefold() == login.casefold(),
    }
    return tuple(word for word, wrong in found.items() if wrong)


def require_strong(login: str, password: str) -> None:
    """Refusal("password_too_weak", weaknesses=…) for a password that the policy does not take."""
    if found := weaknesses(login, password):
        raise Refusal(
            RefusalCode.password_too_weak,
            weaknesses=",".join(found),
            min_characters=MIN_CHARACTERS,
            min_kinds=MIN_KINDS,
        )


def is_locked(locked_until: datetime | None, now: datetime) -> bool:
    """Whether sign-in is refused at present, whatever the password."""
    return locked_until is not None and now < locked_until


def require_unlocked(locked_until: datetime | None, now: datetime) -> None:
    """Refusal("account_locked", retry_after_seconds=…) while the account is locked."""
    if locked_until is not None and now < locked_until:
        left = (locked_until - now) / timedelta(seconds=1)
        raise Refusal(RefusalCode.account_locked, locked_until=locked_until, retry_after_seconds=int(-(-left // 1)))


def after_failure(failed_attempts: int, now: datetime) -> Attempts:
    """What a wrong password leaves: every fifth in a row locks, so that each lock gives five tries and no more."""
    failed = failed_attempts + 1
    locks = failed % LOCK_AFTER_FAILURES == 0
    return Attempts(failed, now + timedelta(seconds=LOCK_SECONDS) if locks else None)


def after_success() -> Attempts:
    """What the right password leaves."""
    return Attempts(0, None)


def _kinds(password: str) -> int:
    """How many of the four kinds it has: small letters, capitals, digits, and all else (among it 汉字 and spaces)."""
    small = any("a" <= each <= "z" for each in password)
    capital = any("A" <= each <= "Z" for each in password)
    digit = any("0" <= each <= "9" for each in password)
    other = any(not (each.isascii() and each.isalnum()) for each in password)
    return small + capital + digit + other
