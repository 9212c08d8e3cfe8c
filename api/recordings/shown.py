"""How recordings are shown: to whom, with what stands beside them in the catalogue, and what may be done to them."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from uuid import UUID

from api.courses.actions import is_visible as course_is_visible
from api.recordings.actions import ORDERED, allowed, lift_if, may_lift, sees_by_duty
from api.recordings.schemas import EncodingShape, HoldShape, LiftedHoldShape, RecordingShape
from api.resources import Resources
from api.sessions.actions import peak_shown
from api.shapes import Person, Place
from domain.states import RecordingState
from storage.catalogue import accounts, courses, holds, institute, sessions, work
from storage.catalogue.sign_ins import Known
from storage.catalogue.tables.hold import Hold
from storage.catalogue.tables.recording import Recording
from storage.catalogue.transaction import Transaction


async def shapes(
    tx: Transaction, resources: Resources, known: Known, found: Sequence[Recording]
) -> list[RecordingShape]:
    """Recordings as they are shown to this account."""
    ids = [one.id for one in found]
    programmes = await institute.programmes_by_id(tx, {one.programme_id for one in found if one.programme_id})
    cohorts = await institute.cohorts_by_id(tx, {one.cohort_id for one in found if one.cohort_id})
    taught = await sessions.by_id(tx, {one.session_id for one in found})
    standing, progress = await holds.standing(tx, ids), await work.progress(tx, ids)
    lifted = await holds.lifted(tx, [one.id for one in found if sees_by_duty(known, one)])
    people = await _people(
        tx, found, [hold for held in (standing, lifted) for listed in held.values() for hold in listed]
    )
    kept = await courses.newest_of(tx, [one.id for one in found if one.state == RecordingState.promoted])
    shown = []
    for one in found:
        made = progress.get(one.id, work.Progress())
        course = kept.get(one.id)
        if course is not None and not course_is_visible(known, course):
            course = None  # that a draft exists is nobody else's business
        shown.append(
            RecordingShape(
                id=one.id, session_id=one.session_id, title=one.title, state=one.state,
                instructor=people.get(one.instructor_id) if one.instructor_id else None,
                programme=Place(one.programme_id, programmes[one.programme_id].title) if one.programme_id else None,
                cohort=Place(one.cohort_id, cohorts[one.cohort_id].title) if one.cohort_id else None,
                release=one.release, reviewed_at=one.reviewed_at, retention_class=one.retention_class,
                started_at=one.started_at, ended_at=one.ended_at, expires_at=one.expires_at,
                duration_ms=one.duration_ms, bytes=one.bytes, peak_viewers=peak_shown(known, taught[one.session_id]),
                poster_url=f"/api/v1/recordings/{one.id}/poster" if one.poster_key else None,
                encoding=EncodingShape(made.done, made.total, made.failed),
                holds=[_hold_shape(known, one, hold, people) for hold in standing.get(one.id, ())],
                lifted_holds=[_lifted_shape(hold, people) for hold in lifted.get(one.id, ())],
                marked_at=one.marked_at, purge_begins_at=purge_begins_at(one, resources.trash_grace),
                purge_reason=one.purge_reason, course_id=course.id if course else None,
                version=one.version,
                may=allowed(known, one, standing.get(one.id, ())),
            )
        )  # fmt: skip
    return shown


def purge_begins_at(recording: Recording, grace: timedelta) -> datetime | None:
    """Until when its mark can be taken back; None where it has none, and where a person ordered it away at once."""
    if recording.state != RecordingState.marked or recording.marked_at is None:
        return None
    return None if (recording.purge_reason or "").startswith(ORDERED) else recording.marked_at + grace


async def _people(tx: Transaction, found: Sequence[Recording], every_hold: Sequence[Hold]) -> dict[UUID, Person]:
    named = {one.instructor_id for one in found}
    named |= {who for hold in every_hold for who in (hold.placed_by, hold.lifted_by)}
    rows = await accounts.by_id(tx, {one for one in named if one})
    return {key: Person(key, row.display_name) for key, row in rows.items()}


def _hold_shape(known: Known, recording: Recording, hold: Hold, people: Mapping[UUID, Person]) -> HoldShape:
    placer = people.get(hold.placed_by) if hold.placed_by else None
    return HoldShape(hold.id, hold.reason, placer, hold.placed_at, lift_if(may_lift(known, recording, hold)))


def _lifted_shape(hold: Hold, people: Mapping[UUID, Person]) -> LiftedHoldShape:
    placer = people.get(hold.placed_by) if hold.placed_by else None
    lifter = people.get(hold.lifted_by) if hold.lifted_by else None
    if hold.lifted_at is None:
        raise ValueError(f"hold {hold.id} stands")
    return LiftedHoldShape(hold.id, hold.reason, placer, hold.placed_at, hold.lift_reason or "", lifter, hold.lifted_at)
