"""A rule's no: its code is from the list, its facts are plain, and it survives being sent to another process."""

import pickle
from datetime import datetime, timedelta, timezone
from uuid import UUID

import pytest

from domain.refusals import Refusal, RefusalCode

ITEM = UUID(int=7)


def test_a_code_is_taken_by_its_text_or_its_member() -> None:
    assert Refusal("on_hold").code is RefusalCode.on_hold
    assert Refusal(RefusalCode.on_hold).code is RefusalCode.on_hold


def test_a_code_that_is_not_in_the_list_is_our_fault_and_no_refusal() -> None:
    with pytest.raises(ValueError, match="not_a_code"):
        Refusal("not_a_code")


def test_every_code_is_its_own_name_so_that_edges_can_key_their_tables_by_text() -> None:
    assert all(code.value == code.name for code in RefusalCode)


def test_facts_are_text_and_numbers_only() -> None:
    at = datetime(2026, 3, 1, 8, 0, tzinfo=timezone(timedelta(hours=8)))
    refusal = Refusal("slot_taken", starts_at=at, session_id=ITEM, holds=2, room="101", state=RefusalCode.on_hold)
    assert refusal.facts == {
        "starts_at": "2026-03-01T00:00:00Z",
        "session_id": "00000000-0000-0000-0000-000000000007",
        "holds": 2,
        "room": "101",
        "state": "on_hold",
    }
    assert all(type(value) in (str, int) for value in refusal.facts.values())


def test_a_fact_that_is_not_known_is_left_out() -> None:
    assert Refusal("slot_taken", session_id=None).facts == {}


def test_an_instant_without_a_zone_is_refused_as_a_fact() -> None:
    with pytest.raises(ValueError, match="zone"):
        Refusal("key_expired", expired_at=datetime(2026, 1, 1))  # noqa: DTZ001 - the fault under test


def test_a_fact_may_be_called_code_or_self() -> None:
    assert Refusal("invalid_input", code="x", self="y").facts == {"code": "x", "self": "y"}


def test_it_reads_well_in_a_log() -> None:
    assert str(Refusal("not_found")) == "not_found"
    assert str(Refusal("on_hold", holds=2, item="a")) == "on_hold (holds=2, item=a)"


def test_it_comes_whole_out_of_a_pickle() -> None:
    copy = pickle.loads(pickle.dumps(Refusal("key_in_use", dead_after_seconds=3)))
    assert (copy.code, copy.facts) == (RefusalCode.key_in_use, {"dead_after_seconds": 3})
