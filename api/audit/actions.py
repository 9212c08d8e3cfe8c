"""Reading the audit trail and proving that it was not altered."""

import asyncio
import json

from api.audit.schemas import ChainShape
from api.resources import Resources
from domain.refusals import Refusal, RefusalCode
from storage.catalogue import audit_chain, audit_sealer
from storage.objects import keys
from storage.objects.store import ObjectStore

GROUP = 100
"""Anchors whose keys share all but the last two digits."""
LARGEST_ENTRY_ID = 2**63 - 1


def entry_id_of(cursor: str | None) -> int | None:
    """The entry that a page ended with; Refusal("invalid_input", field="cursor")."""
    if cursor is None:
        return None
    if not (cursor.isascii() and cursor.isdigit() and int(cursor[:20]) <= LARGEST_ENTRY_ID and len(cursor) < 20):
        raise Refusal(RefusalCode.invalid_input, field="cursor")
    return int(cursor)


async def verified(resources: Resources) -> ChainShape:
    """The chain, walked from its beginning, against the hashes that lie in the object store.

    Refused as unavailable, not as broken, while the object store does not answer: without it half the proof is missing.
    """
    async with resources.catalogue.transaction() as tx:
        last = await audit_sealer.last_seal(tx)
    anchors = await asyncio.to_thread(_anchors, resources.objects, last.id if last else 0)
    async with resources.catalogue.transaction() as tx:
        report = await audit_chain.verify_chain(tx, anchors)
    return ChainShape(
        holds=report.holds,
        entries=report.entries,
        seals=report.seals,
        unsealed=report.unsealed,
        anchors=len(anchors),
        head=report.head.hex(),
        broken_by=report.broken_by,
        first_altered=report.first_altered,
        seal_id=report.seal_id,
        verified_at=resources.clock(),
    )


def _anchors(objects: ObjectStore, last_seal: int) -> dict[int, bytes]:
    """The newest hashes that were written down outside the catalogue, by their seals.

    A hash holds all that is before it, so the newest suffice. They are looked for beyond the catalogue's last seal too:
    anchors without their seals show a chain that was cut short.
    """
    newest = last_seal // GROUP
    prefixes = {_group_prefix(group) for group in range(max(0, newest - 1), newest + 2)}
    found: dict[int, bytes] = {}
    for listed in (one for prefix in sorted(prefixes) for one in objects.list_prefix(prefix)):
        name = keys.read(listed.key)
        if name is not None and name.kind == keys.ObjectKind.AUDIT_ANCHOR:
            anchor = json.loads(objects.read(listed.key))
            found[int(anchor["seal"])] = bytes.fromhex(anchor["hash"])
    return found


def _group_prefix(group: int) -> str:
    """What the keys of a hundred seals' anchors begin with."""
    return keys.audit_anchor(group * GROUP).removesuffix(".json")[: -len(str(GROUP - 1))]
