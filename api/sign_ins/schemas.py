"""The shapes of a sign-in."""

from datetime import datetime
from uuid import UUID

import msgspec

from domain.kinds import Role, ScopeKind


class Credentials(msgspec.Struct):
    """What a person types."""

    login: str = msgspec.field(name="login")
    password: str = msgspec.field(name="password")


class AccountName(msgspec.Struct):
    """A person as others see them."""

    id: UUID
    display_name: str


class OwnAccount(msgspec.Struct):
    """A person as they see themselves."""

    id: UUID
    login: str
    display_name: str


class GrantShape(msgspec.Struct):
    """A role and where it holds; `scope_id` is null for the institute."""

    role: Role
    scope_kind: ScopeKind
    scope_id: UUID | None


class SignInShape(msgspec.Struct):
    """An open sign-in. Send `csrf_token` as X-CSRF-Token with every request that changes something."""

    id: UUID
    account: OwnAccount
    grants: list[GrantShape]
    csrf_token: str
    expires_at: datetime
