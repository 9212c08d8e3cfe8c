"""Tokens checked without I/O: once, then remembered, and never beyond their time."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from domain.playback_token import PlaybackClaim, PlaybackKind, sign
from domain.refusals import Refusal
from ingest.hls.viewers import PRESENT_SECONDS, Viewers

START = datetime(2026, 1, 5, 8, tzinfo=UTC)
SECRET = b"s" * 32


class Clock:
    seconds = 0.0

    def wall(self) -> datetime:
        return START + timedelta(seconds=self.seconds)

    def monotonic(self) -> float:
        return self.seconds


def claim(seconds: float = 60) -> PlaybackClaim:
    return PlaybackClaim("live", uuid4(), uuid4(), uuid4(), START + timedelta(seconds=seconds))


def test_a_remembered_token_expires_all_the_same() -> None:
    clock, made = Clock(), claim(60)
    viewers, token = Viewers(SECRET, wall=clock.wall, clock=clock.monotonic), sign(SECRET, made)
    assert viewers.admit(token, made.item_id) == made
    clock.seconds = 59.0
    assert viewers.admit(token, made.item_id) == made
    clock.seconds = 60.0
    with pytest.raises(Refusal, match="token_expired"):
        viewers.admit(token, made.item_id)


def test_a_remembered_token_is_of_its_session_alone() -> None:
    clock, made = Clock(), claim()
    viewers, token = Viewers(SECRET, wall=clock.wall, clock=clock.monotonic), sign(SECRET, made)
    viewers.admit(token, made.item_id)
    with pytest.raises(Refusal, match="token_invalid"):
        viewers.admit(token, uuid4())


def test_revocations_are_kept_as_long_as_tokens_may_live() -> None:
    clock, made = Clock(), claim()
    viewers = Viewers(SECRET, wall=clock.wall, clock=clock.monotonic)
    viewers.revoke([made.sign_in_id])
    clock.seconds = 3600.0
    viewers.forget(revoked_seconds=3600.0, sessions=[])
    assert viewers.is_revoked(made)
    clock.seconds = 3601.0
    viewers.forget(revoked_seconds=3600.0, sessions=[])
    assert not viewers.is_revoked(made)


def test_who_controls_is_let_in_and_not_counted() -> None:
    clock, one = Clock(), claim()
    monitor, preview = (replace(one, kind=kind, sign_in_id=uuid4()) for kind in ("monitor", "preview"))
    viewers = Viewers(SECRET, wall=clock.wall, clock=clock.monotonic)
    viewers.saw(viewers.admit(sign(SECRET, monitor), one.item_id))
    viewers.saw(viewers.admit_ahead(sign(SECRET, preview), one.item_id))
    assert viewers.watching(one.item_id) == 0
    viewers.saw(viewers.admit(sign(SECRET, one), one.item_id))
    assert viewers.watching(one.item_id) == 1
    viewers.revoke([monitor.sign_in_id])
    assert viewers.is_revoked(monitor)


def test_only_a_preview_is_let_in_ahead_and_it_is_let_in_nowhere_else() -> None:
    clock, one = Clock(), claim()
    viewers = Viewers(SECRET, wall=clock.wall, clock=clock.monotonic)
    elsewhere: tuple[PlaybackKind, ...] = ("live", "monitor", "replay", "evidence")
    for kind in elsewhere:
        with pytest.raises(Refusal, match="token_invalid"):
            viewers.admit_ahead(sign(SECRET, replace(one, kind=kind)), one.item_id)
    shut: tuple[PlaybackKind, ...] = ("preview", "replay", "evidence")
    for kind in shut:
        with pytest.raises(Refusal, match="token_invalid"):
            viewers.admit(sign(SECRET, replace(one, kind=kind)), one.item_id)


def test_who_watches_is_counted_once_and_not_for_ever() -> None:
    clock, one, other = Clock(), claim(), claim()
    viewers = Viewers(SECRET, wall=clock.wall, clock=clock.monotonic)
    for _ in range(3):
        viewers.saw(one)
    viewers.saw(other)
    assert viewers.watching(one.item_id) == 1
    clock.seconds = PRESENT_SECONDS + 1
    assert viewers.watching(one.item_id) == 0
    viewers.saw(one)
    viewers.forget(revoked_seconds=1.0, sessions=[other.item_id])
    assert viewers.watching(one.item_id) == 0
