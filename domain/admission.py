"""May this credential publish now, and if not, why not.

Rule of this file: every publish of every protocol is decided here and nowhere else. The answer depends on what is
passed in and on `now` alone. Order matters: what the key is comes before what the session is, so that a stranger
learns nothing of a session, and the node's own limits come last, so that a wrong key is told so on a full node too.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from domain.kinds import SessionKind, Slot
from domain.refusals import Refusal, RefusalCode
from domain.states import SessionState


@dataclass(frozen=True)
class Credential:
    """What a key was found to stand for: one session, one slot, one window."""

    session_id: UUID
    slot: Slot
    not_before: datetime
    not_after: datetime
    revoked_at: datetime | None = None


@dataclass(frozen=True)
class SessionFacts:
    """What admission needs to know of the session."""

    state: SessionState
    kind: SessionKind
    filing_approved: bool
    starts_at: datetime
    ends_at: datetime


@dataclass(frozen=True)
class Publisher:
    """Who publishes into the slot at present. `since` dates a connection that has sent no media yet."""

    active: bool
    last_media_at: datetime | None = None
    since: datetime | None = None


@dataclass(frozen=True)
class NodeLoad:
    """What the node carries already: its publishers, and the bytes free for the spool (None: not known)."""

    publishers: int = 0
    free_bytes: int | None = None


@dataclass(frozen=True)
class AdmissionLimits:
    """The windows' margins and the node's own limits; None is no limit."""

    early_seconds: float = 900
    overrun_seconds: float = 1800
    dead_after_seconds: float = 3
    max_publishers: int | None = None
    max_department_publishers: int | None = None
    min_free_bytes: int | None = None


@dataclass(frozen=True)
class Admission:
    """The yes. `takes_over`: a dead publisher of the slot is to be dropped first."""

    takes_over: bool


def admit(
    credential: Credential | None,
    session: SessionFacts | None,
    current: Publisher | None,
    *,
    now: datetime,
    limits: AdmissionLimits,
    load: NodeLoad = NodeLoad(),
    session_id: UUID | None = None,
) -> Admission:
    """Decides one publish; a Refusal says why not.

    `session_id` is the session that the encoder's address names (WHIP), if it names one: a key of another session is
    there as unknown as any wrong key. Codes: unknown_key, key_revoked, key_expired, outside_window, session_over,
    session_cancelled, session_not_scheduled, filing_missing, key_in_use, node_full, disk_full;
    `require_department_room` says department_full.
    """
    if credential is None or session is None or session_id not in (None, credential.session_id):
        raise Refusal(RefusalCode.unknown_key)
    _require_valid(credential, now)
    _require_admitting(session)
    if credential.slot != Slot.rehearsal:  # a rehearsal is before the class: its credential's window is its only one
        _require_in_window(session, now, limits)
    takes_over = _takes_over(current, now, limits)
    _require_room(session, load, limits, takes_over)
    return Admission(takes_over)


def readmit(
    credential: Credential | None,
    session: SessionFacts | None,
    current: Publisher | None,
    *,
    owned: bool,
    now: datetime,
    limits: AdmissionLimits,
    load: NodeLoad = NodeLoad(),
    session_id: UUID | None = None,
) -> Admission:
    """Decides a publish while the catalogue does not answer (docs/decisions/0033): an encoder that was let in may come
    back to where it was, by what was last known of it.

    `credential` and `session` are as the catalogue had them last, None for a key that was not let in here; `owned` says
    whether the session is live at this node, which has heard of no newer owner. The codes are those of `admit`, and
    catalogue_away for whoever has to wait: nobody can say yet whether it may.
    """
    if credential is None or session is None or credential.slot != Slot.main or not owned:
        raise Refusal(RefusalCode.catalogue_away)
    return admit(credential, session, current, now=now, limits=limits, load=load, session_id=session_id)


def _require_valid(credential: Credential, now: datetime) -> None:
    if credential.revoked_at is not None and credential.revoked_at <= now:
        raise Refusal(RefusalCode.key_revoked, revoked_at=credential.revoked_at)
    if now >= credential.not_after:
        raise Refusal(RefusalCode.key_expired, expired_at=credential.not_after)
    if now < credential.not_before:
        raise Refusal(RefusalCode.outside_window, opens_at=credential.not_before, closes_at=credential.not_after)


def _require_admitting(session: SessionFacts) -> None:
    if session.state == SessionState.cancelled:
        raise Refusal(RefusalCode.session_cancelled)
    if session.state == SessionState.ended:
        raise Refusal(RefusalCode.session_over)
    if session.kind == SessionKind.major and not session.filing_approved:
        raise Refusal(RefusalCode.filing_missing)
    if session.state not in (SessionState.scheduled, SessionState.live, SessionState.cut):
        raise Refusal(RefusalCode.session_not_scheduled, state=session.state)


def _require_in_window(session: SessionFacts, now: datetime, limits: AdmissionLimits) -> None:
    opens_at = session.starts_at - timedelta(seconds=limits.early_seconds)
    closes_at = session.ends_at + timedelta(seconds=limits.overrun_seconds)
    if not opens_at <= now < closes_at:
        raise Refusal(RefusalCode.outside_window, opens_at=opens_at, closes_at=closes_at)


def _takes_over(current: Publisher | None, now: datetime, limits: AdmissionLimits) -> bool:
    if current is None or not current.active:
        return False
    heard_at = current.last_media_at or current.since
    if heard_at is None or now - heard_at < timedelta(seconds=limits.dead_after_seconds):
        raise Refusal(RefusalCode.key_in_use, dead_after_seconds=int(limits.dead_after_seconds))
    return True


def _require_room(session: SessionFacts, load: NodeLoad, limits: AdmissionLimits, takes_over: bool) -> None:
    if limits.max_publishers is not None and load.publishers >= limits.max_publishers and not takes_over:
        raise Refusal(RefusalCode.node_full, max_publishers=limits.max_publishers)
    if session.state in (SessionState.live, SessionState.cut):
        return  # a class that has begun goes on, unrecorded while the disk is full
    if limits.min_free_bytes is not None and load.free_bytes is not None and load.free_bytes < limits.min_free_bytes:
        raise Refusal(RefusalCode.disk_full, free_bytes=load.free_bytes, min_free_bytes=limits.min_free_bytes)


def require_department_room(publishers: int, own_limit: int | None, limits: AdmissionLimits) -> None:
    """May the department's next encoder publish, beside the `publishers` that it has already on all nodes? No part of
    `admit`, since only a count under a lock, in the transaction that writes the take, holds when two come at once.

    `own_limit` is the department's, where it was given one; else the house's for every department counts.
    Refusal("department_full"): other departments keep their room however much one of them plans for the same hour.
    """
    most = limits.max_department_publishers if own_limit is None else own_limit
    if most is not None and publishers >= most:
        raise Refusal(RefusalCode.department_full, max_publishers=most, publishers=publishers)
