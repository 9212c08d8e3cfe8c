"""Who listens on our ports, and whose our packages are: real processes, real distributions on the path."""

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from lectern.doctor import names, ports
from lectern.doctor.finding import Verdict
from tests.lectern.doctor.conftest import given

ROOT = Path(__file__).resolve().parents[3]

LISTENER = """
import os, socket, sys
server = socket.create_server(("127.0.0.1", 0))
if "--fork" in sys.argv and os.fork():
    os.wait()
else:
    print(server.getsockname()[1], flush=True)
    sys.stdin.read()
"""


@contextmanager
def listening(program: Path, *arguments: str) -> Iterator[int]:
    """A Python program that listens; its port."""
    program.write_text(LISTENER, encoding="utf-8")
    command = [sys.executable, str(program), *arguments]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        assert process.stdin
        yield int(process.stdout.readline())
        process.stdin.close()


def test_a_free_port(dead_port: int) -> None:
    finding = ports.api(given(API_PORT=str(dead_port)))
    assert (finding.verdict, finding.found) == (Verdict.good, f"{dead_port} is free")


@pytest.mark.parametrize("arguments", [(), ("--fork",)])
def test_a_port_on_which_lectern_or_its_child_listens(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    with listening(tmp_path / "lectern", *arguments) as port:
        finding = ports.ingest_http(given(INGEST_HTTP_PORT=str(port)))
    assert (finding.verdict, finding.found) == (Verdict.good, f"{port} is Lectern's")


def test_a_port_that_somebody_else_has(tmp_path: Path) -> None:
    # A word of its own that is our program's name does not make it ours.
    with listening(tmp_path / "theatre", "lectern") as port:
        finding = ports.rtmp(given(INGEST_RTMP_PORT=str(port), INGEST_RTMP_HOSTS="127.0.0.1"))
    assert (finding.verdict, "is taken by python" in finding.found) == (Verdict.bad, True), finding
    assert "LECTERN_INGEST_RTMP_PORT" in finding.remedy


def test_the_ports_of_further_ingest_processes(tmp_path: Path) -> None:
    with listening(tmp_path / "theatre") as port:
        told = {"INGEST_HTTP_PORT": str(port - 2), "INGEST_SPOOL_FOLDER": str(tmp_path)}
        assert ports.ingest_own(given(**told)).found == "not used: one ingest process"
        taken = ports.ingest_own(given(**told, INGEST_PROCESSES="2"))
    assert (taken.verdict, f":{port} is taken by python" in taken.found) == (Verdict.bad, True), taken
    assert "LECTERN_INGEST_HTTP_PORT" in taken.remedy


def test_an_address_that_is_not_this_machines() -> None:
    for host in ("192.0.2.1", "no-such-host.invalid"):
        finding = ports.api(given(API_HOST=host))
        assert (finding.verdict, "LECTERN_API_HOST" in finding.remedy) == (Verdict.bad, True), finding


def test_looking_takes_no_port(dead_port: int) -> None:
    ports.api(given(API_PORT=str(dead_port)))
    with closing(socket.create_server(("127.0.0.1", dead_port))):
        pass


def test_our_names_are_ours() -> None:
    finding = names.packages(given())
    assert finding.verdict == Verdict.good, finding
    assert str(ROOT) in finding.found


def test_a_stranger_who_owns_one_of_our_names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    metadata = tmp_path / "stranger-1.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: stranger\nVersion: 1.0\n", encoding="utf-8")
    (metadata / "RECORD").write_text("storage/__init__.py,,\n", encoding="utf-8")
    monkeypatch.setattr(sys, "path", [*sys.path, str(tmp_path)])
    finding = names.packages(given())
    assert (finding.verdict, finding.found) == (Verdict.bad, "the package storage is also stranger's")


def test_a_folder_of_the_same_name_that_is_found_first(tmp_path: Path) -> None:
    """As with `python -m lectern` in a folder that has a `media/` of its own."""
    (tmp_path / "media").mkdir()
    (tmp_path / "media" / "__init__.py").write_text("", encoding="utf-8")
    script = (
        f"import sys; sys.path.append({str(ROOT)!r})\n"
        "from lectern.doctor import names\nprint(names.packages(None).found)"
    )
    environ = {name: value for name, value in os.environ.items() if name != "PYTHONSAFEPATH"}
    command = [sys.executable, "-c", script]
    ran = subprocess.run(command, check=True, cwd=tmp_path, env=environ, capture_output=True, text=True, timeout=60)
    assert ran.stdout.strip() == f"media is taken from {tmp_path}, not from {ROOT}"
