"""The quick way to a live session's owner: a signed order over HTTP to the ingest node's control channel.

It only hurries what the catalogue's NOTIFY says anyway, so that its failure is logged and nothing else.
"""

import json
from uuid import UUID

import httpx
import structlog

from api.resources import Resources
from domain.control import sign
from storage.catalogue import live_owner

log = structlog.get_logger()

HEADER = "Lectern-Control"


async def tell_owner(resources: Resources, session_id: UUID, order: str, reason: str) -> bool:
    """Send the order to the session's owner; whether it was taken. False too where nobody owns it yet."""
    async with resources.catalogue.transaction() as tx:
        owner = await live_owner.find(tx, session_id)
    if owner is None:
        return False
    path = f"/control/sessions/{session_id}/{order}"
    body = json.dumps({"reason": reason}, ensure_ascii=False).encode()
    signature = sign(resources.keys.control, "POST", path, body, resources.clock())
    try:
        answer = await resources.http.post(f"{owner.control_url}{path}", content=body, headers={HEADER: signature})
    except httpx.HTTPError as error:
        log.warning("control channel failed", session=str(session_id), order=order, error=repr(error))
        return False
    return answer.is_success
