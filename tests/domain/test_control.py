"""The signature on an order: it covers the whole order and a minute's time, and a stranger's text never breaks it."""

import base64
import hmac
import struct
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from domain.control import check, sign
from domain.refusals import Refusal

SECRET = b"c" * 32
AT = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)
ORDER = ("POST", "/control/sessions/1/cut", b'{"reason":"x"}')
SIGNATURE = sign(SECRET, *ORDER, AT)


def _no(signature: str, order: tuple[str, str, bytes] = ORDER, now: datetime = AT, secret: bytes = SECRET) -> str:
    with pytest.raises(Refusal) as no:
        check(secret, signature, *order, now=now)
    return no.value.code


def test_the_form_is_what_the_head_of_the_file_says() -> None:
    """By hand, with each field behind its length in eight bytes, so that no two orders are signed by the same bytes."""
    seconds = str(int(AT.timestamp())).encode()
    fields = [b"lectern control 1", seconds, b"POST", ORDER[1].encode(), ORDER[2]]
    message = b"".join(struct.pack(">Q", len(field)) + field for field in fields)
    mac = base64.urlsafe_b64encode(hmac.digest(SECRET, message, "sha256")).rstrip(b"=")
    assert seconds + b"." + mac == SIGNATURE.encode()


@given(st.binary(max_size=200), st.text(max_size=80), st.sampled_from(["POST", "put", "DELETE"]))
def test_an_order_is_believed_and_dated(body: bytes, path: str, method: str) -> None:
    signature = sign(SECRET, method, path, body, AT)
    assert check(SECRET, signature, method.upper(), path, body, now=AT) == AT


def test_it_is_believed_for_a_minute_on_both_sides_of_its_instant() -> None:
    minute, beyond = timedelta(seconds=60), timedelta(seconds=60.001)
    for skew in (-minute, minute):
        assert check(SECRET, SIGNATURE, *ORDER, now=AT + skew) == AT
    for skew in (-beyond, beyond):
        assert _no(SIGNATURE, now=AT + skew) == "control_expired"


@pytest.mark.parametrize(
    "order",
    [
        ("DELETE", ORDER[1], ORDER[2]),
        (ORDER[0], "/control/sessions/2/cut", ORDER[2]),
        (ORDER[0], ORDER[1], b""),
        (ORDER[0], ORDER[1] + '{"reason', b'":"x"}'),  # the same bytes, parted elsewhere
    ],
    ids=["method", "path", "body", "parting"],
)
def test_it_covers_method_path_and_body(order: tuple[str, str, bytes]) -> None:
    assert _no(SIGNATURE, order) == "control_invalid"


def test_it_covers_its_instant_and_needs_the_secret() -> None:
    seconds, _, mac = SIGNATURE.partition(".")
    later = f"{int(seconds) + 30}.{mac}"
    assert _no(later) == "control_invalid"
    assert _no(SIGNATURE, secret=b"another") == "control_invalid"


def test_an_old_forgery_is_invalid_before_it_is_old() -> None:
    assert _no(sign(b"another", *ORDER, AT), now=AT + timedelta(days=1)) == "control_invalid"


def test_an_order_without_a_zone_is_our_own_fault() -> None:
    with pytest.raises(ValueError, match="zone"):
        sign(SECRET, *ORDER, datetime(2026, 1, 1))  # noqa: DTZ001 - the fault under test


@given(st.text(st.characters(), max_size=80))
@example("")
@example(".")
@example("9" * 400 + ".x")
@example("٣.x")
@example("-1.x")
@example("1767225600.\ud800")
def test_whatever_a_stranger_sends_is_invalid_and_nothing_worse(text: str) -> None:
    assert _no(text) == "control_invalid"
