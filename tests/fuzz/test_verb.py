"""`make fuzz` fails when any of its targets does: whichever half of them it is in, first or last."""

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.fuzz.targets import TARGETS

SCRIPT = Path(__file__).parents[2] / "scripts" / "fuzz"


def verb(folder: Path, broken: str) -> int:
    """The exit code of the script where a target's run ends with 1."""
    python = folder / ".venv" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.write_text(f'#!/bin/sh\n[ "$4" != "{broken}" ]\n')
    python.chmod(0o755)
    shutil.copy(SCRIPT, folder / "fuzz")
    return subprocess.run(["./fuzz"], cwd=folder, timeout=20, check=False).returncode


@pytest.mark.parametrize("broken", TARGETS)
def test_any_broken_target_is_a_failure(tmp_path: Path, broken: str) -> None:
    assert verb(tmp_path, broken) == 1


def test_none_is_none(tmp_path: Path) -> None:
    assert verb(tmp_path, "-") == 0
