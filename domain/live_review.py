"""Who may be a session's reviewer, and when one may be named.

Rule of this file (articles 14, 15; mission R13): who reviews a session is somebody other than who speaks, and somebody
who may cut it. A major event always has one. Whether a session is held back from its audience is settled when it goes
live (`broadcast_delay`): from then on one reviewer may follow another, but none comes or goes where that would change
how it is shown.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from domain.broadcast_delay import held_seconds, is_reviewed
from domain.kinds import SessionKind
from domain.permissions import Action, Grant, Scope, may
from domain.refusals import Refusal, RefusalCode
from domain.states import SessionState

OVER = frozenset({SessionState.ended, SessionState.cancelled})


@dataclass(frozen=True)
class Reviewed:
    """What is asked of a session when its reviewer is named."""

    kind: SessionKind
    state: SessionState
    delay_seconds: int
    reviewer_id: UUID | None
    instructor_id: UUID | None
    scope: Scope
    was_live: bool


def may_review(grants: Iterable[Grant], session: Reviewed, account_id: UUID) -> bool:
    """Whether the account with these grants can be the session's reviewer."""
    return account_id != session.instructor_id and may(grants, Action.session_control, session.scope, own=True)


def require_may_review(grants: Iterable[Grant], session: Reviewed, account_id: UUID) -> None:
    """As `may_review`, with Refusal("self_review") for who speaks and Refusal("wrong_reviewer") for another no."""
    if account_id == session.instructor_id:
        raise Refusal(RefusalCode.self_review, account_id=account_id)
    if not may_review(grants, session, account_id):
        raise Refusal(RefusalCode.wrong_reviewer, account_id=account_id, wanted=Action.session_control)


def require_may_change(session: Reviewed, reviewer_id: UUID | None) -> None:
    """Refusal where this session cannot have this reviewer, or none, now: session_over, filing_incomplete,
    move_not_allowed.
    """
    if session.state in OVER:
        raise Refusal(RefusalCode.session_over, state=session.state)
    if reviewer_id is None and session.kind == SessionKind.major:
        raise Refusal(RefusalCode.filing_incomplete, missing="reviewer_id")
    before = _as_shown(session.reviewer_id, session.delay_seconds)
    if session.was_live and before != _as_shown(reviewer_id, session.delay_seconds):
        raise Refusal(RefusalCode.move_not_allowed, field="reviewer_id", state=session.state)


def _as_shown(reviewer_id: UUID | None, delay_seconds: int) -> tuple[int, bool]:
    return held_seconds(reviewer_id, delay_seconds), is_reviewed(reviewer_id, delay_seconds)
