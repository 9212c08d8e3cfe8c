"""The tables of moves: what each allows, that nothing else passes, and that no state is a trap or out of reach."""

import itertools
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.kinds import SessionKind
from domain.refusals import Refusal
from domain.states import (
    COURSE,
    DAILY_SESSION,
    MACHINES,
    MAJOR_SESSION,
    RECORDING,
    SESSION,
    TAKE,
    WORK,
    CourseState,
    Machine,
    RecordingMove,
    RecordingState,
    SessionState,
    WorkState,
    session_machine,
)

by_name = pytest.mark.parametrize("machine", MACHINES, ids=lambda machine: machine.name)


def _run(machine: Machine[Any, Any], *moves: str) -> str:
    state = machine.initial
    for move in moves:
        state = machine.move(state, move)
    return str(state)


def _reachable(machine: Machine[Any, Any]) -> set[Any]:
    found, open_ = {machine.initial}, [machine.initial]
    while open_:
        state = open_.pop()
        for move in machine.allowed(state):
            after = machine.move(state, move)
            if after not in found:
                found.add(after)
                open_.append(after)
    return found


@pytest.mark.parametrize(
    ("machine", "moves", "end"),
    [
        (DAILY_SESSION, "schedule go_live end", "ended"),
        (DAILY_SESSION, "schedule go_live cut resume cut end", "ended"),
        (DAILY_SESSION, "schedule end", "ended"),
        (DAILY_SESSION, "schedule cancel", "cancelled"),
        (MAJOR_SESSION, "file approve register go_live cut resume end", "ended"),
        (MAJOR_SESSION, "file return_ file approve return_", "draft"),
        (RECORDING, "capture_ended mark rescue mark purge purged", "purged"),
        (RECORDING, "capture_ended promote withdraw mark purge", "purging"),
        (COURSE, "submit return_ submit approve publish withdraw revise", "draft"),
        (WORK, "start finish", "done"),
        (WORK, "start start retry start fail retry", "queued"),
        (TAKE, "end", "ended"),
    ],
)
def test_a_life_goes_as_told(machine: Machine[Any, Any], moves: str, end: str) -> None:
    assert _run(machine, *moves.split()) == end


@by_name
def test_what_is_not_in_the_table_is_refused_with_its_facts(machine: Machine[Any, Any]) -> None:
    moves = {move for _, move in machine.moves}
    refused = 0
    for state, move in itertools.product(machine.states(), moves):
        if (state, move) in machine.moves:
            continue
        with pytest.raises(Refusal) as no:
            machine.move(state, move)
        assert no.value.code == "move_not_allowed"
        assert no.value.facts == {"machine": machine.name, "state": state.value, "move": move.value}
        assert not machine.allows(state, move)
        refused += 1
    assert refused > 0


@by_name
def test_every_state_of_the_table_is_reached_and_every_unknown_word_refused(machine: Machine[Any, Any]) -> None:
    assert _reachable(machine) == {machine.initial, *machine.moves.values()}
    for state, move in (("nonsense", "end"), (machine.initial.value, "nonsense")):
        with pytest.raises(Refusal):
            machine.move(state, move)


@by_name
def test_a_state_read_from_a_row_as_text_moves_like_its_member(machine: Machine[Any, Any]) -> None:
    for (state, move), after in machine.moves.items():
        reached = machine.move(state.value, move.value)
        assert reached is after


def test_the_two_kinds_together_use_every_session_state_and_move() -> None:
    assert _reachable(DAILY_SESSION) | _reachable(MAJOR_SESSION) == set(SessionState)
    assert set(RecordingState) == _reachable(RECORDING)
    assert set(CourseState) == _reachable(COURSE)
    assert set(WorkState) == _reachable(WORK)


def test_a_major_event_has_no_way_into_the_schedule_but_by_approval() -> None:
    ways = [origin for (origin, _), after in MAJOR_SESSION.moves.items() if after == SessionState.scheduled]
    assert ways == [SessionState.approved]
    with pytest.raises(Refusal):
        session_machine(SessionKind.major).move(SessionState.draft, "schedule")
    assert session_machine("daily").move(SessionState.draft, "schedule") is SessionState.scheduled


def test_the_joint_table_agrees_with_both_kinds() -> None:
    assert SESSION.moves == {**DAILY_SESSION.moves, **MAJOR_SESSION.moves}


def test_what_is_over_stays_over() -> None:
    assert SESSION.allowed(SessionState.ended) == SESSION.allowed(SessionState.cancelled) == ()
    assert RECORDING.allowed(RecordingState.purged) == ()


def test_objects_that_are_going_cannot_be_promoted_and_a_course_cannot_be_purged() -> None:
    for state in (RecordingState.marked, RecordingState.purging, RecordingState.purged):
        assert not RECORDING.allows(state, RecordingMove.promote)
    assert RECORDING.allowed(RecordingState.promoted) == (RecordingMove.withdraw,)


@given(st.data())
def test_no_order_of_moves_purges_a_recording_unmarked(data: st.DataObject) -> None:
    """Random walks of the table: whoever arrives in `purging` was in `marked` the step before."""
    state, before = RECORDING.initial, RECORDING.initial
    for _ in range(12):
        if not (moves := RECORDING.allowed(state)):
            break
        before, state = state, RECORDING.move(state, data.draw(st.sampled_from(moves)))
        if state == RecordingState.purging:
            assert before == RecordingState.marked
