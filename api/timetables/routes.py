"""/api/v1/timetables and /api/v1/timetable-imports (R4)."""

from typing import Annotated, Any

from litestar import Request, Response, get, post
from litestar.enums import RequestEncodingType
from litestar.openapi import ResponseSpec
from litestar.params import Body

from api import permit, problems
from api.idempotency import once
from api.resources import Resources
from api.shapes import PageShape
from api.timetables import actions
from api.timetables.actions import Upload
from api.timetables.schemas import ImportForm, ImportShape, TimetableShape
from domain.permissions import Action
from domain.refusals import Refusal, RefusalCode
from storage.catalogue.sign_ins import Known
from storage.catalogue.transaction import Actor, Transaction

MOST_RACES = 3


@get("/timetables", opt=permit.action(Action.timetable_read))
async def listing(resources: Resources, known: Known) -> PageShape[TimetableShape]:
    """Timetables within reach, by title; there are few, so they come as one page."""
    async with resources.catalogue.transaction() as tx:
        return PageShape(await actions.visible(tx, known), None)


@post(
    "/timetable-imports",
    opt=permit.action(Action.timetable_import),
    # Raised by the form's parser for a field that is not UTF-8; the file itself is read elsewhere, by its own rules.
    exception_handlers={UnicodeDecodeError: problems.from_undecodable},
    responses={200: ResponseSpec(ImportShape, generate_examples=False, description="Only tried; nothing was done")},
)
async def take(
    request: Request[Any, Any, Any], resources: Resources, known: Known, actor: Actor,
    data: Annotated[ImportForm, Body(media_type=RequestEncodingType.MULTI_PART)],
) -> Response[ImportShape]:  # fmt: skip
    """Import a timetable (iCalendar, CSV or XLSX; docs/timetables.md) as sessions.

    Importing the same file again changes nothing. Bad rows are told by their numbers, the rest is taken; a file that is
    unreadable as a whole (400) or passes a limit (413) changes nothing. With `preview=true` the same report says what
    would be done (200), and nothing is; an Idempotency-Key means nothing then.
    """
    upload = Upload(data.file.filename, await data.file.read())
    reading = await actions.read(resources, known, data.timetable, upload)

    async def create(tx: Transaction) -> ImportShape:
        return await actions.take(tx, resources, known, actor, data.timetable, reading, upload)

    async def look(tx: Transaction) -> ImportShape:
        return await actions.try_out(tx, resources, known, actor, data.timetable, reading, upload)

    async def answer() -> Response[ImportShape]:
        if data.preview:
            return Response(await resources.catalogue.run(look), status_code=200)
        return await once(request, resources, known, create, content=content)

    content = data.timetable.encode() + b"\0" + upload.data
    for _ in range(MOST_RACES):
        try:
            return await answer()
        except Refusal as refusal:
            # Another import booked a slot after this one had looked; looked at again, it is a row that clashes.
            if refusal.code != RefusalCode.slot_taken:
                raise
    return await answer()


TIMETABLE_ROUTES = [listing, take]
