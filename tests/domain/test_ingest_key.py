"""Keys: the same each time, unlike for each credential and secret, and found again however they were pasted."""

import hashlib
import hmac
from base64 import b32decode
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from domain.ingest_key import KEY_CHARACTERS, derive, key_hash

SECRET = b"an installation's secret"
ONE, OTHER = UUID("11111111-2222-3333-4444-555555555555"), UUID("11111111-2222-3333-4444-555555555556")


def test_a_key_is_made_of_its_credential_and_the_secret_alone() -> None:
    """Spelled out by hand, so that a change of form, which would lock every encoder out, is seen here."""
    mac = hmac.new(SECRET, b"lectern ingest key 1\0" + ONE.bytes, hashlib.sha256).digest()
    assert b32decode(derive(SECRET, ONE)) == ONE.bytes + mac[:14]


def test_another_credential_or_another_secret_makes_another_key() -> None:
    assert len({derive(SECRET, ONE), derive(SECRET, OTHER), derive(b"another secret", ONE)}) == 3


@given(st.uuids())
def test_a_key_fits_into_an_address_and_is_found_again(credential_id: UUID) -> None:
    key = derive(SECRET, credential_id)
    assert len(key) == KEY_CHARACTERS
    assert set(key) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567")
    assert key_hash(f"  {key.lower()}\r\n") == key_hash(key) == hashlib.sha256(key.encode()).digest()


@given(st.text(st.characters(), max_size=60))
def test_whatever_an_encoder_sends_has_a_hash(anything: str) -> None:
    assert len(key_hash(anything)) == 32
