"""Every bundled server, the same promises: it starts, keeps its data, dies with its parent, and is quick about it.

How to test here: real servers over a folder of the test's own; the parent that gets killed is a real Python process.
"""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import psycopg
import pytest
import redis
from minio import Minio

from storage.embedded import postgres, s3, valkey
from storage.embedded.child import PortTaken, RunningServer, ServerFailed
from storage.embedded.folder import FolderInUse, FolderLock, SecretsLost
from storage.embedded.ports import free_ports

ROOT = Path(__file__).parents[3]
STOP_SECONDS = 2.0

MODULES: list[Any] = [postgres, valkey, s3]


@pytest.fixture(params=MODULES, ids=lambda module: module.__name__.rsplit(".", 1)[1])
def module(request: pytest.FixtureRequest) -> Any:
    return request.param


def _write(running: Any) -> None:
    if isinstance(running, postgres.Running):
        with psycopg.connect(running.owner_url.replace("+psycopg", "")) as connection:
            connection.execute("CREATE TABLE kept AS SELECT 'kept' AS value")
    elif isinstance(running, valkey.Running):
        with redis.Redis.from_url(running.url) as client:
            client.set("kept", "kept")
    else:
        _client(running).fput_object(running.bucket, "kept", __file__)


def _is_there(running: Any) -> bool:
    if isinstance(running, postgres.Running):
        with psycopg.connect(running.owner_url.replace("+psycopg", "")) as connection:
            return connection.execute("SELECT value FROM kept").fetchone() == ("kept",)
    if isinstance(running, valkey.Running):
        with redis.Redis.from_url(running.url) as client:
            return bool(client.get("kept") == b"kept")
    answer = _client(running).get_object(running.bucket, "kept")
    with answer:
        return bool(answer.read() == Path(__file__).read_bytes())


def _client(running: s3.Running) -> Minio:
    return Minio(running.endpoint, running.access_key, running.secret_key, secure=False, region=running.region)


def _stop_timed(running: RunningServer) -> None:
    started = time.monotonic()
    running.stop()
    assert time.monotonic() - started < STOP_SECONDS
    assert not psutil.pid_exists(running.pid)
    assert running.exited.is_set()


def test_data_and_passwords_outlive_a_restart(module: Any, tmp_path: Path) -> None:
    first = module.start(tmp_path)
    _write(first)
    _stop_timed(first)
    started = time.monotonic()
    with module.start(tmp_path, port=first.port) as second:
        assert time.monotonic() - started < 5.0
        assert second.url == first.url
        assert _is_there(second)


def test_data_survives_the_server_being_killed(module: Any, tmp_path: Path) -> None:
    first = module.start(tmp_path)
    _write(first)
    os.kill(first.pid, signal.SIGKILL)
    assert first.exited.wait(5.0)
    first.stop()
    with module.start(tmp_path) as second:
        assert _is_there(second)


def test_one_folder_one_server(module: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with module.start(tmp_path) as running:
        with pytest.raises(FolderInUse, match="in use by another"):
            FolderLock(tmp_path, wait_seconds=0.05)
        assert not running.exited.is_set()


def test_a_taken_port_is_said(module: Any, tmp_path: Path) -> None:
    with valkey.start(tmp_path / "other") as other, pytest.raises(ServerFailed) as refusal:
        module.start(tmp_path / "mine", port=other.port)
    assert isinstance(refusal.value, PortTaken), refusal.value
    # The folder is let go, and another port does.
    module.start(tmp_path / "mine", port=free_ports(1)[0]).stop()


def test_lost_passwords_are_said_not_replaced(module: Any, tmp_path: Path) -> None:
    module.start(tmp_path).stop()
    (tmp_path / "secrets.json").unlink()
    with pytest.raises(SecretsLost, match=r"secrets\.json is missing"):
        module.start(tmp_path)
    assert not (tmp_path / "secrets.json").exists()


def test_passwords_are_private(module: Any, tmp_path: Path) -> None:
    with module.start(tmp_path) as running:
        assert (tmp_path / "secrets.json").stat().st_mode & 0o777 == 0o600
        command = " ".join(psutil.Process(running.pid).cmdline())
        for secret in (tmp_path / "secrets.json").read_text().split('"')[3::4]:
            assert secret not in command


PARENT = """
import sys, threading
from pathlib import Path
from storage.embedded import {name}
running = []
# From a thread that ends: the server must live on until the process does.
thread = threading.Thread(target=lambda: running.append({name}.start(Path({folder!r}))))
thread.start()
thread.join()
print(running[0].pid, flush=True)
sys.stdin.read()
"""


def _gone(pid: int) -> Callable[[], bool]:
    return lambda: not psutil.pid_exists(pid)


def test_it_dies_with_a_killed_parent_and_comes_back(module: Any, tmp_path: Path) -> None:
    name = module.__name__.rsplit(".", 1)[1]
    script = PARENT.format(name=name, folder=str(tmp_path))
    parent = subprocess.Popen(
        [sys.executable, "-c", script], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert parent.stdout is not None
    server = psutil.Process(int(parent.stdout.readline()))
    family = [server, *server.children(recursive=True)]
    assert server.is_running()
    parent.kill()
    parent.communicate()
    # At once, while the old one may still be leaving: `start` waits for the folder's lock.
    with module.start(tmp_path):
        gone, alive = psutil.wait_procs(family, timeout=0)
        assert [process for process in alive if process.status() != psutil.STATUS_ZOMBIE] == []
        assert gone or family
