"""Who acts, for the audit trail."""

from typing import Any

from litestar import Request

from storage.catalogue.sign_ins import Known
from storage.catalogue.tables.audit_entry import ActorKind
from storage.catalogue.transaction import Actor


def provide_actor(request: Request[Any, Any, Any]) -> Actor:
    """The signed-in person at their address; behind nginx the server has put the real one into `client`."""
    known: Known = request.user
    address = request.client.host if request.client else None
    return Actor(known.account.id, ActorKind.account, address, known.account.display_name)
