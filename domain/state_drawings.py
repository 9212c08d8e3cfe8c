"""Draws the state machines for the docs, from the tables and nothing else.

Rule of this file: docs/states.md is written by `python -m domain.state_drawings > docs/states.md` and never by hand;
`tests/house/test_states_drawn.py` compares the two.
"""

import sys
from enum import StrEnum
from typing import Any

from domain.states import MACHINES, Machine

_HEAD = """# States

Every state machine of Lectern, drawn from the tables in `domain/states.py`. Do not edit this page: change the table,
then run `python -m domain.state_drawings > docs/states.md`. A move that is not drawn is refused (`move_not_allowed`).
"""


def mermaid(machine: Machine[Any, Any]) -> str:
    """A mermaid `stateDiagram-v2` of one machine, ending in a newline."""
    reached = {origin for origin, _ in machine.moves}
    lines = ["stateDiagram-v2", f"    [*] --> {machine.initial}"]
    lines += [f"    {origin} --> {after}: {_word(move)}" for (origin, move), after in machine.moves.items()]
    lines += [f"    {state} --> [*]" for state in machine.states() if state not in reached and _used(machine, state)]
    return "\n".join(lines) + "\n"


def page() -> str:
    """The whole of docs/states.md."""
    drawings = [f"## {machine.name.capitalize()}\n\n```mermaid\n{mermaid(machine)}```\n" for machine in MACHINES]
    return "\n".join([_HEAD, *drawings])


def _word(move: StrEnum) -> str:
    # `return` is a word of Python's, so the member wears an underscore that no reader needs to see.
    return move.value.rstrip("_")


def _used(machine: Machine[Any, Any], state: StrEnum) -> bool:
    return state in machine.moves.values()


if __name__ == "__main__":
    sys.stdout.write(page())
