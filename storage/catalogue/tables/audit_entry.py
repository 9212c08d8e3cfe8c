"""The audit trail: who did what, when, from where, to which item (R19, R20). The application can only add.

A trigger gives the id and the time, so that neither can be chosen by who writes, and takes the transaction's number
before the id: the sealer relies on that order (`storage/catalogue/audit_sealer.py`). No foreign keys: an entry must
outlive what it speaks of.
"""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import BigInteger, FetchedValue, Index
from sqlalchemy.orm import Mapped, mapped_column

from storage.catalogue.tables.base import Json, Table, choice


class ActorKind(StrEnum):
    account = "account"
    system = "system"
    encoder = "encoder"


class AuditEntry(Table):
    __tablename__ = "audit_entry"
    __table_args__ = (
        Index(None, "item_kind", "item_id", "id"),
        Index(None, "actor_id", "id"),
        Index(None, "at", "id"),
    )

    id: Mapped[int] = mapped_column(BigInteger, FetchedValue(), primary_key=True, autoincrement=False)
    at: Mapped[datetime] = mapped_column(server_default=FetchedValue())
    actor_kind: Mapped[ActorKind] = mapped_column(choice(ActorKind, "actor_kind"))
    actor_id: Mapped[UUID | None]
    actor_name: Mapped[str]
    address: Mapped[str | None]
    action: Mapped[str]
    item_kind: Mapped[str]
    item_id: Mapped[str]
    details: Mapped[Json]
