"""A sign-in: a person's authenticated visit. An account has at most one that has not ended (R18)."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from storage.catalogue.tables.base import Digest, Identified, Table


class SignIn(Identified, Table):
    __tablename__ = "sign_in"
    __table_args__ = (
        Index("uq_sign_in_account_id_open", "account_id", unique=True, postgresql_where=text("ended_at IS NULL")),
        Index("ix_sign_in_account_id_created_at", "account_id", "created_at"),
    )

    account_id: Mapped[UUID] = mapped_column(ForeignKey("account.id"))
    token_hash: Mapped[Digest] = mapped_column(unique=True)
    """SHA-256 of the cookie's value; the value itself is nowhere."""
    csrf_hash: Mapped[Digest | None]
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    end_reason: Mapped[str | None]
    address: Mapped[str | None]
    user_agent: Mapped[str | None]
