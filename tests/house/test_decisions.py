"""docs/decisions: one page for each choice, all of one form, all in the list, their links alive."""

import re
from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[2] / "docs" / "decisions"
PAGES = sorted(FOLDER.glob("[0-9]*.md"))
LONGEST_LINES = 60
PARTS = ["Context", "Options", "Decision", "Consequences"]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_a_decision_is_one_page_of_the_same_parts(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    assert text.count("\n") <= LONGEST_LINES
    assert re.findall(r"^## (.+)$", text, flags=re.MULTILINE) == PARTS
    title = re.match(r"# (\d+)\. \S", text)
    assert title
    assert int(title[1]) == int(page.name[:4])
    assert re.match(r"# .+\n\n(Accepted|Superseded by \[\d{4}\])", text)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_pages_that_a_decision_refers_to_exist(page: Path) -> None:
    known = {other.name[:4] for other in PAGES}
    assert set(re.findall(r"\b(0\d{3})\b", page.read_text(encoding="utf-8"))) <= known


def test_numbers_have_no_gaps_and_the_list_is_whole() -> None:
    assert [int(page.name[:4]) for page in PAGES] == list(range(1, len(PAGES) + 1))
    listed = re.findall(r"\]\((.+?)\)", (FOLDER / "README.md").read_text(encoding="utf-8"))
    assert listed == [page.name for page in PAGES]
