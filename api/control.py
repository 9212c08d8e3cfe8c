"""The quick way to a live session's owner: a signed order over HTTP to the ingest node's control channel.

It hurries what the catalogue's NOTIFY says anyway, so that its failure ends nothing. What it adds is certainty: an
order that the owner took is carried out.
"""

import asyncio
import json
from uuid import UUID

import httpx
import structlog

from api.resources import Resources
from domain.broadcast_delay import SILENCE_SECONDS
from domain.control import sign
from storage.catalogue import live_owner

log = structlog.get_logger()

HEADER = "Lectern-Control"
FROZEN_SECONDS = SILENCE_SECONDS + 0.25
"""When a reviewed session's owner has heard of a committed cut or has frozen its gate; the rest is for the clocks."""


async def tell_owner(resources: Resources, session_id: UUID, order: str, reason: str, number: int) -> bool:
    """Send the order to the session's owner; whether it was taken. False too where nobody owns it yet. `number` is the
    version that the session's row has with the order.
    """
    async with resources.catalogue.transaction() as tx:
        owner = await live_owner.find(tx, session_id)
    if owner is None:
        return False
    path = f"/control/sessions/{session_id}/{order}"
    body = json.dumps({"number": number, "reason": reason}, ensure_ascii=False).encode()
    signature = sign(resources.keys.control, "POST", path, body, resources.clock())
    try:
        answer = await resources.http.post(f"{owner.control_url}{path}", content=body, headers={HEADER: signature})
    except httpx.HTTPError as error:
        log.warning("control channel failed", session=str(session_id), order=order, error=repr(error))
        return False
    return answer.is_success


async def tell_reviewed(resources: Resources, session_id: UUID, reason: str, number: int) -> bool:
    """A cut of a reviewed session, committed before: True once nothing more can leave, whatever the owner hears.

    An owner that cannot be reached reads the row, or freezes for not having read it: that is waited for.
    """
    loop = asyncio.get_running_loop()
    committed_at = loop.time()
    if not await tell_owner(resources, session_id, "cut", reason, number):
        await asyncio.sleep(max(0.0, committed_at + FROZEN_SECONDS - loop.time()))
    return True
