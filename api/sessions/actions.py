"""What people do with sessions: read, change, get the ingest address, cut, resume, kick, end, watch."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

import msgspec

from api.control import tell_owner, tell_reviewed
from api.permit import grants_of, require_for
from api.resources import Resources
from api.sessions.schemas import IngestShape, SessionChange, SessionCommand, SessionShape, View
from api.shapes import Person, Place
from api.versions import Seen
from domain.admission import AdmissionLimits
from domain.broadcast_delay import held_seconds, is_reviewed, require_delay_fits
from domain.ingest_key import derive, key_hash
from domain.kinds import Slot
from domain.permissions import Action, Scope, may
from domain.playback_token import PlaybackKind
from domain.refusals import Refusal, RefusalCode
from domain.release import Playable, may_watch_live, require_watch_live
from domain.states import SessionMove, SessionState
from storage.catalogue import accounts, credentials, institute, recordings, sessions, withdrawals
from storage.catalogue.credentials import NewCredential
from storage.catalogue.identifiers import new_id
from storage.catalogue.sign_ins import Known
from storage.catalogue.tables.ingest_credential import IngestCredential
from storage.catalogue.tables.session import Session
from storage.catalogue.transaction import Actor, Transaction
from storage.live_state import LiveState

SHOWN_ACTIONS = (
    Action.session_edit, Action.session_publish, Action.session_control, Action.session_name_reviewer,
    Action.session_play,
)  # fmt: skip
SEES_REVIEWER = (Action.session_control, Action.session_name_reviewer, Action.evidence_read)
SEES_PEAK = (Action.session_edit, Action.session_control)
SEES_ENCODER = (Action.session_publish, Action.session_control)
MAY_KNOW_WHY = (Action.session_control, Action.evidence_read)
"""Whoever may do one of these is told why a session was cut; its audience is not."""
MOVES: dict[SessionCommand, SessionMove] = {
    "cut": SessionMove.cut,
    "resume": SessionMove.resume,
    "end": SessionMove.end,
}
LIMITS = AdmissionLimits()


def scope_of(session: Session) -> Scope:
    """Where a session stands, as permissions ask."""
    return Scope(session.department_id, session.programme_id, session.cohort_id)


def playable(session: Session) -> Playable:
    """The session as `domain.release` asks about it."""
    owners = (session.instructor_id, session.responsible_id, session.reviewer_id)
    return Playable(session.release, False, scope_of(session), frozenset(one for one in owners if one))


def allowed(known: Known, session: Session, among: Sequence[Action]) -> list[Action]:
    """Which of these the account may do to the session: what it is shown, and what a route then takes from it.

    Watching is more than the table's word: the session's release decides too.
    """
    grants, scope = grants_of(known), scope_of(session)
    return [
        one for one in among
        if (may_watch_live(known.viewer(), playable(session)) if one == Action.session_play
            else may(grants, one, scope, sessions.is_own(session, known.account.id, one)))
    ]  # fmt: skip


def peak_shown(known: Known, session: Session) -> int | None:
    """How many watched it live at one time, for this account."""
    return session.peak_viewers if allowed(known, session, SEES_PEAK) else None


async def readable(tx: Transaction, known: Known, session_id: UUID) -> Session:
    """The session; Refusal("not_found") for whoever may not read it."""
    session = await sessions.get(tx, session_id)
    if Action.session_read not in allowed(known, session, (Action.session_read,)):
        raise Refusal(RefusalCode.not_found, kind="session", id=session_id)
    return session


async def locked(tx: Transaction, known: Known, session_id: UUID, needed: Action, seen: Seen | None) -> Session:
    """The session under its row's lock, for whoever may do `needed` to it, and as it was `seen`."""
    await readable(tx, known, session_id)
    session = await sessions.lock(tx, session_id)
    require_for(known, needed, scope_of(session), own=sessions.is_own(session, known.account.id, needed))
    if seen is not None:
        seen.require(session)
    return session


async def shapes(tx: Transaction, known: Known, found: Sequence[Session]) -> list[SessionShape]:
    """Sessions as they are shown to this account."""
    programmes = await institute.programmes_by_id(tx, {one.programme_id for one in found if one.programme_id})
    cohorts = await institute.cohorts_by_id(tx, {one.cohort_id for one in found if one.cohort_id})
    named = {one for row in found for one in (row.instructor_id, row.reviewer_id) if one}
    people = {one.id: Person(one.id, one.display_name) for one in (await accounts.by_id(tx, named)).values()}
    recorded = await recordings.of_sessions(tx, [one.id for one in found])
    return [
        SessionShape(
            id=one.id, kind=one.kind, interaction=one.interaction, title=one.title, state=one.state,
            starts_at=one.starts_at, ends_at=one.ends_at, room=one.room,
            programme=Place(one.programme_id, programmes[one.programme_id].title) if one.programme_id else None,
            cohort=Place(one.cohort_id, cohorts[one.cohort_id].title) if one.cohort_id else None,
            instructor=people[one.instructor_id] if one.instructor_id else None,
            reviewer=people[one.reviewer_id] if one.reviewer_id and allowed(known, one, SEES_REVIEWER) else None,
            recording_id=recorded[one.id].id if one.id in recorded else None,
            recording_state=recorded[one.id].state if one.id in recorded else None,
            release=one.release,
            delay_seconds=held_seconds(one.reviewer_id, one.delay_seconds),
            cut_reason=one.cut_reason if allowed(known, one, MAY_KNOW_WHY) else None,
            went_live_at=one.went_live_at, ended_at=one.ended_at,
            peak_viewers=peak_shown(known, one),
            version=one.version,
            may=allowed(known, one, SHOWN_ACTIONS),
        )
        for one in found
    ]  # fmt: skip


async def change(
    tx: Transaction, known: Known, actor: Actor, session_id: UUID, wanted: SessionChange, seen: Seen
) -> Session:
    """Change title, room or delay; what is over keeps its record, and what is live its delay."""
    session = await locked(tx, known, session_id, Action.session_edit, seen)
    if session.state in (SessionState.ended, SessionState.cancelled):
        raise Refusal(RefusalCode.session_over, state=session.state)
    before = _changeable(session)
    if wanted.title is not msgspec.UNSET:
        session.title = wanted.title
    if wanted.room is not msgspec.UNSET:
        session.room = wanted.room
    if wanted.delay_seconds is not msgspec.UNSET:
        require_delay_fits(session.reviewer_id, wanted.delay_seconds)
        if session.went_live_at is not None and wanted.delay_seconds != session.delay_seconds:
            raise Refusal(RefusalCode.move_not_allowed, field="delay_seconds", state=session.state)
        session.delay_seconds = wanted.delay_seconds
    await tx.session.flush()
    await tx.audit(actor, "session_changed", "session", session.id, before=before, after=_changeable(session))
    return session


async def ingest_address(
    tx: Transaction, resources: Resources, known: Known, actor: Actor, session_id: UUID, *, renew: bool
) -> IngestShape:
    """The session's main ingest address; its key is made at the first call, and anew when `renew`ed."""
    session = await locked(tx, known, session_id, Action.session_publish, None)
    if session.state not in (SessionState.scheduled, SessionState.live, SessionState.cut):
        raise Refusal(RefusalCode.session_not_scheduled, state=session.state)
    now = resources.clock()
    standing = await credentials.standing(tx, session.id, Slot.main, now)
    not_before, not_after = _window(session)
    if renew or standing is None or (standing.not_before, standing.not_after) != (not_before, not_after):
        await credentials.revoke(tx, session.id, Slot.main, now)
        standing = await _issue(tx, resources, known, session)
        await tx.audit(actor, "ingest_key_issued", "session", session.id, credential=str(standing.id), renewed=renew)
    return IngestShape(
        rtmp_server=resources.settings.rtmp_public_url,
        rtmps_server=resources.settings.rtmps_public_url or None,
        key=derive(resources.keys.ingest, standing.id),
        whip_url=f"{resources.settings.ingest_public_url}/whip/{session.id}",
        slot=standing.slot,
        not_before=standing.not_before,
        not_after=standing.not_after,
    )


async def command(
    resources: Resources, known: Known, actor: Actor, session_id: UUID, order: SessionCommand, reason: str
) -> tuple[Session, bool]:
    """Cut, resume, kick or end: decided and recorded in the catalogue, then told to the owner in two ways. The session,
    and whether the order is known to be carried out.

    The catalogue's NOTIFY goes out with the commit; the direct call makes it quicker and may fail.
    """
    async with resources.catalogue.transaction() as tx:
        session = await locked(tx, known, session_id, Action.session_control, None)
        if order in MOVES:
            await sessions.move(tx, session, MOVES[order], resources.clock(), reason)
        elif session.state not in (SessionState.live, SessionState.cut):
            raise Refusal(RefusalCode.not_live)
        else:
            await sessions.numbered_anew(tx, session)
        await sessions.control(tx, session.id, order, reason=reason)
        await tx.audit(actor, f"session_{order}", "session", session.id, reason=reason)
    if order == "cut" and is_reviewed(session.reviewer_id, session.delay_seconds):
        return session, await tell_reviewed(resources, session.id, reason, session.version)
    return session, await tell_owner(resources, session.id, order, reason, session.version)


async def require_watchable(tx: Transaction, known: Known, session_id: UUID) -> Session:
    """The session, if this account may watch it live now. Refusals: not_found, not_live, not_released,
    viewer_removed.
    """
    session = await readable(tx, known, session_id)
    require_watch_live(known.viewer(), playable(session))
    await withdrawals.require_not_barred(tx, session_id, known.account.id)
    if session.state not in (SessionState.live, SessionState.cut):
        raise Refusal(RefusalCode.not_live, state=session.state)
    return session


def kind_of_watching(known: Known, session: Session, view: View) -> PlaybackKind:
    """What is opened, and whether it counts: a learner who asks for a preview is of the audience all the same."""
    if view == "audience" or not allowed(known, session, SEES_ENCODER):
        return "live"
    return view


def why_nobody_publishes(found: LiveState, refusal: LiveState | None) -> LiveState:
    """The state of a session that waits for its encoder, with the reason why that was not let in a moment ago."""
    if refusal is None or found.problem_code is not None:
        return found
    return msgspec.structs.replace(found, problem_code=refusal.problem_code, problem_facts=refusal.problem_facts)


def shown_live(known: Known, session: Session, found: LiveState) -> LiveState:
    """What this account sees of the encoder: all of it who publishes or controls the session, others only its state.

    Nodes, encoders' names, rates and faults are how the house works: nothing that a viewer needs.
    """
    if allowed(known, session, SEES_ENCODER):
        return found
    return LiveState(session_id=session.id, node="", state=found.state, at=found.at)


def _changeable(session: Session) -> dict[str, str | int | None]:
    return {"title": session.title, "room": session.room, "delay_seconds": session.delay_seconds}


def _window(session: Session) -> tuple[datetime, datetime]:
    early, late = timedelta(seconds=LIMITS.early_seconds), timedelta(seconds=LIMITS.overrun_seconds)
    return session.starts_at - early, session.ends_at + late


async def _issue(tx: Transaction, resources: Resources, known: Known, session: Session) -> IngestCredential:
    credential_id = new_id()
    key = derive(resources.keys.ingest, credential_id)
    not_before, not_after = _window(session)
    new = NewCredential(credential_id, session.id, Slot.main, key_hash(key), not_before, not_after, known.account.id)
    return await credentials.issue(tx, new, resources.clock())
