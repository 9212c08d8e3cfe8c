"""Goes along the chain from its beginning and says whether it holds, and where it breaks first.

What each seal proves: its own digests (its hash), every entry in its range (their digests), and that nothing before it
changed (the previous hash). What the newest entries are worth before they are sealed, nobody can prove. A rewritten
chain holds in itself: only hashes kept elsewhere (`anchors`) show that.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from sqlalchemy import func, select

from storage.catalogue.audit_digests import FIRST_HASH, chained, digest, read_digests
from storage.catalogue.tables.audit_entry import AuditEntry
from storage.catalogue.tables.audit_seal import AuditSeal
from storage.catalogue.transaction import Transaction


@dataclass(frozen=True, slots=True)
class ChainReport:
    """How far the chain holds. `broken_by` is None where all of it does."""

    seals: int = 0
    entries: int = 0
    unsealed: int = 0
    head: bytes = field(default=FIRST_HASH, repr=False)
    broken_by: str | None = None
    """`entry_altered`, `entry_missing`, `entry_added`, `seal_altered`, `seal_missing` or `anchor_differs`."""
    first_altered: int | None = None
    """The entry's id; None where a seal is at fault."""
    seal_id: int | None = None
    """The seal at which it breaks."""

    @property
    def holds(self) -> bool:
        """Whether all of it holds."""
        return self.broken_by is None


async def verify_chain(tx: Transaction, anchors: Mapping[int, bytes] | None = None) -> ChainReport:
    """Reads the whole chain, a seal at a time. `anchors` are hashes by seal id, as they were written down elsewhere."""
    kept = dict(anchors or {})
    report = ChainReport()
    last_entry = 0
    last_seal = 0
    for seal_id in (await tx.session.scalars(select(AuditSeal.id).order_by(AuditSeal.id))).all():
        seal = await tx.session.get_one(AuditSeal, seal_id)
        fault, entry_id, count = await _fault_of(tx, seal, report.head, last_entry)
        if fault is None and kept.pop(seal_id, seal.hash) != seal.hash:
            fault = "anchor_differs"
        if fault is not None:
            return replace(report, broken_by=fault, first_altered=entry_id, seal_id=seal_id)
        report = replace(report, seals=report.seals + 1, entries=report.entries + count, head=seal.hash)
        last_entry, last_seal = seal.last_entry, seal_id
    if kept:
        return replace(report, broken_by="seal_missing", seal_id=max(last_seal + 1, min(kept)))
    after = select(func.count()).select_from(AuditEntry).where(AuditEntry.id > last_entry)
    return replace(report, unsealed=await tx.session.scalar(after) or 0)


async def _fault_of(
    tx: Transaction, seal: AuditSeal, head: bytes, last_entry: int
) -> tuple[str | None, int | None, int]:
    """What is wrong with a seal and its entries, and the first entry at fault; else how many entries it has."""
    if chained(seal.previous_hash, seal.digests) != seal.hash:
        return "seal_altered", None, 0
    if seal.previous_hash != head:
        return "seal_missing", None, 0
    statement = select(AuditEntry).where(AuditEntry.id > last_entry, AuditEntry.id <= seal.last_entry)
    found = {entry.id: entry for entry in await tx.session.scalars(statement.order_by(AuditEntry.id))}
    count = 0
    for entry_id, wanted in read_digests(seal.digests):
        count += 1
        if found and (first := next(iter(found))) < entry_id:
            return "entry_added", first, count
        entry = found.pop(entry_id, None)
        if entry is None:
            return "entry_missing", entry_id, count
        if digest(entry) != wanted:
            return "entry_altered", entry_id, count
    if found:
        return "entry_added", next(iter(found)), count
    return None, None, count
