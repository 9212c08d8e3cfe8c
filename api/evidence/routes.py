"""/api/v1/evidence and /api/v1/recordings/{id}/evidence: what cuts kept from their audiences, for the reviewers and
those who answer for them.
"""

from typing import Any
from uuid import UUID

from litestar import Request, get, post

from api import permit
from api.evidence import actions
from api.evidence.schemas import EvidenceShape, KeptShape
from api.playback_tokens import playback
from api.resources import Resources
from api.shapes import Cursor, Limit, PageShape, PlaybackShape, ReasonGiven, page_size
from domain.permissions import Action
from storage.catalogue.sign_ins import Known
from storage.catalogue.transaction import Actor


@get("/evidence", opt=permit.action(Action.evidence_read))
async def every(
    resources: Resources, known: Known, actor: Actor, cursor: Cursor = None, limit: Limit = None
) -> PageShape[KeptShape]:  # fmt: skip
    """The recordings of which something was cut, within reach, the newest first. The look is recorded."""
    size = page_size(resources.settings, limit)
    async with resources.catalogue.transaction() as tx:
        return await actions.kept(tx, known, actor, cursor=cursor, limit=size)


@get("/recordings/{recording_id:uuid}/evidence", opt=permit.action(Action.evidence_read))
async def listing(resources: Resources, known: Known, actor: Actor, recording_id: UUID) -> EvidenceShape:
    """The cuts with their reasons, and the stretches that nobody saw. The look is recorded."""
    async with resources.catalogue.transaction() as tx:
        return await actions.listed(tx, known, actor, recording_id)


@post(
    "/recordings/{recording_id:uuid}/evidence/playback",
    status_code=201,
    opt=permit.action(Action.evidence_read),
)
async def play(
    request: Request[Any, Any, Any], resources: Resources, known: Known, actor: Actor, recording_id: UUID,
    data: ReasonGiven,
) -> PlaybackShape:  # fmt: skip
    """An address that plays them to this sign-in alone. Who opened it and why is recorded."""
    async with resources.catalogue.transaction() as tx:
        await actions.opened(tx, known, actor, recording_id, data.reason)
    return playback(request, resources, known, "evidence", recording_id)


EVIDENCE_ROUTES = [every, listing, play]
