"""Certificates: what was purged, when, why, how much, and that nothing is left. Added once, never changed.

Each is bound into the audit chain: the entry `recording_purged` carries the digest of the whole certificate, and the
sealer chains that entry. `altered` finds a certificate that no longer is what its entry says.
"""

import hashlib
import json
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

from sqlalchemy import or_, select

from domain.permissions import Reach
from storage.catalogue.paging import PAGE, Order, Page, page_of
from storage.catalogue.reaches import branches_of
from storage.catalogue.tables.audit_entry import AuditEntry
from storage.catalogue.tables.base import Digest
from storage.catalogue.tables.certificate import Certificate
from storage.catalogue.tables.recording import Recording
from storage.catalogue.transaction import Actor, Transaction

ORDER = Order(Certificate.purged_at, Certificate.id)
ACTION = "recording_purged"


@dataclass(frozen=True, slots=True)
class Proof:
    """What the purge saw: how much it deleted, the digest of the list, and when it saw that nothing is left."""

    objects: int
    bytes: int
    listing_sha256: Digest
    verified_at: datetime


async def add(
    tx: Transaction,
    actor: Actor,
    *,
    recording_id: UUID,
    session_id: UUID,
    title: str,
    reason: str,
    proof: Proof,
    now: datetime,
    ordered_by: str | None = None,
) -> Certificate:
    """Writes the recording's certificate and its audit entry; IntegrityError where it has one already.

    The certificate names the person who ordered the purge, where one did; the entry names whoever carried it out.
    """
    certificate = Certificate(
        recording_id=recording_id,
        session_id=session_id,
        title=title,
        purged_at=now,
        reason=reason,
        objects=proof.objects,
        bytes=proof.bytes,
        listing_sha256=proof.listing_sha256,
        verified_at=proof.verified_at,
        actor=ordered_by or actor.name,
    )
    tx.session.add(certificate)
    await tx.session.flush()
    await tx.audit(actor, ACTION, "recording", recording_id, certificate_sha256=digest(certificate).hex())
    return certificate


async def of_recording(tx: Transaction, recording_id: UUID) -> Certificate | None:
    """The recording's certificate; None where it was not purged."""
    statement = select(Certificate).where(Certificate.recording_id == recording_id)
    return (await tx.session.scalars(statement)).one_or_none()


async def listing(
    tx: Transaction, reach: Reach, account_id: UUID, *, cursor: str | None = None, limit: int = PAGE
) -> Page[Certificate]:
    """Certificates of recordings within the account's reach, the newest first."""
    ways = branches_of(
        reach,
        department_id=Recording.department_id,
        programme_id=Recording.programme_id,
        cohort_id=Recording.cohort_id,
        own=[Recording.instructor_id == account_id],
    )
    if ways is not None and not ways:
        return Page([], None)
    within = [] if ways is None else [Certificate.recording_id.in_(select(Recording.id).where(or_(*ways)))]
    return await page_of(tx, Certificate, ORDER, where=within, cursor=cursor, limit=limit)


async def altered(tx: Transaction) -> list[UUID]:
    """The recordings whose certificate is missing, or is not what its audit entry says."""
    entries = await tx.session.execute(
        select(AuditEntry.item_id, AuditEntry.details).where(
            AuditEntry.action == ACTION, AuditEntry.details.has_key("certificate_sha256")
        )
    )
    said = {UUID(item_id): details["certificate_sha256"] for item_id, details in entries}
    kept = {row.recording_id: digest(row).hex() for row in await tx.session.scalars(select(Certificate))}
    return sorted(key for key in said.keys() | kept.keys() if said.get(key) != kept.get(key))


def digest(certificate: Certificate) -> bytes:
    """SHA-256 over every column of the certificate, as canonical JSON."""
    told = {column.key: _plain(getattr(certificate, column.key)) for column in Certificate.__table__.columns}
    return hashlib.sha256(json.dumps(told, sort_keys=True, ensure_ascii=False).encode()).digest()


def _plain(value: object) -> str | int:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    if isinstance(value, bytes):
        return value.hex()
    return value if isinstance(value, int) else str(value)
