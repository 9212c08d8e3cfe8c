"""The stored words: spelled here a second time, because a renamed one would orphan rows and break addresses."""

from enum import StrEnum

import pytest

from domain import kinds

WORDS = {
    kinds.SessionKind: "daily major",
    kinds.Interaction: "interactive one_way",
    kinds.Slot: "main backup rehearsal stage",
    kinds.Release: "roster_at_once after_review never",
    kinds.Audience: "open scoped",
    kinds.Protocol: "rtmp whip",
    kinds.BookingKind: "room instructor cohort equipment",
    kinds.ScopeKind: "institute department programme cohort",
    kinds.Role: "learner teacher programme_lead department_manager academic_affairs publicity_office network_centre "
    "inspector system_administrator security_administrator auditor",
}


@pytest.mark.parametrize("kind", WORDS, ids=lambda kind: kind.__name__)
def test_the_words_are_those_that_rows_hold(kind: type[StrEnum]) -> None:
    assert [member.value for member in kind] == WORDS[kind].split()


def test_no_kind_is_left_out_of_this_test() -> None:
    defined = {
        thing for thing in vars(kinds).values() if isinstance(thing, type) and thing.__module__ == "domain.kinds"
    }
    assert defined == set(WORDS)
