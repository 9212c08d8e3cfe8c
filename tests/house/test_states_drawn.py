"""House habit: docs/states.md is what the tables of domain/states.py say, to the letter."""

from pathlib import Path

from domain.state_drawings import page

ROOT = Path(__file__).resolve().parents[2]


def test_the_drawn_states_are_the_tables() -> None:
    """Mend a difference with `python -m domain.state_drawings > docs/states.md`."""
    assert (ROOT / "docs" / "states.md").read_text("utf-8") == page()
