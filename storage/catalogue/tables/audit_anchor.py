"""Where and when a seal's hash was written outside the catalogue: from then on even its owner cannot rewrite the chain.

A table of its own, because a seal is never updated.
"""

from datetime import datetime

from sqlalchemy import BigInteger, ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from storage.catalogue.tables.base import Table


class AuditAnchor(Table):
    __tablename__ = "audit_anchor"

    seal_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("audit_seal.id"), primary_key=True, autoincrement=False)
    object_key: Mapped[str]
    anchored_at: Mapped[datetime]
