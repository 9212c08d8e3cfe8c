"""Listing timetables and importing into one."""

import asyncio
from dataclasses import dataclass
from pathlib import PurePosixPath
from uuid import UUID

import msgspec

from api.permit import grants_of, reach_of, require_for
from api.resources import Resources
from api.shapes import Place
from api.timetables.schemas import ImportShape, TimetableShape
from domain.permissions import Action, Scope, actions
from domain.refusals import Refusal, RefusalCode
from storage.catalogue import institute, timetable_sessions, timetables
from storage.catalogue.sign_ins import Known
from storage.catalogue.tables.cohort import Cohort
from storage.catalogue.tables.programme import Programme
from storage.catalogue.tables.timetable import Timetable
from storage.catalogue.transaction import Actor, Transaction
from teaching.timetable_file import Reading, read_timetable
from teaching.timetable_import import SourceFile, import_rows

SHOWN_ACTIONS = (Action.timetable_read, Action.timetable_import)
LONGEST_FILE_NAME = 200


@dataclass(frozen=True, slots=True)
class Upload:
    """A file as it was sent."""

    name: str
    data: bytes


async def visible(tx: Transaction, known: Known) -> list[TimetableShape]:
    """The timetables within the account's reach; one's own are those in which one teaches."""
    reach = reach_of(known, Action.timetable_read)
    mine = await timetable_sessions.taught_by(tx, known.account.id) if reach.own else set()
    found = await timetables.every(tx)
    cohorts = await institute.cohorts_by_id(tx, {one.cohort_id for one in found if one.cohort_id})
    wanted = {one.programme_id for one in found if one.programme_id} | {one.programme_id for one in cohorts.values()}
    programmes = await institute.programmes_by_id(tx, wanted)
    shapes = [_shape(known, one, one.id in mine, programmes, cohorts) for one in found]
    return [shape for shape in shapes if Action.timetable_read in shape.may]


async def named(tx: Transaction, known: Known, name: str) -> Timetable:
    """The timetable of that slug or id, for whoever may import into it. Refusals: not_found, not_permitted."""
    timetable = await timetables.by_slug(tx, name.strip())
    if timetable is None:
        timetable = next((one for one in await timetables.every(tx) if str(one.id) == name.strip().lower()), None)
    if timetable is None:
        raise Refusal(RefusalCode.not_found, kind="timetable", id=name[:LONGEST_FILE_NAME])
    scope = await institute.scope_of(tx, timetable.programme_id, timetable.cohort_id)
    require_for(known, Action.timetable_import, scope)
    return timetable


async def read(resources: Resources, known: Known, name: str, upload: Upload) -> Reading:
    """The file's rows, read in a thread and only for whoever may import them. Refusals: invalid_input, too_large."""
    async with resources.catalogue.transaction() as tx:
        await named(tx, known, name)
    return await asyncio.to_thread(read_timetable, upload.data, resources.teaching, resources.clock())


async def take(
    tx: Transaction, resources: Resources, known: Known, actor: Actor, name: str, reading: Reading, upload: Upload
) -> ImportShape:  # fmt: skip
    """Take a reading into the timetable."""
    timetable = await named(tx, known, name)
    source = SourceFile(PurePosixPath(upload.name.replace("\\", "/")).name[:LONGEST_FILE_NAME], upload.data, actor)
    made = await import_rows(tx, timetable.id, reading, source, resources.clock())
    return msgspec.convert({**made.report, "id": made.id}, ImportShape)


async def try_out(
    tx: Transaction, resources: Resources, known: Known, actor: Actor, name: str, reading: Reading, upload: Upload
) -> ImportShape:  # fmt: skip
    """What `take` would answer, with nothing done: sessions, bookings, facts and audit stay as they are."""
    report = await take(tx, resources, known, actor, name, reading, upload)
    await tx.undo()
    return msgspec.structs.replace(report, id=None)


def _shape(
    known: Known, one: Timetable, own: bool, programmes: dict[UUID, Programme], cohorts: dict[UUID, Cohort]
) -> TimetableShape:  # fmt: skip
    cohort = cohorts[one.cohort_id] if one.cohort_id else None
    programme_id = cohort.programme_id if cohort else one.programme_id
    programme = programmes[programme_id] if programme_id else None
    scope = Scope(programme.department_id if programme else None, programme_id, one.cohort_id)
    return TimetableShape(
        id=one.id,
        slug=one.slug,
        title=one.title,
        programme=Place(programme.id, programme.title) if programme else None,
        cohort=Place(cohort.id, cohort.title) if cohort else None,
        may=actions(grants_of(known), scope, own, SHOWN_ACTIONS),
    )
