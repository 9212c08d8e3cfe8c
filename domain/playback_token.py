"""The token in the path of every playlist and segment: signed, so that it is checked without any I/O.

Rule of this file: a token says who watches what, by which sign-in, until when, and nothing that is in it can be
changed; whether that sign-in still stands is for the caller, which keeps the revoked ones. Form: 56 bytes (version 1,
kind 1, item 16, account 16, sign-in 16, expiry 6: seconds since 1970, big-endian) and 16 bytes of HMAC-SHA256
(RFC 2104, truncated as its section 5 allows), in base64url (RFC 4648 section 5). 72 bytes are 96 characters without
padding or spare bits, so each token has exactly one spelling.
"""

import base64
import binascii
import hmac
import struct
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal, get_args
from uuid import UUID

from domain.refusals import Refusal, RefusalCode

PlaybackKind = Literal["live", "replay", "evidence", "preview"]
"""A preview plays what live plays, for those who teach or control the session: nobody counts them as its audience."""

TOKEN_CHARACTERS = 96
_CONTEXT = b"lectern playback token\0"
_VERSION = 1
_KINDS: tuple[PlaybackKind, ...] = get_args(PlaybackKind)
_BODY = struct.Struct(">BB16s16s16sHI")
_MAC_BYTES = 16


@dataclass(frozen=True)
class PlaybackClaim:
    """What a token says. `item_id` is a session's (live, preview) or a recording's (replay, and its evidence)."""

    kind: PlaybackKind
    item_id: UUID
    account_id: UUID
    sign_in_id: UUID
    expires_at: datetime


def sign(secret: bytes, claim: PlaybackClaim) -> str:
    """The token of this claim; its expiry is cut to whole seconds."""
    if claim.expires_at.tzinfo is None:
        raise ValueError("a token's expiry carries its zone")
    seconds = int(claim.expires_at.timestamp())
    body = _BODY.pack(
        _VERSION,
        _KINDS.index(claim.kind),
        claim.item_id.bytes,
        claim.account_id.bytes,
        claim.sign_in_id.bytes,
        seconds >> 32,
        seconds & 0xFFFFFFFF,
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
    version, kind, item, account, sign_in, high, low = _BODY.unpack(body)
    if version != _VERSION or kind >= len(_KINDS):
        return None
    expires_at = datetime.fromtimestamp((high << 32) | low, UTC)
    return PlaybackClaim(_KINDS[kind], UUID(bytes=item), UUID(bytes=account), UUID(bytes=sign_in), expires_at)


def _mac(secret: bytes, body: bytes) -> bytes:
    return hmac.digest(secret, _CONTEXT + body, "sha256")[:_MAC_BYTES]
