"""How an audit entry becomes 40 bytes, and a batch of them one hash. A change here would break every chain there is.

An entry's digest is the SHA-256 of its canonical JSON: keys sorted, no spaces, UTF-8, instants in UTC, microseconds.
"""

import hashlib
import json
import struct
from collections.abc import Iterable, Iterator
from datetime import UTC

from storage.catalogue.tables.audit_entry import AuditEntry

FIRST_HASH = bytes(32)
"""What the first seal stands on."""
_DIGEST = struct.Struct(">q32s")


def canonical(entry: AuditEntry) -> bytes:
    """The entry as the bytes that are hashed."""
    told = {
        "id": entry.id,
        "at": entry.at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
        "actor_kind": str(entry.actor_kind),
        "actor_id": None if entry.actor_id is None else str(entry.actor_id),
        "actor_name": entry.actor_name,
        "address": entry.address,
        "action": entry.action,
        "item_kind": entry.item_kind,
        "item_id": entry.item_id,
        "details": entry.details,
    }
    return json.dumps(told, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode()


def digest(entry: AuditEntry) -> bytes:
    """The entry's own digest, 32 bytes."""
    return hashlib.sha256(canonical(entry)).digest()


def digests(entries: Iterable[AuditEntry]) -> bytes:
    """The digests of a batch, as a seal keeps them."""
    return b"".join(_DIGEST.pack(entry.id, digest(entry)) for entry in entries)


def read_digests(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Ids and digests out of a seal; ValueError where they were cut."""
    if len(data) % _DIGEST.size:
        raise ValueError(f"{len(data)} bytes are no whole number of digests")
    return _DIGEST.iter_unpack(data)


def chained(previous_hash: bytes, data: bytes) -> bytes:
    """The hash of a seal over the one before it."""
    return hashlib.sha256(previous_hash + data).digest()
