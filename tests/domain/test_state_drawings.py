"""The drawing of a table: every move an arrow, nothing beside, and ends marked as ends."""

from domain.state_drawings import mermaid, page
from domain.states import DAILY_SESSION, MACHINES, TAKE, WORK


def test_a_small_machine_is_drawn_to_the_letter() -> None:
    assert mermaid(TAKE) == (
        "stateDiagram-v2\n    [*] --> publishing\n    publishing --> ended: end\n    ended --> [*]\n"
    )


def test_every_move_is_one_arrow() -> None:
    for machine in MACHINES:
        labelled = [line for line in mermaid(machine).splitlines() if ": " in line]
        assert len(labelled) == len(machine.moves)


def test_a_state_that_another_kind_alone_has_is_not_drawn() -> None:
    assert "filed" not in mermaid(DAILY_SESSION)


def test_a_state_that_may_be_left_is_no_end_and_one_that_may_not_is() -> None:
    drawn = mermaid(WORK)
    assert "    done --> [*]\n" in drawn
    assert "failed --> [*]" not in drawn


def test_the_page_has_a_drawing_of_every_machine_under_its_name() -> None:
    text = page()
    assert text.count("```mermaid\n") == len(MACHINES)
    assert all(f"## {machine.name.capitalize()}\n" in text for machine in MACHINES)
    assert text.endswith("```\n")
