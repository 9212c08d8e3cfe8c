"""Ingest credentials. A key is derived from its credential's id (`domain.ingest_key`); the catalogue has its hash."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select, update

from domain.admission import Credential, SessionFacts
from domain.kinds import Slot
from storage.catalogue.tables.ingest_credential import IngestCredential
from storage.catalogue.tables.session import Session
from storage.catalogue.transaction import Transaction


@dataclass(frozen=True, slots=True)
class Presented:
    """What a key stands for, as admission asks: its credential and its session."""

    row: IngestCredential
    session: Session

    def credential(self) -> Credential:
        """For `domain.admission.admit`."""
        row = self.row
        return Credential(row.session_id, row.slot, row.not_before, row.not_after, row.revoked_at)

    def facts(self) -> SessionFacts:
        """For `domain.admission.admit`."""
        it = self.session
        return SessionFacts(it.state, it.kind, it.filing_approved_at is not None, it.starts_at, it.ends_at)


@dataclass(frozen=True, slots=True)
class NewCredential:
    """A credential to be issued; its id was needed to derive the key."""

    id: UUID
    session_id: UUID
    slot: Slot
    key_hash: bytes
    not_before: datetime
    not_after: datetime
    created_by: UUID | None = None


async def issue(tx: Transaction, new: NewCredential, now: datetime) -> IngestCredential:
    """Stores a new credential beside those there are."""
    row = IngestCredential(
        id=new.id,
        session_id=new.session_id,
        slot=new.slot,
        key_hash=new.key_hash,
        not_before=new.not_before,
        not_after=new.not_after,
        created_by=new.created_by,
        created_at=now,
    )
    tx.session.add(row)
    await tx.session.flush()
    return row


async def present(tx: Transaction, key_hash: bytes) -> Presented | None:
    """What stands behind a key; None where there is nothing."""
    return (await present_many(tx, [key_hash])).get(key_hash)


async def present_many(tx: Transaction, key_hashes: Collection[bytes]) -> dict[bytes, Presented]:
    """The same of several, in one statement."""
    statement = (
        select(IngestCredential, Session)
        .join(Session, Session.id == IngestCredential.session_id)
        .where(IngestCredential.key_hash.in_(key_hashes))
    )
    rows = (await tx.session.execute(statement)).tuples()
    return {credential.key_hash: Presented(credential, session) for credential, session in rows}


async def standing(tx: Transaction, session_id: UUID, slot: Slot, now: datetime) -> IngestCredential | None:
    """The newest credential of the slot that is neither revoked nor over; it may not have begun."""
    statement = (
        select(IngestCredential)
        .where(IngestCredential.session_id == session_id, IngestCredential.slot == slot)
        .where(IngestCredential.revoked_at.is_(None), IngestCredential.not_after > now)
        .order_by(IngestCredential.created_at.desc(), IngestCredential.id.desc())
        .limit(1)
    )
    return (await tx.session.scalars(statement)).one_or_none()


async def revoke(tx: Transaction, session_id: UUID, slot: Slot, now: datetime) -> int:
    """Revokes the slot's credentials; returns how many stood."""
    statement = (
        update(IngestCredential)
        .where(IngestCredential.session_id == session_id, IngestCredential.slot == slot)
        .where(IngestCredential.revoked_at.is_(None))
        .values(revoked_at=now)
        .returning(IngestCredential.id)
    )
    return len((await tx.session.scalars(statement)).all())
