"""The answer that a creating request was given, so that the same request sent again gets it and makes nothing new."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, Index, func
from sqlalchemy.orm import Mapped, mapped_column

from storage.catalogue.tables.base import Digest, Table


class IdempotencyKey(Table):
    __tablename__ = "idempotency_key"
    __table_args__ = (Index(None, "created_at"),)

    account_id: Mapped[UUID] = mapped_column(ForeignKey("account.id"), primary_key=True)
    key: Mapped[str] = mapped_column(primary_key=True)
    request_sha256: Mapped[Digest]
    status: Mapped[int | None]
    """None while the first request is still at work."""
    body: Mapped[bytes | None]
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
