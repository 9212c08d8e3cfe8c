"""The shapes of a sign-in."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

import msgspec

from api.shapes import Given
from domain.kinds import Role, ScopeKind
from domain.passwords import MAX_CHARACTERS
from domain.permissions import Action

LONGEST_LOGIN = 200


class Credentials(Given):
    """What a person types."""

    login: Annotated[str, msgspec.Meta(max_length=LONGEST_LOGIN)]
    password: Annotated[str, msgspec.Meta(max_length=MAX_CHARACTERS)]


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
    """An open sign-in. Send `csrf_token` as X-CSRF-Token with every request that changes something.

    `may` lists what the account may do to anything at all: which doors a page shows it.
    """

    id: UUID
    account: OwnAccount
    grants: list[GrantShape]
    may: list[Action]
    csrf_token: str
    expires_at: datetime
