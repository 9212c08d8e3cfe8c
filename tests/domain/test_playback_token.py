"""Tokens: what was signed comes back whole, and nothing else ever passes for it or breaks the checker."""

import base64
import hmac
import string
import struct
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from typing import Literal
from uuid import UUID

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from domain.playback_token import TOKEN_CHARACTERS, PlaybackClaim, check, sign
from domain.refusals import Refusal

SECRET = b"k" * 32
NOW = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)
ITEM = UUID("6eb03b43-edef-45f5-bf14-1c51e08f040c")
CLAIM = PlaybackClaim("live", ITEM, UUID(int=2), UUID(int=3), NOW + timedelta(hours=4), NOW)
TOKEN = sign(SECRET, CLAIM)
URL_SAFE = string.ascii_letters + string.digits + "-_"


def _no(token: str, secret: bytes = SECRET, kind: Literal["live", "replay"] = "live", item: UUID = ITEM) -> str:
    with pytest.raises(Refusal) as no:
        check(secret, token, kind=kind, item_id=item, now=NOW)
    return no.value.code


def _signed(body: bytes) -> str:
    mac = hmac.digest(SECRET, b"lectern playback token\0" + body, "sha256")[:16]
    return base64.urlsafe_b64encode(body + mac).decode()


whole_seconds = st.datetimes(datetime(1970, 1, 1), datetime(2300, 1, 1), timezones=st.just(UTC)).map(  # noqa: DTZ001
    lambda at: at.replace(microsecond=0)
)
whole_milliseconds = whole_seconds.flatmap(
    lambda at: st.integers(0, 999).map(lambda ms: at + timedelta(milliseconds=ms))
)
claims = st.builds(
    PlaybackClaim,
    st.sampled_from(["live", "replay", "evidence", "preview", "monitor"]),
    *(st.uuids() for _ in range(3)),
    whole_seconds,
    whole_milliseconds,
)


@given(claims, st.binary(min_size=1, max_size=64))
def test_what_was_signed_comes_back_whole_in_a_path_segment(claim: PlaybackClaim, secret: bytes) -> None:
    token = sign(secret, claim)
    assert len(token) == TOKEN_CHARACTERS <= 140
    assert set(token) <= set(URL_SAFE)
    before = claim.expires_at - timedelta(seconds=1)
    assert check(secret, token, kind=claim.kind, item_id=claim.item_id, now=before) == claim


def test_the_form_is_what_the_head_of_the_file_says() -> None:
    seconds, issued_ms = int(CLAIM.expires_at.timestamp()), int(NOW.timestamp() * 1000)
    ids = ITEM.bytes + CLAIM.account_id.bytes + CLAIM.sign_in_id.bytes
    assert _signed(b"\x02\x00" + ids + issued_ms.to_bytes(6, "big") + seconds.to_bytes(6, "big")) == TOKEN


def test_one_that_does_not_say_when_it_was_issued_is_older_than_any_revocation() -> None:
    token = sign(SECRET, replace(CLAIM, issued_at=PlaybackClaim.issued_at))
    assert check(SECRET, token, kind="live", item_id=ITEM, now=NOW).issued_at == datetime(1970, 1, 1, tzinfo=UTC)


def test_it_counts_until_its_expiry_and_not_at_it() -> None:
    last = CLAIM.expires_at - timedelta(microseconds=1)
    assert check(SECRET, TOKEN, kind="live", item_id=ITEM, now=last) == CLAIM
    with pytest.raises(Refusal) as no:
        check(SECRET, TOKEN, kind="live", item_id=ITEM, now=CLAIM.expires_at)
    assert (no.value.code, no.value.facts) == ("token_expired", {"expired_at": "2026-03-02T05:00:00Z"})


def test_its_expiry_is_an_instant_whatever_the_zone_it_was_given_in() -> None:
    local = replace(CLAIM, expires_at=CLAIM.expires_at.astimezone(timezone(timedelta(hours=8))))
    assert sign(SECRET, local) == TOKEN
    with pytest.raises(ValueError, match="zone"):
        sign(SECRET, replace(CLAIM, expires_at=datetime(2026, 1, 1)))  # noqa: DTZ001 - the fault under test


def test_it_is_good_for_one_item_of_one_kind_under_one_secret() -> None:
    assert _no(TOKEN, item=UUID(int=9)) == "token_invalid"
    assert _no(TOKEN, kind="replay") == "token_invalid"
    assert _no(TOKEN, secret=b"another") == "token_invalid"


def test_a_second_kind_is_good_only_where_it_is_asked_for() -> None:
    monitor = sign(SECRET, replace(CLAIM, kind="monitor"))
    assert check(SECRET, monitor, kind="live", also="monitor", item_id=ITEM, now=NOW).kind == "monitor"
    assert check(SECRET, TOKEN, kind="live", also="monitor", item_id=ITEM, now=NOW) == CLAIM
    assert _no(monitor) == _no(monitor, kind="replay") == "token_invalid"


def test_a_stranger_is_not_told_that_a_forged_token_has_expired() -> None:
    stale = sign(b"another", replace(CLAIM, expires_at=NOW - timedelta(days=1)))
    assert _no(stale) == "token_invalid"


@given(st.integers(0, TOKEN_CHARACTERS - 1), st.sampled_from(URL_SAFE + "+/=. \n中"))
def test_no_character_of_it_can_be_changed(place: int, character: str) -> None:
    """Every one, the last too: there are no spare bits in which two spellings of one token could differ."""
    forged = TOKEN[:place] + character + TOKEN[place + 1 :]
    if forged != TOKEN:
        assert _no(forged) == "token_invalid"


def test_it_has_no_second_spelling_in_the_other_alphabet() -> None:
    claim = next(
        claim
        for claim in (replace(CLAIM, account_id=UUID(int=n)) for n in range(1000))
        if set("-_") <= set(sign(SECRET, claim))
    )
    token = sign(SECRET, claim)
    assert check(SECRET, token, kind="live", item_id=ITEM, now=NOW) == claim
    assert _no(token.replace("-", "+")) == _no(token.replace("_", "/")) == "token_invalid"


@given(st.text(st.characters(), max_size=120) | st.text(URL_SAFE, min_size=TOKEN_CHARACTERS, max_size=TOKEN_CHARACTERS))
@example("")
@example(TOKEN[:-1])
@example(TOKEN + "A")
@example("=" * TOKEN_CHARACTERS)
@example("\ud800" * TOKEN_CHARACTERS)
def test_whatever_stands_in_the_path_is_invalid_and_nothing_worse(text: str) -> None:
    assert _no(text) == "token_invalid"


@pytest.mark.parametrize("head", [b"\x01\x00", b"\x03\x00", b"\x02\x05", b"\x02\xff"], ids=bytes.hex)
def test_a_version_or_kind_we_do_not_know_is_invalid_though_it_is_signed(head: bytes) -> None:
    rest = ITEM.bytes + bytes(38) + struct.pack(">HI", 0, 2**32 - 1)
    assert check(SECRET, _signed(b"\x02\x00" + rest), kind="live", item_id=ITEM, now=NOW).item_id == ITEM
    assert _no(_signed(head + rest)) == "token_invalid"
