"""`lectern bench`: every name it offers can be run, and any other is a usage error."""

import importlib
import inspect
import subprocess

import pytest

from lectern.commands.bench import BENCHES
from lectern.supervisor import console_script


@pytest.mark.parametrize("name", BENCHES)
def test_every_name_is_a_bench(name: str) -> None:
    run = importlib.import_module(f"bench.{name}").run
    assert list(inspect.signature(run).parameters) == ["quick"]


def test_an_unknown_name_is_refused_in_one_line() -> None:
    done = subprocess.run([*console_script(), "bench", "nothing"], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert "live" in done.stderr
    assert "replay" in done.stderr
