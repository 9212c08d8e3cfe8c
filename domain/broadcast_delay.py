"""How long a session's media is held back from its audience, so that a cut can come in time.

Rule of this file (articles 14, 15; mission R13): where a named reviewer watches a session live, or a delay was asked
for, the audience sees it at least five seconds late. A server that cannot hear a reviewer stops letting media out after
two, so three at least are left to see, decide and press. Other sessions are not held back at all.
"""

from uuid import UUID

from domain.refusals import Refusal, RefusalCode

LEAST_SECONDS = 5
MOST_SECONDS = 300
SILENCE_SECONDS = 2.0
"""For how long a reviewed session goes on being let out after the last proof that a cut would have been heard."""


def is_reviewed(reviewer_id: UUID | None, delay_seconds: int) -> bool:
    """Whether somebody's cut must be able to come in time."""
    return reviewer_id is not None or delay_seconds > 0


def held_seconds(reviewer_id: UUID | None, delay_seconds: int) -> int:
    """The delay that a session gets, whatever its row asks for."""
    return max(LEAST_SECONDS, delay_seconds) if is_reviewed(reviewer_id, delay_seconds) else 0


def require_delay_fits(reviewer_id: UUID | None, delay_seconds: int) -> None:
    """Refusal("invalid_input", field="delay_seconds") for a delay that such a session cannot have."""
    none = delay_seconds == 0 and reviewer_id is None
    if not none and not LEAST_SECONDS <= delay_seconds <= MOST_SECONDS:
        least = LEAST_SECONDS if reviewer_id else 0
        raise Refusal(RefusalCode.invalid_input, field="delay_seconds", least=least, most=MOST_SECONDS)
