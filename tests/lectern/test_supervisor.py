"""Children started, watched and stopped: real small processes, waits of milliseconds instead of seconds."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable
from itertools import pairwise
from pathlib import Path

import psutil
import pytest

from lectern import supervisor as supervisor_module
from lectern.supervisor import Supervisor, console_script

pytestmark = pytest.mark.anyio

ROOT = Path(__file__).resolve().parents[2]
WAIT_SECONDS = 20.0

# Writes what happens to it into a file of its name; what it does is its second argument.
CHILD = """
import os, signal, sys, time
name, kind, folder = sys.argv[1:]
def note(what):
    with open(os.path.join(folder, name), "a") as file:
        file.write(f"{what} {time.monotonic()}\\n")
def end(*_):
    if kind == "slow":
        time.sleep(0.4)
    note("end")
    sys.exit(0)
signal.signal(signal.SIGTERM, signal.SIG_IGN if kind == "stubborn" else end)
print("hello from", name, os.environ.get("FAVOURITE"), os.environ.get("PYTHONSAFEPATH"), flush=True)
note("start")
if kind == "falls":
    sys.exit(3)
while True:
    signal.pause()
"""


class House:
    """A supervisor over small children, and what they wrote."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "child.py").write_text(CHILD, encoding="utf-8")
        self.supervisor = Supervisor(
            {"FAVOURITE": "chalk"},
            folder / "logs",
            program=(sys.executable, "-S", str(folder / "child.py")),
            restart_waits_seconds=(0.01, 0.05, 0.2),
            stop_seconds=2.0,
        )

    async def start(self, name: str, kind: str = "well") -> supervisor_module.Child:
        child = await self.supervisor.start(name, name, kind, str(self.folder))
        await until(lambda: self.times(name, "start") != [])
        return child

    def times(self, name: str, what: str) -> list[float]:
        """When `what` happened to the child, in seconds."""
        path = self.folder / name
        lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
        return [float(line.split()[1]) for line in lines if line.startswith(what)]


async def until(true: Callable[[], bool]) -> None:
    """Wait for what another process does."""
    async with asyncio.timeout(WAIT_SECONDS):
        while not true():  # noqa: ASYNC110 - another process, no event to wait on
            await asyncio.sleep(0.01)


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    made = House(tmp_path)
    yield made
    await made.supervisor.stop()


async def test_a_child_gets_the_environment_and_its_log(house: House) -> None:
    await house.start("api")
    await until(lambda: "hello" in (house.folder / "logs" / "api.log").read_text())
    assert (house.folder / "logs" / "api.log").read_text() == "hello from api chalk 1\n"
    assert (house.folder / "logs" / "api.log").stat().st_mode & 0o777 == 0o600


async def test_a_child_that_ends_by_itself_is_started_again_with_growing_waits(house: House) -> None:
    child = await house.start("worker", "falls")
    await until(lambda: child.starts >= 5)
    await until(lambda: len(house.times("worker", "start")) >= 5)
    starts = house.times("worker", "start")
    gaps = [later - earlier for earlier, later in pairwise(starts)]
    # Each gap holds at least its wait; how much more is the machine's affair.
    assert [gap >= least for gap, least in zip(gaps, (0.01, 0.05, 0.2, 0.2), strict=False)] == [True] * 4


async def test_a_killed_child_comes_back_and_its_neighbour_is_left_alone(house: House) -> None:
    child, neighbour = await house.start("ingest"), await house.start("api")
    assert child.process
    assert neighbour.process
    before = neighbour.process.pid
    child.process.kill()
    await until(lambda: len(house.times("ingest", "start")) == 2)
    assert (child.starts, neighbour.starts, neighbour.process.pid) == (2, 1, before)


async def test_a_child_that_ran_steadily_waits_the_first_wait_again(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    child = await house.start("worker", "falls")
    await until(lambda: child.failures >= 4)
    monkeypatch.setattr(supervisor_module, "STEADY_SECONDS", 0.0)
    await until(lambda: child.failures == 1)


async def test_who_drains_is_ended_before_the_others_are_told(house: House) -> None:
    for name, kind in (("api", "well"), ("ingest", "slow"), ("worker", "well")):
        await house.start(name, kind)
    assert await house.supervisor.stop(first=("ingest",)) == []
    (drained,) = house.times("ingest", "end")
    assert drained <= min(house.times("api", "end") + house.times("worker", "end"))


async def test_who_does_not_listen_is_killed_and_named(house: House) -> None:
    child = await house.start("worker", "stubborn")
    await house.start("api")
    assert child.process
    assert await house.supervisor.stop() == ["worker"]
    assert not psutil.pid_exists(child.process.pid)
    assert len(house.times("api", "end")) == 1


async def test_nothing_is_started_again_once_it_stops(house: House) -> None:
    child = await house.start("worker", "falls")
    await until(lambda: child.failures >= 3)
    await house.supervisor.stop()
    starts = child.starts
    await asyncio.sleep(0.5)
    assert child.starts == starts
    assert child.process
    assert child.process.returncode is not None


PARENT = """
import asyncio, sys
from pathlib import Path
from lectern.supervisor import Supervisor
async def run():
    folder = Path(sys.argv[1])
    supervisor = Supervisor({}, folder, program=(sys.executable, "-S", str(folder / "child.py")))
    for name in ("api", "worker"):
        child = await supervisor.start(name, name, "well", str(folder))
        print(child.process.pid, flush=True)
    await asyncio.Event().wait()
asyncio.run(run())
"""


def test_children_of_a_killed_parent_end_too(tmp_path: Path) -> None:
    (tmp_path / "child.py").write_text(CHILD, encoding="utf-8")
    command = [sys.executable, "-c", PARENT, str(tmp_path)]
    parent = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env={**os.environ, "PYTHONPATH": str(ROOT)})
    assert parent.stdout
    pids = [int(parent.stdout.readline()) for _ in range(2)]
    assert all(psutil.pid_exists(pid) for pid in pids)
    parent.send_signal(signal.SIGKILL)
    parent.wait()
    parent.stdout.close()
    until_seconds = time.monotonic() + WAIT_SECONDS
    while any(psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE for pid in pids):
        assert time.monotonic() < until_seconds, "a child outlived its parent"
        time.sleep(0.02)


def test_lectern_is_started_again_by_its_console_script() -> None:
    """Not by `python -m`, which would take packages from the folder it is started in."""
    assert console_script() == (str(Path(sys.executable).with_name("lectern")),)
