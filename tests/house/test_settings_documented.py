"""House habit: every setting says what it is, where it is, and docs/configuration.md says the same."""

import ast
import dataclasses
import inspect
from pathlib import Path

import pytest

from lectern.settings import ROOMS, variable
from lectern.settings_docs import documented, field_texts, markdown

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "configuration.md"
# Where a process begins, or hands its environment on to a child.
MAY_READ_ENVIRONMENT = {
    "lectern/commands/context.py",
    "lectern/operator_acts.py",
    "lectern/demo_story.py",
    "lectern/supervisor.py",
    "lectern/wiring/api.py",
}


@pytest.mark.parametrize("room", ROOMS)
def test_every_setting_says_what_it_is(room: str) -> None:
    texts = field_texts(ROOMS[room])
    assert set(texts) == {field.name for field in dataclasses.fields(ROOMS[room])}
    silent = [name for name, text in texts.items() if len(text.split()) < 2 or not text.endswith((".", "?"))]
    assert not silent, f"{inspect.getfile(ROOMS[room])}: a sentence below each of {', '.join(silent)}"


@pytest.mark.parametrize("room", ROOMS)
def test_every_setting_has_a_default_so_that_a_part_of_the_house_starts_without_the_rest(room: str) -> None:
    ROOMS[room]()


def test_the_page_is_what_the_settings_say() -> None:
    """Mend a difference with `lectern config --docs > docs/configuration.md`."""
    assert PAGE.read_text("utf-8") == markdown()


def test_the_page_names_each_variable_once() -> None:
    text = markdown()
    for one in documented():
        assert text.count(f"`{one.variable}`") == 1, one.variable
        assert one.variable == variable(one.room, one.field)


def test_only_one_place_reads_the_environment() -> None:
    """`os.environ` is read where commands begin; rooms are given their settings."""
    readers = {
        str(path.relative_to(ROOT))
        for root in ("lectern", "api", "ingest", "transcode", "retention", "teaching", "storage", "media", "domain")
        for path in (ROOT / root).rglob("*.py")
        if _reads_environment(ast.parse(path.read_text("utf-8")))
    }
    assert readers == MAY_READ_ENVIRONMENT


def _reads_environment(tree: ast.Module) -> bool:
    return any(isinstance(node, ast.Attribute) and node.attr in ("environ", "getenv") for node in ast.walk(tree))
