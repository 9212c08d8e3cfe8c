"""Keys that derive from one secret and cannot stand for each other."""

import dataclasses
import hashlib
import hmac

import pytest

from lectern.complaint import Complaint
from lectern.keys import KEY_BYTES, derive
from lectern.own_settings import LecternSettings

SECRET = bytes(range(32))


def keys_of(secret: bytes) -> dict[str, bytes]:
    return dataclasses.asdict(derive(LecternSettings(master_secret=secret.hex())))


def hkdf(secret: bytes, info: bytes) -> bytes:
    """RFC 5869 with SHA-256, one block, written out: extract with a salt of zeros, expand once."""
    extracted = hmac.digest(bytes(hashlib.sha256().digest_size), secret, "sha256")
    return hmac.digest(extracted, info + b"\x01", "sha256")


def test_each_key_is_rfc_5869_of_the_secret_and_its_use() -> None:
    assert keys_of(SECRET) == {
        use: hkdf(SECRET, f"lectern {use}".encode()) for use in ("playback", "ingest", "control", "csrf")
    }


def test_keys_differ_by_use_and_by_secret_and_are_the_same_in_every_process() -> None:
    one, other = keys_of(SECRET), keys_of(SECRET[::-1])
    assert len({*one.values(), *other.values()}) == 8
    assert {len(key) for key in one.values()} == {KEY_BYTES}
    assert keys_of(SECRET) == one


def test_no_secret_no_keys() -> None:
    with pytest.raises(Complaint, match="LECTERN_MASTER_SECRET is not set"):
        derive(LecternSettings())


def test_a_secret_does_not_show_when_settings_are_printed() -> None:
    assert SECRET.hex() not in repr(LecternSettings(master_secret=SECRET.hex()))
