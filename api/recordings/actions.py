"""What people do with recordings: see, rename, replay, hold, purge, rescue, promote, try failed work again."""

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

import msgspec

from api.permit import grants_of, require_for
from api.recordings.schemas import (
    CertificateShape,
    HoldShape,
    PromotionOrder,
    PurgeOrder,
    RecordingChange,
    StillShape,
    WorkShape,
)
from api.resources import Resources
from api.shapes import Person
from api.versions import Seen
from domain.facts import WorkRetried
from domain.kinds import Role
from domain.permissions import Action, Scope, actions, may
from domain.refusals import Refusal, RefusalCode
from domain.release import Playable, may_play, require_play
from domain.retention import require_confirmed, require_holdable, require_purgeable
from domain.states import RecordingState
from storage.catalogue import courses, holds, recordings, retention, stills, work
from storage.catalogue.sign_ins import Known
from storage.catalogue.tables.certificate import Certificate
from storage.catalogue.tables.course import Course
from storage.catalogue.tables.hold import Hold
from storage.catalogue.tables.recording import Recording
from storage.catalogue.tables.still import StillKind
from storage.catalogue.tables.work import Work
from storage.catalogue.transaction import Actor, Transaction

SHOWN_ACTIONS = (
    Action.recording_play, Action.recording_edit, Action.recording_hold, Action.recording_hold_lift,
    Action.recording_promote, Action.recording_purge, Action.certificate_read,
)  # fmt: skip
ORDERED = "ordered: "
RESCUED_DAYS = 30
"""A recording that expired and is rescued gets this long to be promoted or held."""


def scope_of(recording: Recording) -> Scope:
    """Where a recording stands, as permissions ask."""
    return Scope(recording.department_id, recording.programme_id, recording.cohort_id)


def is_own(known: Known, recording: Recording) -> bool:
    """Whether this account taught it."""
    return recording.instructor_id == known.account.id


def playable(recording: Recording) -> Playable:
    """The recording as `domain.release` asks about it."""
    owners = frozenset({recording.instructor_id} if recording.instructor_id else ())
    return Playable(recording.release, recording.reviewed_at is not None, scope_of(recording), owners)


def is_visible(known: Known, recording: Recording) -> bool:
    """Whether this account sees that the recording exists: by duty, or because it may replay it."""
    return sees_by_duty(known, recording) or may_play(known.viewer(), playable(recording))


def sees_by_duty(known: Known, recording: Recording) -> bool:
    """Whether this account has to do with the recording otherwise than as its audience."""
    duties = [grant for grant in known.grants if grant.role != Role.learner]
    return may(duties, Action.recording_read, scope_of(recording), is_own(known, recording))


def allowed(known: Known, recording: Recording, standing: Sequence[Hold]) -> list[Action]:
    """What the account may do to the recording: what it is shown, and what a route then takes from it.

    Playing is more than the table's word (the release decides too), and a hold is lifted by who may lift one of these.
    """
    own, scope = is_own(known, recording), scope_of(recording)
    found = actions(grants_of(known), scope, own, SHOWN_ACTIONS)
    decided = {
        Action.recording_play: may_play(known.viewer(), playable(recording)),
        Action.recording_hold_lift: any(may_lift(known, recording, hold) for hold in standing),
    }
    return [one for one in SHOWN_ACTIONS if decided.get(one, one in found)]


def may_lift(known: Known, recording: Recording, hold: Hold) -> bool:
    """Whether the account may lift this hold. OWN means one's own hold: nobody lifts what others placed on his."""
    mine = hold.placed_by == known.account.id
    return may(grants_of(known), Action.recording_hold_lift, scope_of(recording), mine)


async def readable(tx: Transaction, known: Known, recording_id: UUID) -> Recording:
    """The recording; Refusal("not_found") for whoever may not see it."""
    recording = await recordings.get(tx, recording_id)
    if not is_visible(known, recording):
        raise Refusal(RefusalCode.not_found, kind="recording", id=recording_id)
    return recording


async def locked(
    tx: Transaction, known: Known, recording_id: UUID, needed: Action, seen: Seen | None = None
) -> Recording:
    """The recording under its row's lock, for whoever may do `needed` to it, and as it was `seen`."""
    await readable(tx, known, recording_id)
    recording = await recordings.lock(tx, recording_id)
    require_for(known, needed, scope_of(recording), own=is_own(known, recording))
    if seen is not None:
        seen.require(recording)
    return recording


async def change(
    tx: Transaction, known: Known, actor: Actor, recording_id: UUID, wanted: RecordingChange, seen: Seen
) -> Recording:
    """Rename it."""
    recording = await locked(tx, known, recording_id, Action.recording_edit, seen)
    before = recording.title
    if wanted.title is not msgspec.UNSET:
        recording.title = wanted.title
    await tx.session.flush()
    await tx.audit(actor, "recording_changed", "recording", recording.id, before=before, after=recording.title)
    return recording


async def require_replayable(tx: Transaction, known: Known, recording_id: UUID) -> Recording:
    """The recording, if this account may replay it now. Refusals: not_found, not_released, already_purged."""
    recording = await readable(tx, known, recording_id)
    if recording.state in (RecordingState.purging, RecordingState.purged):
        raise Refusal(RefusalCode.already_purged)
    require_play(known.viewer(), playable(recording))
    return recording


async def place_hold(
    tx: Transaction, resources: Resources, known: Known, actor: Actor, recording_id: UUID, reason: str
) -> HoldShape:
    """Stop its purging. Refusal("already_purged") once its objects go."""
    recording = await locked(tx, known, recording_id, Action.recording_hold)
    require_holdable(recording.state)
    hold = await holds.place(tx, recording_id, reason, known.account.id, resources.clock())
    await tx.audit(actor, "recording_held", "recording", recording_id, hold=str(hold.id), reason=reason)
    placer = Person(known.account.id, known.account.display_name)
    return HoldShape(hold.id, hold.reason, placer, hold.placed_at, lift_if(may_lift(known, recording, hold)))


async def lift_hold(
    tx: Transaction, resources: Resources, known: Known, actor: Actor, recording_id: UUID, hold_id: UUID, reason: str
) -> None:
    """Let the clock run again. Refusals: not_found, not_permitted."""
    recording = await readable(tx, known, recording_id)
    standing = (await holds.standing(tx, [recording_id])).get(recording_id, [])
    hold = next((one for one in standing if one.id == hold_id), None)
    if hold is not None and not may_lift(known, recording, hold):
        raise Refusal(RefusalCode.not_permitted, action=Action.recording_hold_lift)
    await holds.lift(tx, recording_id, hold_id, known.account.id, reason, resources.clock())
    await tx.audit(actor, "recording_hold_lifted", "recording", recording_id, hold=str(hold_id), reason=reason)


async def order_purge(
    tx: Transaction, resources: Resources, known: Known, actor: Actor, recording_id: UUID, order: PurgeOrder
) -> Recording:
    """Mark it for purging at once; a worker purges it and writes the certificate."""
    recording = await locked(tx, known, recording_id, Action.recording_purge)
    require_confirmed(recording.title, order.confirm_title)
    require_purgeable(await retention.holding(tx, recording))
    await retention.mark(tx, recording, f"{ORDERED}{order.reason}", resources.clock())
    await tx.audit(actor, retention.MARKED, "recording", recording_id, reason=order.reason)
    return recording


async def rescue(tx: Transaction, resources: Resources, known: Known, actor: Actor, recording_id: UUID) -> Recording:
    """Take it out of the trash; what had expired gets some days more."""
    recording = await locked(tx, known, recording_id, Action.recording_hold)
    now = resources.clock()
    expires_at = recording.expires_at
    if expires_at is not None and expires_at <= now:
        expires_at = now + timedelta(days=RESCUED_DAYS)
    await retention.rescue(tx, recording, expires_at)
    await tx.audit(actor, "recording_rescued", "recording", recording_id)
    return recording


async def promote(
    tx: Transaction, resources: Resources, known: Known, actor: Actor, recording_id: UUID, order: PromotionOrder
) -> Course:
    """Make a draft course of it; from here on it is kept."""
    await locked(tx, known, recording_id, Action.recording_promote)
    course = await courses.promote(
        tx, recording_id, title=order.title, summary=order.summary, audience=order.audience,
        provider_id=known.account.id, now=resources.clock(),
    )  # fmt: skip
    await tx.audit(actor, "recording_promoted", "recording", recording_id, course=str(course.id))
    return course


async def still_shapes(tx: Transaction, known: Known, recording_id: UUID) -> list[StillShape]:
    """The pictures along its time line."""
    recording = await readable(tx, known, recording_id)
    return [
        StillShape(one.at_ms, one.width, one.height, f"/api/v1/recordings/{recording.id}/stills/{one.at_ms}")
        for one in await stills.of_recording(tx, recording.id)
        if one.kind == StillKind.still
    ]


async def still_key(tx: Transaction, known: Known, recording_id: UUID, at_ms: int) -> str:
    """The object of one picture; Refusal("not_found")."""
    await readable(tx, known, recording_id)
    for one in await stills.of_recording(tx, recording_id):
        if one.kind == StillKind.still and one.at_ms == at_ms:
            return one.object_key
    raise Refusal(RefusalCode.not_found, kind="still", id=str(at_ms))


async def work_shapes(tx: Transaction, known: Known, recording_id: UUID) -> list[WorkShape]:
    """The work on its media, for those who may edit it."""
    recording = await readable(tx, known, recording_id)
    require_for(known, Action.recording_edit, scope_of(recording), own=is_own(known, recording))
    return [work_shape(one) for one in await work.of_recording(tx, recording_id)]


async def try_work_again(
    tx: Transaction, resources: Resources, known: Known, actor: Actor, recording_id: UUID, work_id: UUID
) -> Work:
    """Queue failed work anew. Refusals: not_found, not_permitted, move_not_allowed where it has not failed."""
    await locked(tx, known, recording_id, Action.recording_edit)
    item = await work.try_again(tx, recording_id, work_id, resources.clock())
    await tx.fact(WorkRetried(recording_id, work_id))
    await tx.audit(actor, "work_retried", "recording", recording_id, work=str(work_id), kind=item.kind)
    return item


def work_shape(one: Work) -> WorkShape:
    """A piece of work as it is shown."""
    return WorkShape(
        one.id, one.kind, one.state, one.attempts, one.queued_at, one.started_at, one.finished_at, one.error, one.log
    )


def certificate_shape(one: Certificate) -> CertificateShape:
    """A certificate as it is shown."""
    return CertificateShape(
        id=one.id, recording_id=one.recording_id, session_id=one.session_id, title=one.title,
        purged_at=one.purged_at, verified_at=one.verified_at, reason=one.reason, objects=one.objects,
        bytes=one.bytes, listing_sha256=one.listing_sha256.hex(), actor=one.actor,
    )  # fmt: skip


def lift_if(may_be_lifted: bool) -> list[Action]:
    """A hold's own `may`."""
    return [Action.recording_hold_lift] if may_be_lifted else []
