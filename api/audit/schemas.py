"""The shapes of the audit trail."""

from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from storage.catalogue.tables.audit_entry import ActorKind


class AuditEntryShape(msgspec.Struct):
    """Who did what, when, from where, to which item."""

    id: int
    at: datetime
    actor_kind: ActorKind
    actor_id: UUID | None
    actor_name: str
    address: str | None
    action: str
    item_kind: str
    item_id: str
    details: dict[str, Any]


class ChainShape(msgspec.Struct):
    """How far the chain over the trail holds. `broken_by` is null where all of it does, else what is wrong first:
    entry_altered, entry_missing, entry_added, seal_altered, seal_missing or anchor_differs.
    """

    holds: bool
    entries: int
    seals: int
    unsealed: int
    anchors: int
    head: str
    broken_by: str | None
    first_altered: int | None
    seal_id: int | None
    verified_at: datetime
