"""The shapes of accounts as administrators see them."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

import msgspec

from api.shapes import Given
from api.sign_ins.schemas import GrantShape
from domain.kinds import Role, ScopeKind
from domain.permissions import Action

Login = Annotated[str, msgspec.Meta(pattern=r"^[^\s@/\\:]+(@[^\s@/\\:]+)?$", min_length=2, max_length=64)]
Password = Annotated[str, msgspec.Meta(max_length=1000)]
"""Whether it is strong enough, `domain.passwords` says; this only bounds what is read."""
DisplayName = Annotated[str, msgspec.Meta(min_length=1, max_length=100)]


class AccountShape(msgspec.Struct):
    """An account: one person's (article 19); `may` lists what the asking account may do to it."""

    id: UUID
    login: str
    display_name: str
    grants: list[GrantShape]
    has_password: bool
    locked_until: datetime | None
    disabled_at: datetime | None
    created_at: datetime
    may: list[Action]


class NewAccount(Given):
    """An account to be made; without a password nobody signs in to it yet."""

    login: Login
    display_name: DisplayName
    password: Password | None = None


class NewPassword(Given):
    """A password to be set."""

    password: Password


class NewGrant(Given):
    """A role to be given; `scope_id` is left out for the institute."""

    role: Role
    scope_kind: ScopeKind = ScopeKind.institute
    scope_id: UUID | None = None
