"""/api/v1/audit-entries and /api/v1/audit-chain: the auditor's view (R19, R20)."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from litestar import get
from litestar.params import Parameter

from api import permit
from api.audit import actions
from api.audit.schemas import AuditEntryShape, ChainShape
from api.resources import Resources
from api.shapes import LONGEST_WORD, NO_NUL, Cursor, Limit, PageShape, Word, aware, page_size
from domain.permissions import Action
from storage.catalogue import audit
from storage.catalogue.audit import Wanted
from storage.catalogue.tables.audit_entry import AuditEntry

Since = Annotated[datetime | None, Parameter(query="from")]
Until = Annotated[datetime | None, Parameter(query="to")]
Performed = Annotated[str | None, Parameter(query="action", pattern=NO_NUL, max_length=LONGEST_WORD)]


@get("/audit-entries", opt=permit.action(Action.audit_read))
async def listing(
    resources: Resources, item_kind: Word = None, item_id: Word = None, actor_id: UUID | None = None,
    performed: Performed = None, since: Since = None, until: Until = None,
    cursor: Cursor = None, limit: Limit = None,
) -> PageShape[AuditEntryShape]:  # fmt: skip
    """Entries, the newest first; each parameter narrows, `from` and `to` carry their zone."""
    size = page_size(resources.settings, limit)
    wanted = Wanted(item_kind, item_id, actor_id, performed, aware(since, "from"), aware(until, "to"))
    async with resources.catalogue.transaction() as tx:
        found = await audit.entries(tx, wanted, before=actions.entry_id_of(cursor), limit=size + 1)
    page = found[:size]
    return PageShape([_shape(one) for one in page], str(page[-1].id) if len(found) > size else None)


@get("/audit-chain", opt=permit.action(Action.audit_read))
async def chain(resources: Resources) -> ChainShape:
    """Whether the trail is whole and unaltered; the whole of it is read, which takes its time."""
    return await actions.verified(resources)


def _shape(one: AuditEntry) -> AuditEntryShape:
    return AuditEntryShape(
        id=one.id, at=one.at, actor_kind=one.actor_kind, actor_id=one.actor_id, actor_name=one.actor_name,
        address=one.address, action=one.action, item_kind=one.item_kind, item_id=one.item_id, details=one.details,
    )  # fmt: skip


AUDIT_ROUTES = [listing, chain]
