"""An account belongs to one person (article 19); it is disabled, never deleted, so that its traces keep a name."""

from datetime import datetime

from sqlalchemy import func, text
from sqlalchemy.orm import Mapped, mapped_column

from storage.catalogue.tables.base import Identified, Table


class Account(Identified, Table):
    __tablename__ = "account"

    login: Mapped[str] = mapped_column(unique=True)
    """Lower case; what a person types is folded before it is looked up."""
    display_name: Mapped[str]
    password_hash: Mapped[str | None]
    """argon2id; none means that no password opens this account."""
    failed_attempts: Mapped[int] = mapped_column(default=0, server_default=text("0"))
    """Wrong passwords since the last right one."""
    locked_until: Mapped[datetime | None]
    disabled_at: Mapped[datetime | None]
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
