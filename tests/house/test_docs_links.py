"""House habit: what a document points to is there."""

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
LINK = re.compile(r"\[[^\]]*\]\((?!https?:|mailto:|#)([^)\s#]+)(#[^)\s]*)?\)")
IMAGE = re.compile(r"""<img[^>]+src=["'](?!https?:)([^"']+)""")
# `lectern/up.py`, `web/src/pages/`: what a document names as a place in this repository.
PLACE = re.compile(r"`([\w.-]+(?:/[\w.*{},-]+)+/?)`")
NAMED_PLACES = ("docs/architecture.md", "README.md", "CONTRIBUTING.md")


def documents() -> list[Path]:
    """Every Markdown file that git knows or would."""
    asked = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "*.md"]
    listed = subprocess.run(asked, check=True, capture_output=True, text=True, cwd=ROOT, timeout=30).stdout.split("\n")
    return [ROOT / name for name in listed if name and (ROOT / name).exists()]


def anchors_of(document: Path) -> set[str]:
    """The anchors of its headings as GitHub makes them."""
    headings = re.findall(r"^#+ (.+)$", document.read_text("utf-8"), flags=re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("document", documents(), ids=lambda path: str(path.relative_to(ROOT)))
def test_relative_links_lead_somewhere(document: Path) -> None:
    text = document.read_text("utf-8")
    for target, anchor in LINK.findall(text):
        there = (document.parent / target).resolve()
        assert there.exists(), f"{target} is not there"
        assert there.is_relative_to(ROOT), f"{target} leads out of the repository"
        if anchor and there.suffix == ".md":
            assert anchor[1:] in anchors_of(there), f"{target} has no {anchor}"
    for target in IMAGE.findall(text):
        assert (document.parent / target).exists(), f"{target} is not there"


@pytest.mark.parametrize("name", NAMED_PLACES)
def test_places_that_a_document_names_are_there(name: str) -> None:
    document = ROOT / name
    if not document.exists():
        pytest.skip(f"{name} is not written yet")
    roots = {path.name for path in ROOT.iterdir()}
    for place in PLACE.findall(document.read_text("utf-8")):
        if place.split("/")[0] in roots:
            assert list(ROOT.glob(place.rstrip("/"))), f"{place} is not there"
