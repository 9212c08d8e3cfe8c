"""The signature on an order to an ingest node (cut, kick, end), which must be as sure as it is quick.

Rule of this file: an order is believed when its signature covers its method, path and body and was made within a
minute of now. Within that minute it could be sent again, so every order must be idempotent: a cut of what is cut and an
end of what has ended change nothing. Form: `{unix seconds}.{base64url of HMAC-SHA256}`.
"""

import base64
import hmac
from datetime import UTC, datetime, timedelta

from domain.refusals import Refusal, RefusalCode

TOLERANCE = timedelta(seconds=60)
_CONTEXT = b"lectern control 1"
# A century of seconds has ten digits; more would only be a stranger's attempt at a huge number.
_MAX_SECONDS_DIGITS = 11


def sign(secret: bytes, method: str, path: str, body: bytes, at: datetime) -> str:
    """The signature of an order made at `at` (an aware instant)."""
    if at.tzinfo is None:
        raise ValueError("an order's instant carries its zone")
    return _signature(secret, method, path, body, str(int(at.timestamp())))


def check(secret: bytes, signature: str, method: str, path: str, body: bytes, *, now: datetime) -> datetime:
    """The instant at which a genuine order was made.

    Refusal("control_invalid") for one that is not ours, Refusal("control_expired") for one too old or too early.
    """
    seconds = signature.partition(".")[0]
    if not (seconds.isascii() and seconds.isdigit() and len(seconds) <= _MAX_SECONDS_DIGITS):
        raise Refusal(RefusalCode.control_invalid)
    wanted = _signature(secret, method, path, body, seconds)
    if not hmac.compare_digest(signature.encode("utf-8", "surrogatepass"), wanted.encode("ascii")):
        raise Refusal(RefusalCode.control_invalid)
    at = datetime.fromtimestamp(int(seconds), UTC)
    if abs(now - at) > TOLERANCE:
        raise Refusal(RefusalCode.control_expired, signed_at=at)
    return at


def _signature(secret: bytes, method: str, path: str, body: bytes, seconds: str) -> str:
    # Each field is preceded by its length: no part of a path can pass for the beginning of a body.
    fields = [
        _CONTEXT,
        seconds.encode("ascii"),
        method.upper().encode("utf-8", "surrogatepass"),
        path.encode("utf-8", "surrogatepass"),
        body,
    ]
    message = b"".join(len(field).to_bytes(8, "big") + field for field in fields)
    mac = base64.urlsafe_b64encode(hmac.digest(secret, message, "sha256")).rstrip(b"=")
    return f"{seconds}.{mac.decode('ascii')}"
