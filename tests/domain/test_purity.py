"""The room's own habit: what it hands out cannot be changed, and it asks no clock, file, environment or chance."""

import ast
import dataclasses
import importlib
import inspect
from pathlib import Path

import pytest

ROOM = Path(__file__).resolve().parents[2] / "domain"
FILES = sorted(path for path in ROOM.glob("*.py") if path.name != "__init__.py")
READ_OF_A_MODULE = {"now", "utcnow", "today", "time", "monotonic", "environ", "getenv", "uuid4", "uuid1", "urandom"}
CALLED = {"open", "input", "print"}


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_every_dataclass_is_frozen(path: Path) -> None:
    module = importlib.import_module(f"domain.{path.stem}")
    made_here = [
        thing for _, thing in inspect.getmembers(module, inspect.isclass) if thing.__module__ == module.__name__
    ]
    for thing in made_here:
        if dataclasses.is_dataclass(thing):
            assert thing.__dataclass_params__.frozen, thing  # type: ignore[attr-defined]


def _asked_of_the_world(code: str) -> set[str]:
    """What a file reads of a clock, chance or environment, or calls of the console and the disk."""
    nodes = list(ast.walk(ast.parse(code)))
    read = {node.attr for node in nodes if isinstance(node, ast.Attribute)}
    called = {node.func.id for node in nodes if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)}
    return (read & READ_OF_A_MODULE) | (called & CALLED)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_it_asks_nothing_of_the_world(path: Path) -> None:
    assert _asked_of_the_world(path.read_text("utf-8")) == set()


@pytest.mark.parametrize("code", ["datetime.now(UTC)", "open('x')", "os.environ['X']", "uuid.uuid4()"])
def test_this_test_would_see_it(code: str) -> None:
    assert len(_asked_of_the_world(code)) == 1


def test_every_file_of_the_room_has_its_mirror_here() -> None:
    mirrored = {path.name for path in Path(__file__).parent.glob("test_*.py")}
    assert {f"test_{path.name}" for path in FILES} <= mirrored
