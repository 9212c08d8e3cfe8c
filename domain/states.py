"""Every state machine of the house, each as one table of allowed moves.

Rule of this file: what is not in a table is refused, and no state is set except by `Machine.move`. The drawings in
docs/states.md are made from these tables (`python -m domain.state_drawings`), and a test holds them equal.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum, auto
from typing import Any, Generic, TypeVar, cast

from domain.kinds import SessionKind
from domain.refusals import Refusal, RefusalCode

S = TypeVar("S", bound=StrEnum)
M = TypeVar("M", bound=StrEnum)


class SessionState(StrEnum):
    """A planned class or event, from its draft to its end."""

    draft = auto()
    filed = auto()
    approved = auto()
    scheduled = auto()
    live = auto()
    cut = auto()
    ended = auto()
    cancelled = auto()


class SessionMove(StrEnum):
    """What can happen to a session."""

    file = auto()
    return_ = auto()
    approve = auto()
    register = auto()
    schedule = auto()
    go_live = auto()
    cut = auto()
    resume = auto()
    end = auto()
    cancel = auto()


class TakeState(StrEnum):
    """One uninterrupted publish."""

    publishing = auto()
    ended = auto()


class TakeMove(StrEnum):
    """What can happen to a take."""

    end = auto()


class RecordingState(StrEnum):
    """What a session's takes left, until it is purged or kept."""

    capturing = auto()
    stored = auto()
    marked = auto()
    purging = auto()
    purged = auto()
    promoted = auto()


class RecordingMove(StrEnum):
    """What can happen to a recording."""

    capture_ended = auto()
    mark = auto()
    rescue = auto()
    purge = auto()
    purged = auto()
    promote = auto()
    withdraw = auto()


class CourseState(StrEnum):
    """A course on its way through review to its audience."""

    draft = auto()
    in_review = auto()
    returned = auto()
    approved = auto()
    published = auto()
    withdrawn = auto()


class CourseMove(StrEnum):
    """What can happen to a course. Filing is no move: it is a record that publishing asks for."""

    submit = auto()
    return_ = auto()
    approve = auto()
    publish = auto()
    withdraw = auto()
    revise = auto()


class WorkState(StrEnum):
    """One piece of work on a recording's media."""

    queued = auto()
    running = auto()
    done = auto()
    failed = auto()


class WorkMove(StrEnum):
    """What can happen to a piece of work."""

    start = auto()
    finish = auto()
    retry = auto()
    fail = auto()


@dataclass(frozen=True)
class Machine(Generic[S, M]):
    """A state machine: where it begins, and where each move leads from each state that allows it."""

    name: str
    initial: S
    moves: Mapping[tuple[S, M], S]

    def move(self, state: S | str, move: M | str) -> S:
        """The state after `move`; Refusal("move_not_allowed") when the table does not have it."""
        # Members equal and hash as their text, so what was read from a row needs no conversion first.
        reached = self.moves.get(cast(tuple[S, M], (state, move)))
        if reached is None:
            raise Refusal(RefusalCode.move_not_allowed, machine=self.name, state=str(state), move=str(move))
        return reached

    def allows(self, state: S | str, move: M | str) -> bool:
        """Whether the table has this move from this state."""
        return (state, move) in self.moves

    def allowed(self, state: S | str) -> tuple[M, ...]:
        """The moves that this state allows, in the table's order; none for a final state."""
        return tuple(move for origin, move in self.moves if origin == state)

    def states(self) -> tuple[S, ...]:
        """Every state, in the order in which its enum names them."""
        return tuple(type(self.initial))


_S, _SM = SessionState, SessionMove

# Both kinds live and end alike. A session nobody came to is ended by its overrun, and being cut is no end.
_SESSION_LIFE: Mapping[tuple[SessionState, SessionMove], SessionState] = {
    (_S.scheduled, _SM.go_live): _S.live,
    (_S.live, _SM.cut): _S.cut,
    (_S.cut, _SM.resume): _S.live,
    (_S.live, _SM.end): _S.ended,
    (_S.cut, _SM.end): _S.ended,
    (_S.scheduled, _SM.end): _S.ended,
    (_S.draft, _SM.cancel): _S.cancelled,
    (_S.scheduled, _SM.cancel): _S.cancelled,
}

# Article 14: daily teaching runs by the timetable, with no further step.
DAILY_SESSION: Machine[SessionState, SessionMove] = Machine(
    "daily session", _S.draft, {(_S.draft, _SM.schedule): _S.scheduled, **_SESSION_LIFE}
)

# Articles 14 and 15: a major event is filed and approved before it has a place in the schedule.
MAJOR_SESSION: Machine[SessionState, SessionMove] = Machine(
    "major session",
    _S.draft,
    {
        (_S.draft, _SM.file): _S.filed,
        (_S.filed, _SM.return_): _S.draft,
        (_S.filed, _SM.approve): _S.approved,
        (_S.approved, _SM.return_): _S.draft,
        (_S.approved, _SM.register): _S.scheduled,
        (_S.filed, _SM.cancel): _S.cancelled,
        (_S.approved, _SM.cancel): _S.cancelled,
        **_SESSION_LIFE,
    },
)

# For what happens alike to both kinds (going live, cut, end); what differs goes through `session_machine`.
SESSION: Machine[SessionState, SessionMove] = Machine(
    "session", _S.draft, {**MAJOR_SESSION.moves, **DAILY_SESSION.moves}
)


def session_machine(kind: SessionKind | str) -> Machine[SessionState, SessionMove]:
    """The machine of a session of this kind, so that no major event reaches the schedule unfiled."""
    return MAJOR_SESSION if SessionKind(kind) == SessionKind.major else DAILY_SESSION


TAKE: Machine[TakeState, TakeMove] = Machine(
    "take", TakeState.publishing, {(TakeState.publishing, TakeMove.end): TakeState.ended}
)

_R, _RM = RecordingState, RecordingMove

# Article 16. Promotion starts only from `stored`: a marked recording is rescued first, and from `purging` on its
# objects are going, so that a promotion and a purge of the same row cannot both win.
RECORDING: Machine[RecordingState, RecordingMove] = Machine(
    "recording",
    _R.capturing,
    {
        (_R.capturing, _RM.capture_ended): _R.stored,
        (_R.stored, _RM.mark): _R.marked,
        (_R.marked, _RM.rescue): _R.stored,
        (_R.marked, _RM.purge): _R.purging,
        (_R.purging, _RM.purged): _R.purged,
        (_R.stored, _RM.promote): _R.promoted,
        (_R.promoted, _RM.withdraw): _R.stored,
    },
)

_C, _CM = CourseState, CourseMove

# Article 13: nothing is published that was not reviewed; `review.require_publishable` asks for the filing too.
COURSE: Machine[CourseState, CourseMove] = Machine(
    "course",
    _C.draft,
    {
        (_C.draft, _CM.submit): _C.in_review,
        (_C.returned, _CM.submit): _C.in_review,
        (_C.in_review, _CM.return_): _C.returned,
        (_C.in_review, _CM.approve): _C.approved,
        (_C.approved, _CM.return_): _C.returned,
        (_C.approved, _CM.publish): _C.published,
        (_C.published, _CM.withdraw): _C.withdrawn,
        (_C.withdrawn, _CM.revise): _C.draft,
    },
)

_W, _WM = WorkState, WorkMove

# `running` may start again: when a worker is killed, its job is taken up by another that saw no end of the first.
WORK: Machine[WorkState, WorkMove] = Machine(
    "work",
    _W.queued,
    {
        (_W.queued, _WM.start): _W.running,
        (_W.running, _WM.start): _W.running,
        (_W.running, _WM.finish): _W.done,
        (_W.running, _WM.retry): _W.queued,
        (_W.running, _WM.fail): _W.failed,
        (_W.queued, _WM.fail): _W.failed,
        (_W.failed, _WM.retry): _W.queued,
    },
)

MACHINES: tuple[Machine[Any, Any], ...] = (DAILY_SESSION, MAJOR_SESSION, TAKE, RECORDING, COURSE, WORK)
