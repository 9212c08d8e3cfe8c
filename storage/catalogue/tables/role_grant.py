"""A role given to an account over a scope; no scope id means the whole institute (R2)."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, UniqueConstraint, func
from sqlalchemy.orm import Mapped, mapped_column

from domain.kinds import Role, ScopeKind
from storage.catalogue.tables.base import Identified, Table, choice


class RoleGrant(Identified, Table):
    __tablename__ = "role_grant"
    __table_args__ = (
        UniqueConstraint("account_id", "role", "scope_kind", "scope_id", postgresql_nulls_not_distinct=True),
        CheckConstraint("(scope_kind = 'institute') = (scope_id IS NULL)", name="scope"),
    )

    account_id: Mapped[UUID] = mapped_column(ForeignKey("account.id"))
    role: Mapped[Role] = mapped_column(choice(Role, "role"))
    scope_kind: Mapped[ScopeKind] = mapped_column(choice(ScopeKind, "scope_kind"))
    scope_id: Mapped[UUID | None]
    """A department, a programme or a cohort, as `scope_kind` says."""
    granted_by: Mapped[UUID | None] = mapped_column(ForeignKey("account.id"))
    granted_at: Mapped[datetime] = mapped_column(server_default=func.now())
