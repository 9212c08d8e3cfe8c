"""/api/v1/recordings: the library, replay, and what keeps or ends a recording. /api/v1/certificates beside it."""

from typing import Annotated, Any
from uuid import UUID

from litestar import Request, Response, get, patch, post
from litestar.params import Parameter

from api import permit
from api.idempotency import once
from api.object_bytes import send_object
from api.playback_tokens import playback
from api.recordings import actions
from api.recordings.schemas import (
    CertificateShape,
    HoldShape,
    PurgeOrder,
    RecordingChange,
    RecordingShape,
    StillShape,
    WorkShape,
)
from api.recordings.shown import shapes
from api.recordings.stored_report import require_reportable, stored_report
from api.resources import Resources
from api.shapes import NO_NUL, Cursor, Limit, PageShape, PlaybackShape, ReasonGiven, page_size
from api.versions import etag, seen
from domain.permissions import Action
from domain.refusals import Refusal, RefusalCode
from domain.states import RecordingState
from storage.catalogue import certificates, recordings
from storage.catalogue.recordings import Wanted
from storage.catalogue.sign_ins import Known
from storage.catalogue.transaction import Actor, Transaction

JPEG = "image/jpeg"
LONGEST_SEARCH = 200


@get("/recordings", opt=permit.action(Action.recording_read))
async def listing(
    resources: Resources, known: Known, q: Annotated[str, Parameter(pattern=NO_NUL, max_length=LONGEST_SEARCH)] = "",
    recording_state: Annotated[list[RecordingState] | None, Parameter(query="state")] = None,
    cursor: Cursor = None, limit: Limit = None,
) -> PageShape[RecordingShape]:  # fmt: skip
    """Recordings within reach, the newest first; `q` is found anywhere in the title."""
    size = page_size(resources.settings, limit)
    async with resources.catalogue.transaction() as tx:
        reach = permit.reach_of(known, Action.recording_read)
        wanted = Wanted(recording_state or (), q)
        page = await recordings.listing(tx, reach, known.account.id, wanted, cursor=cursor, limit=size)
        visible = [one for one in page.items if actions.is_visible(known, one)]
        return PageShape(await shapes(tx, resources, known, visible), page.next_cursor)


@get("/recordings/{recording_id:uuid}", opt=permit.action(Action.recording_read))
async def one(resources: Resources, known: Known, recording_id: UUID) -> Response[RecordingShape]:
    """One recording, with its version as ETag."""
    async with resources.catalogue.transaction() as tx:
        (shape,) = await shapes(tx, resources, known, [await actions.readable(tx, known, recording_id)])
    return Response(shape, headers=etag(shape.version))


@patch("/recordings/{recording_id:uuid}", opt=permit.action(Action.recording_edit))
async def change(
    request: Request[Any, Any, Any], resources: Resources, known: Known, actor: Actor, recording_id: UUID,
    data: RecordingChange,
) -> Response[RecordingShape]:  # fmt: skip
    """Change a recording's title; needs If-Match."""
    async with resources.catalogue.transaction() as tx:
        recording = await actions.change(tx, known, actor, recording_id, data, seen(request))
        (shape,) = await shapes(tx, resources, known, [recording])
    return Response(shape, headers=etag(shape.version))


@get("/recordings/{recording_id:uuid}/poster", media_type=JPEG, opt=permit.action(Action.recording_read))
async def poster(
    request: Request[Any, Any, Any], resources: Resources, known: Known, recording_id: UUID
) -> Response[bytes]:
    """Its picture in lists."""
    async with resources.catalogue.transaction() as tx:
        recording = await actions.readable(tx, known, recording_id)
    if recording.poster_key is None:
        raise Refusal(RefusalCode.not_found, kind="poster", id=recording_id)
    return await send_object(request, resources, recording.poster_key, JPEG)


@get("/recordings/{recording_id:uuid}/stills", opt=permit.action(Action.recording_read))
async def stills(resources: Resources, known: Known, recording_id: UUID) -> list[StillShape]:
    """The pictures along its time line."""
    async with resources.catalogue.transaction() as tx:
        return await actions.still_shapes(tx, known, recording_id)


@get("/recordings/{recording_id:uuid}/stills/{at_ms:int}", media_type=JPEG, opt=permit.action(Action.recording_read))
async def still(
    request: Request[Any, Any, Any], resources: Resources, known: Known, recording_id: UUID, at_ms: int
) -> Response[bytes]:
    """One of them."""
    async with resources.catalogue.transaction() as tx:
        key = await actions.still_key(tx, known, recording_id, at_ms)
    return await send_object(request, resources, key, JPEG)


@get("/recordings/{recording_id:uuid}/work", opt=permit.action(Action.recording_edit))
async def work(resources: Resources, known: Known, recording_id: UUID) -> list[WorkShape]:
    """The work on its media: what waits, runs, is done, and what failed with its log."""
    async with resources.catalogue.transaction() as tx:
        return await actions.work_shapes(tx, known, recording_id)


@get("/recordings/{recording_id:uuid}/report", opt=permit.action(Action.recording_edit))
async def report(resources: Resources, known: Known, recording_id: UUID) -> dict[str, Any]:
    """Takes, reels with hashes and frames, gaps, repairs: what was captured and what is stored of it."""
    async with resources.catalogue.transaction() as tx:
        await require_reportable(tx, known, recording_id)
    return await stored_report(resources, recording_id)


@post(
    "/recordings/{recording_id:uuid}/work/{work_id:uuid}/retry",
    status_code=202,
    opt=permit.action(Action.recording_edit),
)
async def retry(resources: Resources, known: Known, actor: Actor, recording_id: UUID, work_id: UUID) -> WorkShape:
    """Try work that has failed for good once more."""
    async with resources.catalogue.transaction() as tx:
        return actions.work_shape(await actions.try_work_again(tx, resources, known, actor, recording_id, work_id))


@post("/recordings/{recording_id:uuid}/playback", status_code=201, opt=permit.action(Action.recording_read))
async def replay(
    request: Request[Any, Any, Any], resources: Resources, known: Known, recording_id: UUID
) -> PlaybackShape:  # fmt: skip
    """An address that plays the recording."""
    async with resources.catalogue.transaction() as tx:
        await actions.require_replayable(tx, known, recording_id)
    return playback(request, resources, known, "replay", recording_id)


@post("/recordings/{recording_id:uuid}/holds", status_code=201, opt=permit.action(Action.recording_hold))
async def hold(
    request: Request[Any, Any, Any], resources: Resources, known: Known, actor: Actor, recording_id: UUID,
    data: ReasonGiven,
) -> Response[HoldShape]:  # fmt: skip
    """Stop its purging, and say why."""

    async def create(tx: Transaction) -> HoldShape:
        return await actions.place_hold(tx, resources, known, actor, recording_id, data.reason)

    return await once(request, resources, known, create)


@post(
    "/recordings/{recording_id:uuid}/holds/{hold_id:uuid}/lifting",
    status_code=204,
    opt=permit.action(Action.recording_hold_lift),
)
async def lift(
    resources: Resources, known: Known, actor: Actor, recording_id: UUID, hold_id: UUID, data: ReasonGiven
) -> None:
    """Let its clock run again, and say why."""
    async with resources.catalogue.transaction() as tx:
        await actions.lift_hold(tx, resources, known, actor, recording_id, hold_id, data.reason)


@post("/recordings/{recording_id:uuid}/purge", status_code=202, opt=permit.action(Action.recording_purge))
async def purge(
    resources: Resources, known: Known, actor: Actor, recording_id: UUID, data: PurgeOrder
) -> RecordingShape:
    """Purge it now; its title must be typed again. The certificate follows when nothing is left of it."""
    async with resources.catalogue.transaction() as tx:
        recording = await actions.order_purge(tx, resources, known, actor, recording_id, data)
        (shape,) = await shapes(tx, resources, known, [recording])
    return shape


@post("/recordings/{recording_id:uuid}/rescue", status_code=200, opt=permit.action(Action.recording_hold))
async def rescue(resources: Resources, known: Known, actor: Actor, recording_id: UUID) -> RecordingShape:
    """Take it out of the trash while its grace time lasts."""
    async with resources.catalogue.transaction() as tx:
        recording = await actions.rescue(tx, resources, known, actor, recording_id)
        (shape,) = await shapes(tx, resources, known, [recording])
    return shape


@get("/recordings/{recording_id:uuid}/certificate", opt=permit.action(Action.certificate_read))
async def certificate(resources: Resources, known: Known, recording_id: UUID) -> CertificateShape:
    """The proof of its purge."""
    reach = permit.reach_of(known, Action.certificate_read)
    async with resources.catalogue.transaction() as tx:
        recording = await recordings.get(tx, recording_id)
        if not reach.covers(actions.scope_of(recording), actions.is_own(known, recording)):
            raise Refusal(RefusalCode.not_found, kind="certificate", id=recording_id)
        found = await certificates.of_recording(tx, recording_id)
    if found is None:
        raise Refusal(RefusalCode.not_found, kind="certificate", id=recording_id)
    return actions.certificate_shape(found)


@get("/certificates", opt=permit.action(Action.certificate_read))
async def every_certificate(
    resources: Resources, known: Known, cursor: Cursor = None, limit: Limit = None
) -> PageShape[CertificateShape]:
    """All certificates, the newest first, of recordings within reach."""
    size = page_size(resources.settings, limit)
    reach = permit.reach_of(known, Action.certificate_read)
    async with resources.catalogue.transaction() as tx:
        page = await certificates.listing(tx, reach, known.account.id, cursor=cursor, limit=size)
    return PageShape([actions.certificate_shape(one) for one in page.items], page.next_cursor)


RECORDING_ROUTES = [
    listing, one, change, poster, stills, still, work, report, retry, replay, hold, lift, purge, rescue, certificate,
    every_certificate,
]  # fmt: skip
