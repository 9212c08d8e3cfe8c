"""nginx as it is deployed (`deploy/nginx`), before processes of this run: by plain HTTP, as the peer beside it, and by
TLS at a second port.
"""

import contextlib
import os
import shutil
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from bench import tls
from bench.house import answers
from bench.nginx import program
from bench.processes import Program, running, until
from lectern.complaint import Complaint
from storage.embedded.ports import LOOPBACK, free_ports

DEPLOYED = Path(__file__).parents[1] / "deploy" / "nginx"
READY_SECONDS = 10.0
NOBODY = f"{LOOPBACK}:9"
HTTP = """
access_log {folder}/access.log lectern buffer=64k flush=1s if=$is_logged;
ssl_certificate {certificate.chain};
ssl_certificate_key {certificate.key};
upstream lectern_api {{ server {behind.api}; keepalive 64; }}
upstream lectern_ingest {{ {edges} }}
upstream lectern_edge {{ hash $live_viewer consistent; {edges} keepalive 4096; keepalive_requests 1000000; }}
upstream lectern_store {{ server {store}; keepalive 32; }}
upstream lectern_objects {{ server {behind.objects}; keepalive 32; }}
map "" $objects_scheme {{ default http; }}
map "" $objects_host {{ default {behind.objects}; }}
map "" $objects_bucket {{ default {behind.bucket}; }}
proxy_cache_path cache-objects levels=1:2 keys_zone=lectern_objects:20m inactive=1h use_temp_path=off;
proxy_cache_path cache-segments levels=1:2 keys_zone=lectern_segments:10m inactive=10m use_temp_path=off;
"""


@dataclass(frozen=True)
class Behind:
    """host:port of what stands behind; nobody's where a run has none."""

    edges: Sequence[str] = (NOBODY,)
    api: str = NOBODY
    objects: str = NOBODY
    bucket: str = "lectern"


@dataclass(frozen=True)
class Front:
    """Its processes' parent, and its ports."""

    program: Program
    port: int
    tls_port: int


@contextlib.asynccontextmanager
async def front(folder: Path, behind: Behind) -> AsyncIterator[Front]:
    """The front of these. Complaint where there is no `deploy/nginx`."""
    if not DEPLOYED.is_dir():
        raise Complaint(f"{DEPLOYED} is not there: this benchmark runs in a checkout")
    port, tls_port, plain_port, store_port = free_ports(4)
    store = f"{LOOPBACK}:{store_port}"
    shutil.copytree(DEPLOYED, folder / "nginx")
    edges = " ".join(f"server {one};" for one in behind.edges)
    place = {
        "main": "user root;" if os.geteuid() == 0 else "",
        "http": HTTP.format(folder=folder, certificate=tls.made(folder), behind=behind, edges=edges, store=store),
        "listen": f"listen {LOOPBACK}:{port} default_server; listen {LOOPBACK}:{tls_port} ssl http2 default_server;",
        "listen-plain": f"listen {LOOPBACK}:{plain_port} default_server;",
        "listen-store": f"listen {store};",
    }
    for name, text in place.items():
        (folder / "nginx" / "place" / f"{name}.conf").write_text(f"{text}\n", encoding="utf-8")
    settings = folder / "nginx" / "nginx.conf"
    command: list[str | Path] = [program(), "-p", folder, "-c", settings, "-e", "stderr", "-g", "daemon off;"]
    async with running(command, folder / "nginx.log") as started:
        await until(lambda: answers(f"http://{store}/healthz"), READY_SECONDS, "starting nginx", [started])
        yield Front(started, port, tls_port)
