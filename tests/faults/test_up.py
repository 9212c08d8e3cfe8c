"""`lectern up` itself: how it ends, what it leaves, and what it says when it cannot start."""

import contextlib
import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import psutil
import pytest

from lectern.complaint import Complaint
from lectern.free_ports import require_free_ports
from lectern.settings import load
from lectern.supervisor import console_script
from tests.kit.house import House, environment, started, until
from tests.kit.servers import server_folder

START_SECONDS = 30.0
END_SECONDS = 5.0
"""What a person at the terminal is promised, once uploads have drained."""
GONE_SECONDS = 15.0
"""A killed `up` cannot promise: ingest drains first what it has, for up to nine seconds."""


@contextlib.contextmanager
def alone(folder: Path) -> Iterator[House]:
    """A house with its own stores over `folder`; whatever is left of it at the end is killed."""
    running = started(folder, None, {})
    known: list[psutil.Process] = []
    try:
        running.until_ready()
        known = running.processes()
        yield running
    finally:
        for one in known or [psutil.Process(running.up.pid)]:
            with contextlib.suppress(psutil.Error):
                one.kill()
        running.up.wait(END_SECONDS)


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    """One data folder for all of this file: a second start has its databases already."""
    with server_folder() as made:
        yield made


def refused(environ: dict[str, str], log: Path) -> tuple[int, str]:
    """Exit code and words of an `up` that must not start."""
    done = subprocess.run(
        [*console_script(), "up"], env=environ, cwd=log, capture_output=True, text=True, timeout=30, check=False
    )
    return done.returncode, done.stderr


def beside(folder: Path, *arguments: str) -> tuple[int, str, str]:
    """Exit code, output and words of a command that is told the data folder, and nothing else."""
    plain = {name: value for name, value in os.environ.items() if not name.startswith("LECTERN_")}
    done = subprocess.run(
        [*console_script(), *arguments], env={**plain, "LECTERN_DATA_FOLDER": str(folder)}, cwd=folder,
        input="Chalk-and-board-7\n", capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    return done.returncode, done.stdout, done.stderr


def commands_beside(folder: Path) -> None:
    """Each reaches the running house, which has servers of its own, at ports of its own."""
    code, told, said = beside(folder, "user", "add", "beside", "--name", "同事", "--role", "teacher")
    assert (code, told, said) == (0, "beside added\n", "")
    code, told, said = beside(folder, "retention", "run", "--dry-run")
    assert (code, "due 0 (0 bytes)" in told) == (0, True), said
    code, _, said = beside(folder, "recording", "verify", str(uuid4()))
    assert (code, "not_found" in said) == (2, True), said
    code, told, said = beside(folder, "doctor")
    assert (code, "✗" in told, told.count("is Lectern's")) == (0, False, 3), told + said
    assert "none failed" in told
    assert all(line.startswith("✓") for line in told.splitlines() if line[2:].startswith(("catalogue", "queue", "obj")))
    assert [path.name for path in folder.rglob("running.json") if path.stat().st_mode & 0o077] == []


def left(processes: list[psutil.Process]) -> list[str]:
    """Those that still run."""
    found = []
    for one in processes:
        with contextlib.suppress(psutil.Error):
            if one.is_running() and one.status() != psutil.STATUS_ZOMBIE:
                found.append(" ".join(one.cmdline())[:120])
    return found


def test_a_second_up_is_told_of_the_first_and_ctrl_c_ends_it_all(folder: Path) -> None:
    with alone(folder) as first:
        assert all(first.process(name).is_running() for name in ("api", "ingest", "worker", "scheduler"))
        began = time.monotonic()
        code, said = refused(dict(first.environ), folder)
        assert code == 2
        stop = f"(process {first.up.pid}): stop it (`kill {first.up.pid}`)"
        told = f"another Lectern runs on {folder} {stop}, or name another folder with LECTERN_DATA_FOLDER"
        assert said == f"lectern: {told}\n"
        assert time.monotonic() - began < END_SECONDS
        commands_beside(folder)
        everyone = first.processes()
        assert len(everyone) > 10
        began = time.monotonic()
        first.up.send_signal(signal.SIGINT)
        assert first.up.wait(30) == 0
        assert time.monotonic() - began < END_SECONDS
        assert left(everyone) == []
    code, _, said = beside(folder, "user", "list")
    assert (code, f"no Lectern runs on {folder}: start `lectern up`" in said) == (2, True), said


@pytest.mark.long
def test_a_killed_up_takes_everything_along(folder: Path) -> None:
    with alone(folder) as running:
        everyone = running.processes()
        os.kill(running.up.pid, signal.SIGKILL)
        running.up.wait(END_SECONDS)
        until(lambda: left(everyone) == [], GONE_SECONDS)


def test_ctrl_c_while_it_starts(folder: Path) -> None:
    running = started(folder, None, {})
    until(lambda: len(running.processes()) > 1, START_SECONDS, running)
    everyone = running.processes()
    running.up.send_signal(signal.SIGINT)
    assert running.up.wait(30) in (0, 130)
    assert left(everyone) == []
    assert "Traceback" not in running.log


def test_a_port_that_is_taken_is_one_line_before_anything_starts(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        running = started(tmp_path, None, {"INGEST_RTMP_PORT": str(port)})
        assert running.up.wait(30) == 2
    (said,) = [line for line in running.log.splitlines() if line]
    assert said.startswith(f"lectern: port {port} is taken by ")
    assert "LECTERN_INGEST_RTMP_PORT" in said
    assert not (tmp_path / "postgres").exists()


@pytest.mark.parametrize("setting", ["API_PORT", "INGEST_HTTP_PORT", "INGEST_RTMP_PORT"])
def test_every_port_is_looked_at(tmp_path: Path, setting: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        told = environment(tmp_path, None, {setting: str(taken.getsockname()[1])})
        with pytest.raises(Complaint, match=f"LECTERN_{setting}"):
            require_free_ports(load(told))
    require_free_ports(load(told))
