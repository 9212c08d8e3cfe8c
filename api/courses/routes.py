"""/api/v1/courses: premium courses, from a promoted draft to an audience."""

from collections.abc import Awaitable, Callable
from typing import Annotated, Any
from uuid import UUID

from litestar import Request, Response, get, patch, post
from litestar.params import Parameter

from api import permit
from api.courses import actions
from api.courses.schemas import CourseChange, CourseShape, ReviewGiven
from api.idempotency import once
from api.object_bytes import send_object
from api.playback_tokens import playback
from api.recordings.actions import promote as promote_recording
from api.recordings.schemas import PromotionOrder
from api.resources import Resources
from api.shapes import Cursor, Limit, PageShape, PlaybackShape, page_size
from api.versions import etag, seen
from domain.permissions import Action
from domain.refusals import Refusal, RefusalCode
from domain.states import CourseState
from storage.catalogue import courses, recordings
from storage.catalogue.sign_ins import Known
from storage.catalogue.tables.course import Course
from storage.catalogue.transaction import Actor, Transaction

JPEG = "image/jpeg"


@get("/courses", opt=permit.action(Action.course_read))
async def listing(
    resources: Resources, known: Known,
    course_state: Annotated[list[CourseState] | None, Parameter(query="state")] = None,
    cursor: Cursor = None, limit: Limit = None,
) -> PageShape[CourseShape]:  # fmt: skip
    """Courses that this account sees, the newest first."""
    size = page_size(resources.settings, limit)
    async with resources.catalogue.transaction() as tx:
        page = await courses.listing(
            tx, actions.windows(known), known.account.id, states=course_state or (), cursor=cursor, limit=size
        )
        shown = [one for one in page.items if actions.is_visible(known, one)]
        return PageShape(await actions.shapes(tx, known, shown), page.next_cursor)


@get("/courses/{course_id:uuid}", opt=permit.action(Action.course_read))
async def one(resources: Resources, known: Known, course_id: UUID) -> Response[CourseShape]:
    """One course, with its version as ETag."""
    async with resources.catalogue.transaction() as tx:
        (shape,) = await actions.shapes(tx, known, [await actions.visible(tx, known, course_id)])
    return Response(shape, headers=etag(shape.version))


@post("/recordings/{recording_id:uuid}/promotion", status_code=201, opt=permit.action(Action.recording_promote))
async def promote(
    request: Request[Any, Any, Any], resources: Resources, known: Known, actor: Actor, recording_id: UUID,
    data: PromotionOrder,
) -> Response[CourseShape]:  # fmt: skip
    """Make a draft course of a recording, which is kept from now on."""

    async def create(tx: Transaction) -> CourseShape:
        course = await promote_recording(tx, resources, known, actor, recording_id, data)
        (shape,) = await actions.shapes(tx, known, [course])
        return shape

    return await once(request, resources, known, create, lambda made: etag(made.version))


@patch("/courses/{course_id:uuid}", opt=permit.action(Action.course_edit))
async def change(
    request: Request[Any, Any, Any], resources: Resources, known: Known, actor: Actor, course_id: UUID,
    data: CourseChange,
) -> Response[CourseShape]:  # fmt: skip
    """Write title, summary, audience, chapters, questions and references; needs If-Match."""
    return await _acted(resources, known, lambda tx: actions.change(tx, known, actor, course_id, data, seen(request)))


@post("/courses/{course_id:uuid}/submission", status_code=200, opt=permit.action(Action.course_edit))
async def submission(resources: Resources, known: Known, actor: Actor, course_id: UUID) -> Response[CourseShape]:
    """Hand it in for review."""
    return await _acted(resources, known, lambda tx: actions.submit(tx, resources, known, actor, course_id))


@post("/courses/{course_id:uuid}/review", status_code=200, opt=permit.action(Action.course_review))
async def review(
    resources: Resources, known: Known, actor: Actor, course_id: UUID, data: ReviewGiven
) -> Response[CourseShape]:
    """Approve it or send it back with a note."""
    return await _acted(resources, known, lambda tx: actions.review(tx, resources, known, actor, course_id, data))


@post("/courses/{course_id:uuid}/filing", status_code=200, opt=permit.action(Action.course_file))
async def filing(resources: Resources, known: Known, actor: Actor, course_id: UUID) -> Response[CourseShape]:
    """Record that it was filed (备案)."""
    return await _acted(resources, known, lambda tx: actions.file(tx, resources, known, actor, course_id))


@post("/courses/{course_id:uuid}/publication", status_code=200, opt=permit.action(Action.course_publish))
async def publication(resources: Resources, known: Known, actor: Actor, course_id: UUID) -> Response[CourseShape]:
    """Let its audience in."""
    return await _acted(resources, known, lambda tx: actions.publish(tx, resources, known, actor, course_id))


@post("/courses/{course_id:uuid}/playback", status_code=201, opt=permit.action(Action.course_read))
async def play(
    request: Request[Any, Any, Any], resources: Resources, known: Known, course_id: UUID
) -> PlaybackShape:  # fmt: skip
    """An address that plays the course's video."""
    async with resources.catalogue.transaction() as tx:
        course = await actions.visible(tx, known, course_id)
    return playback(request, resources, known, "replay", course.recording_id)


@get("/courses/{course_id:uuid}/poster", media_type=JPEG, opt=permit.action(Action.course_read))
async def poster(
    request: Request[Any, Any, Any], resources: Resources, known: Known, course_id: UUID
) -> Response[bytes]:
    """Its picture in lists."""
    async with resources.catalogue.transaction() as tx:
        course = await actions.visible(tx, known, course_id)
        recording = await recordings.get(tx, course.recording_id)
    if recording.poster_key is None:
        raise Refusal(RefusalCode.not_found, kind="poster", id=course_id)
    return await send_object(request, resources, recording.poster_key, JPEG)


async def _acted(
    resources: Resources, known: Known, act: Callable[[Transaction], Awaitable[Course]]
) -> Response[CourseShape]:
    async with resources.catalogue.transaction() as tx:
        (shape,) = await actions.shapes(tx, known, [await act(tx)])
    return Response(shape, headers=etag(shape.version))


COURSE_ROUTES = [
    listing, one, promote, change, submission, review, filing, publication, play, poster,
]  # fmt: skip
