"""Who is held back, for how long, and which delays cannot be asked for."""

from uuid import UUID

import pytest

from domain.broadcast_delay import (
    LEAST_SECONDS,
    MOST_SECONDS,
    SILENCE_SECONDS,
    held_seconds,
    is_reviewed,
    require_delay_fits,
)
from domain.refusals import Refusal, RefusalCode

REVIEWER = UUID(int=1)


@pytest.mark.parametrize(
    ("reviewer", "asked", "held"),
    [(None, 0, 0), (REVIEWER, 0, 5), (REVIEWER, 3, 5), (REVIEWER, 30, 30), (None, 1, 5), (None, 60, 60)],
)
def test_what_is_reviewed_is_held_back_for_five_seconds_at_least(reviewer: UUID | None, asked: int, held: int) -> None:
    assert held_seconds(reviewer, asked) == held
    assert is_reviewed(reviewer, asked) == (held > 0)


def test_a_reviewer_has_three_seconds_left_when_the_server_must_notice_its_deafness() -> None:
    assert LEAST_SECONDS - SILENCE_SECONDS >= 3


@pytest.mark.parametrize(("reviewer", "asked"), [(None, 0), (None, 5), (REVIEWER, 5), (REVIEWER, MOST_SECONDS)])
def test_delays_that_fit(reviewer: UUID | None, asked: int) -> None:
    require_delay_fits(reviewer, asked)


@pytest.mark.parametrize(
    ("reviewer", "asked"), [(REVIEWER, 0), (REVIEWER, 4), (None, 4), (None, -1), (None, MOST_SECONDS + 1)]
)
def test_delays_that_do_not(reviewer: UUID | None, asked: int) -> None:
    with pytest.raises(Refusal) as caught:
        require_delay_fits(reviewer, asked)
    assert caught.value.code == RefusalCode.invalid_input
    assert caught.value.facts["field"] == "delay_seconds"
