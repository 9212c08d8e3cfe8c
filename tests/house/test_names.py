"""House habit: a file is named for its one job and is short; a long one gives its reason at its head."""

import ast
import statistics
from pathlib import Path

import pytest

from lectern.doctor.names import ROOTS

ROOT = Path(__file__).resolve().parents[2]
# Names that say nothing, so that anything may be put there.
SAY_NOTHING = {"utils", "util", "helpers", "helper", "common", "manager", "managers", "misc", "tools", "base_classes"}
MEDIAN_LINES = 120
LONG_LINES = 300
FUNCTION_LINES = 50
# Longer than LONG_LINES, with the reason.
LONG = {
    "media/playlist.py": "one grammar, RFC 8216bis: writer and reader of a tag stand together",
}
# Longer than FUNCTION_LINES, with the reason.
LONG_FUNCTIONS = {
    "ingest/rtmp/chunks.py receive": "the inner loop of every publish, where a call for each chunk would cost",
}


def sources() -> list[Path]:
    return [path for root in ROOTS for path in sorted((ROOT / root).rglob("*.py"))]


def lines_of(path: Path) -> int:
    return len(path.read_text("utf-8").splitlines())


def test_no_file_or_folder_is_called_by_a_name_that_says_nothing() -> None:
    tests = sorted((ROOT / "tests").rglob("*.py"))
    vague = {named(path) for path in (*sources(), *tests) if {*path.parts, path.stem} & SAY_NOTHING}
    assert not vague


def test_half_of_all_files_are_short() -> None:
    assert statistics.median(lines_of(path) for path in sources() if lines_of(path)) <= MEDIAN_LINES


def test_a_long_file_has_a_reason_and_a_reason_has_a_long_file() -> None:
    long = {named(path) for path in sources() if lines_of(path) > LONG_LINES}
    assert long == set(LONG)


def named(path: Path) -> str:
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("path", [path for path in sources() if lines_of(path)], ids=named)
def test_a_file_says_what_it_is(path: Path) -> None:
    tree = ast.parse(path.read_text("utf-8"))
    assert ast.get_docstring(tree) or "versions" in path.parts, "its first lines say what it is"


def test_a_long_function_has_a_reason_and_a_reason_has_a_long_function() -> None:
    long = {
        f"{named(path)} {node.name}"
        for path in sources()
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and (node.end_lineno or 0) - node.lineno + 1 > FUNCTION_LINES
    }
    assert long == set(LONG_FUNCTIONS)
