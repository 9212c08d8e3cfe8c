"""Facts as the outbox stores them: there and back, told by name, and a broken one refused."""

import json
from dataclasses import fields
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain import facts
from domain.facts import FACTS, Fact, RecordingPromoted, from_json, to_json

any_fact = st.sampled_from(sorted(FACTS)).flatmap(
    lambda name: st.builds(FACTS[name], **{field.name: st.uuids() for field in fields(FACTS[name])})
)


@given(any_fact)
def test_a_fact_comes_back_as_it_was_told(fact: Fact) -> None:
    assert from_json(fact.NAME, json.loads(json.dumps(to_json(fact)))) == fact


def test_its_form_is_ids_as_text_under_their_names() -> None:
    assert to_json(RecordingPromoted(UUID(int=1), UUID(int=2))) == {
        "recording_id": "00000000-0000-0000-0000-000000000001",
        "course_id": "00000000-0000-0000-0000-000000000002",
    }


def test_the_names_that_rows_hold_are_these() -> None:
    """Spelled a second time: a renamed fact would be a row that nobody reacts to."""
    assert {name: [field.name for field in fields(kind)] for name, kind in FACTS.items()} == {
        "session_scheduled": ["session_id"],
        "session_ended": ["session_id"],
        "take_started": ["session_id", "take_id"],
        "take_ended": ["session_id", "take_id"],
        "reel_stored": ["recording_id", "reel_id"],
        "evidence_stored": ["recording_id", "evidence_reel_id"],
        "recording_stored": ["recording_id"],
        "ladder_completed": ["recording_id"],
        "work_retried": ["recording_id", "work_id"],
        "recording_marked": ["recording_id"],
        "recording_purged": ["recording_id"],
        "recording_promoted": ["recording_id", "course_id"],
        "sign_in_ended": ["sign_in_id", "account_id"],
    }


def test_no_fact_is_left_out_of_the_register() -> None:
    told = {thing for thing in vars(facts).values() if isinstance(thing, type) and hasattr(thing, "NAME")}
    assert told == set(FACTS.values())


def test_a_field_of_a_newer_version_is_passed_over() -> None:
    payload = {"session_id": str(UUID(int=1)), "newer": 5}
    assert from_json("session_ended", payload) == facts.SessionEnded(UUID(int=1))


@pytest.mark.parametrize(
    ("name", "payload", "said"),
    [
        ("no_such_fact", {}, "no_such_fact"),
        ("take_ended", {"session_id": str(UUID(int=1))}, "take_id"),
        ("session_ended", {"session_id": "nonsense"}, "UUID"),
    ],
)
def test_a_broken_row_is_said_to_be_broken(name: str, payload: dict[str, object], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        from_json(name, payload)
