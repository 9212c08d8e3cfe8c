"""Every bundled server, the same promises: it starts, keeps its data, dies with its parent, and is quick about it.

How to test here: real servers over a folder of the test's own; the parent that gets killed is a real Python process.
"""

import functools
import io
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import psycopg
import pytest
import redis
from minio import Minio
from minio.error import S3Error

from storage.embedded import postgres, s3, valkey
from storage.embedded.child import PortTaken, RunningServer, ServerFailed
from storage.embedded.folder import FolderInUse, FolderLock, SecretsLost
from storage.embedded.ports import free_ports
from tests.kit.servers import server_folder

ROOT = Path(__file__).parents[3]
STOP_SECONDS = 2.0

MODULES: dict[str, Any] = {"postgres": postgres, "valkey": valkey, "s3": s3}
Start = Callable[..., Any]


@pytest.fixture(params=MODULES)
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def start(name: str) -> Start:
    """Starts the server under test. Without fsync where it can do without: tests kill processes, not machines."""
    return MODULES[name].start if name == "s3" else functools.partial(MODULES[name].start, durable=False)


@pytest.fixture
def folder() -> Iterator[Path]:
    with server_folder() as folder:
        yield folder


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


def test_data_and_passwords_outlive_a_restart(start: Start, folder: Path) -> None:
    first = start(folder)
    _write(first)
    _stop_timed(first)
    started = time.monotonic()
    with start(folder, port=first.port) as second:
        assert time.monotonic() - started < 5.0
        assert second.url == first.url
        assert _is_there(second)


def test_data_survives_the_server_being_killed(start: Start, folder: Path) -> None:
    first = start(folder)
    _write(first)
    os.kill(first.pid, signal.SIGKILL)
    assert first.exited.wait(5.0)
    first.stop()
    with start(folder) as second:
        assert _is_there(second)


def test_one_folder_one_server(start: Start, folder: Path) -> None:
    with start(folder) as running:
        with pytest.raises(FolderInUse, match="in use by another"):
            FolderLock(folder, wait_seconds=0.05)
        assert not running.exited.is_set()


def test_a_taken_port_is_said(start: Start, folder: Path) -> None:
    with valkey.start(folder / "other") as other, pytest.raises(ServerFailed) as refusal:
        start(folder / "mine", port=other.port)
    assert isinstance(refusal.value, PortTaken), refusal.value
    # The folder is let go, and another port does.
    start(folder / "mine", port=free_ports(1)[0]).stop()


def test_lost_passwords_are_said_not_replaced(start: Start, folder: Path) -> None:
    start(folder).stop()
    (folder / "secrets.json").unlink()
    with pytest.raises(SecretsLost, match=r"secrets\.json is missing"):
        start(folder)
    assert not (folder / "secrets.json").exists()


def test_passwords_are_private(start: Start, folder: Path) -> None:
    with start(folder) as running:
        assert (folder / "secrets.json").stat().st_mode & 0o777 == 0o600
        command = " ".join(psutil.Process(running.pid).cmdline())
        for secret in (folder / "secrets.json").read_text().split('"')[3::4]:
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


def test_it_dies_with_a_killed_parent_and_comes_back(name: str, start: Start, folder: Path) -> None:
    script = PARENT.format(name=name, folder=str(folder))
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
    with start(folder):
        gone, alive = psutil.wait_procs(family, timeout=0)
        assert [process for process in alive if process.status() != psutil.STATUS_ZOMBIE] == []
        assert gone or family


def test_postgres_is_durable_unless_told_otherwise(folder: Path) -> None:
    with (
        postgres.start(folder) as running,
        psycopg.connect(running.superuser_url.replace("+psycopg", "")) as connection,
    ):
        for setting in ("fsync", "synchronous_commit", "full_page_writes"):
            assert connection.execute(f"SHOW {setting}").fetchone() == ("on",)


def test_postgres_lets_nobody_in_without_a_password(folder: Path) -> None:
    with postgres.start(folder, durable=False) as running:
        for host in ("127.0.0.1", str(running.socket_folder)):
            with pytest.raises(psycopg.OperationalError, match="password"):
                psycopg.connect(host=host, port=running.port, user="postgres", dbname="lectern")
            with psycopg.connect(f"{running.url.replace('+psycopg', '')}?host={host}") as connection:
                assert connection.execute("SELECT current_user").fetchone() == ("lectern_app",)


def test_a_stale_pid_file_with_a_living_strangers_number_is_no_hindrance(folder: Path) -> None:
    postgres.start(folder, durable=False).stop()
    (folder / "data" / "postmaster.pid").write_text(f"{os.getpid()}\n{folder / 'data'}\n")
    postgres.start(folder, durable=False).stop()


def test_a_cluster_half_made_is_made_anew(folder: Path) -> None:
    (folder / "data.new").mkdir()
    (folder / "data.new" / "PG_VERSION").write_text("18\n")
    with postgres.start(folder, durable=False) as running:
        assert not running.exited.is_set()


def test_a_path_too_long_for_a_socket_gets_another(folder: Path) -> None:
    deep = folder / ("deep" * 20)
    with postgres.start(deep, durable=False) as running:
        url = f"{running.url.replace('+psycopg', '')}?host={running.socket_folder}"
        with psycopg.connect(url) as connection:
            assert connection.execute("SELECT 1").fetchone() == (1,)
    assert not running.socket_folder.exists()


@pytest.mark.long
def test_valkey_keeps_a_file_and_evicts_nothing(folder: Path) -> None:
    with valkey.start(folder) as running, redis.Redis.from_url(running.url) as client:
        wanted = {"appendonly": "yes", "appendfsync": "everysec", "maxmemory-policy": "noeviction"}
        assert client.config_get(*wanted) == wanted
        with pytest.raises(redis.AuthenticationError), redis.Redis(port=running.port) as stranger:
            stranger.ping()


@pytest.mark.long
def test_s3_goes_on_writing_where_it_was_killed(folder: Path) -> None:
    """Volume and file numbers must not start again, or new objects would overwrite old ones."""
    for round_ in range(2):
        with s3.start(folder) as running:
            client = _client(running)
            for number in range(20):
                content = f"{round_}-{number}".encode()
                client.put_object(running.bucket, f"kept/{round_}/{number}", io.BytesIO(content), len(content))
            os.kill(running.pid, signal.SIGKILL)
            assert running.exited.wait(5.0)
    with s3.start(folder) as running:
        for round_ in range(2):
            for number in range(20):
                with _client(running).get_object(running.bucket, f"kept/{round_}/{number}") as answer:
                    assert answer.read() == f"{round_}-{number}".encode()


def test_s3_answers_only_who_signs(folder: Path) -> None:
    with s3.start(folder) as running:
        with pytest.raises(S3Error, match="AccessDenied"):
            list(Minio(running.endpoint, secure=False, region=running.region).list_objects(running.bucket))
        listening = {c.laddr.ip for c in psutil.Process(running.pid).net_connections("inet") if c.status == "LISTEN"}
        assert listening == {"127.0.0.1"}
