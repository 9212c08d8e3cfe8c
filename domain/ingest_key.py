"""The key an encoder publishes with.

Rule of this file: a key is computed from its credential's id and the installation's secret, so it can be shown again
to who may see it without ever being stored; the catalogue keeps the hash alone. A key is 240 bits in base32: the id
(128), which makes it one of a kind, and the first 112 bits of an HMAC-SHA256 (RFC 2104) over it, which makes it one
that only we can make.
"""

import base64
import hashlib
import hmac
from uuid import UUID

_CONTEXT = b"lectern ingest key 1\0"
_MAC_BYTES = 14
KEY_CHARACTERS = 48


def derive(secret: bytes, credential_id: UUID) -> str:
    """The key of this credential: 48 characters of RFC 4648 base32 (A-Z, 2-7), safe in any address or form field."""
    mac = hmac.digest(secret, _CONTEXT + credential_id.bytes, "sha256")[:_MAC_BYTES]
    return base64.b32encode(credential_id.bytes + mac).decode("ascii")


def key_hash(key: str) -> bytes:
    """The SHA-256 by which the catalogue finds a key's credential.

    Space around it and small letters are forgiven, as people paste keys into forms; base32 means the same in both.
    """
    return hashlib.sha256(key.strip().upper().encode("utf-8", "surrogatepass")).digest()
