"""The token in the path of every playlist and segment: signed, so that it is checked without any I/O.

Rule of this file: a token says who watches what, by which sign-in, until when, and nothing that is in it can be
changed; whether it has been revoked is for the caller, which knows what was revoked and when: a token is older or
younger than that. Form: 62 bytes (version 1, kind 1, item 16, account 16, sign-in 16, issue 6: milliseconds since 1970,
expiry 6: seconds since 1970; big-endian) and 16 bytes of HMAC-SHA256 (RFC 2104, truncated as its section 5 allows), in
base64url (RFC 4648 section 5). 78 bytes are 104 characters without padding or spare bits, so each token has exactly one
spelling.
"""

import base64
import binascii
import hmac
import struct
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal, get_args
from uuid import UUID

from domain.refusals import Refusal, RefusalCode

PlaybackKind = Literal["live", "replay", "evidence", "preview", "monitor"]
"""A preview plays a session ahead of its audience and opens nothing else. A monitor plays what live plays. Both are for
those who teach or control the session: nobody counts them as its audience.
"""

TOKEN_CHARACTERS = 104
_CONTEXT = b"lectern playback token\0"
_VERSION = 2
_KINDS: tuple[PlaybackKind, ...] = get_args(PlaybackKind)
_BODY = struct.Struct(">BB16s16s16sHIHI")
_MAC_BYTES = 16
_LOW = 0xFFFFFFFF
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class PlaybackClaim:
    """What a token says. `item_id` is a session's (live, preview, monitor) or a recording's (replay, and its evidence).

    One that does not say when it was issued is older than any revocation.
    """

    kind: PlaybackKind
    item_id: UUID
    account_id: UUID
    sign_in_id: UUID
    expires_at: datetime
    issued_at: datetime = _EPOCH


@dataclass(frozen=True)
class Withdrawal:
    """What a person, or anybody, was given to watch a session by counts no more: all of it, or only previews, issued up
    to then.
    """

    session_id: UUID
    account_id: UUID | None
    """None is everybody."""
    until: datetime
    previews_only: bool = False

    def covers(self, claim: PlaybackClaim) -> bool:
        """Whether this claim counts no more."""
        return (
            claim.item_id == self.session_id
            and self.account_id in (None, claim.account_id)
            and claim.issued_at <= self.until
            and (claim.kind == "preview" or not self.previews_only)
        )


def sign(secret: bytes, claim: PlaybackClaim) -> str:
    """The token of this claim; its expiry is cut to whole seconds, its issue to milliseconds."""
    if claim.expires_at.tzinfo is None or claim.issued_at.tzinfo is None:
        raise ValueError("a token's times carry their zone")
    seconds = int(claim.expires_at.timestamp())
    issued_ms = (claim.issued_at - _EPOCH) // timedelta(milliseconds=1)
    body = _BODY.pack(
        _VERSION,
        _KINDS.index(claim.kind),
        claim.item_id.bytes,
        claim.account_id.bytes,
        claim.sign_in_id.bytes,
        issued_ms >> 32,
        issued_ms & _LOW,
        seconds >> 32,
        seconds & _LOW,
    )
    return base64.urlsafe_b64encode(body + _mac(secret, body)).decode("ascii")


def check(
    secret: bytes, token: str, *, kind: PlaybackKind, item_id: UUID, now: datetime, also: PlaybackKind | None = None
) -> PlaybackClaim:
    """The claim of a token that is ours and for this item, of this `kind` or of the one that is `also` good here.

    Refusal("token_invalid") when it is not, Refusal("token_expired") when it was. Whatever text stands in the path is
    answered so: nothing a stranger sends raises anything else.
    """
    claim = _read(secret, token)
    if claim is None or claim.kind not in (kind, also) or claim.item_id != item_id:
        raise Refusal(RefusalCode.token_invalid)
    if now >= claim.expires_at:
        raise Refusal(RefusalCode.token_expired, expired_at=claim.expires_at)
    return claim


def _read(secret: bytes, token: str) -> PlaybackClaim | None:
    if len(token) != TOKEN_CHARACTERS:
        return None
    try:
        raw = base64.b64decode(token.encode("ascii"), altchars=b"-_", validate=True)
    except (UnicodeEncodeError, binascii.Error):
        return None
    # The standard alphabet's two characters pass too (altchars only translates): one spelling means one.
    if len(raw) != _BODY.size + _MAC_BYTES or "+" in token or "/" in token:
        return None
    body, mac = raw[: _BODY.size], raw[_BODY.size :]
    if not hmac.compare_digest(mac, _mac(secret, body)):
        return None
    version, kind, item, account, sign_in, issued_high, issued_low, high, low = _BODY.unpack(body)
    if version != _VERSION or kind >= len(_KINDS):
        return None
    return PlaybackClaim(
        _KINDS[kind],
        UUID(bytes=item),
        UUID(bytes=account),
        UUID(bytes=sign_in),
        expires_at=datetime.fromtimestamp((high << 32) | low, UTC),
        issued_at=_EPOCH + timedelta(milliseconds=(issued_high << 32) | issued_low),
    )


def _mac(secret: bytes, body: bytes) -> bytes:
    return hmac.digest(secret, _CONTEXT + body, "sha256")[:_MAC_BYTES]
