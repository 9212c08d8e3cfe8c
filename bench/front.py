"""nginx as it is deployed (`deploy/nginx`), before nodes of this run; plain HTTP, as the peer beside it."""

import contextlib
import os
import shutil
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

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
upstream lectern_api {{ server {nobody}; }}
upstream lectern_ingest {{ {servers} }}
upstream lectern_edge {{ hash $live_viewer consistent; {servers} keepalive 4096; keepalive_requests 1000000; }}
upstream lectern_store {{ server {nobody}; }}
upstream lectern_objects {{ server {nobody}; }}
map "" $objects_scheme {{ default http; }}
map "" $objects_host {{ default {nobody}; }}
map "" $objects_bucket {{ default lectern; }}
proxy_cache_path cache-objects levels=1:2 keys_zone=lectern_objects:1m;
proxy_cache_path cache-segments levels=1:2 keys_zone=lectern_segments:10m inactive=10m use_temp_path=off;
"""


@contextlib.asynccontextmanager
async def front(folder: Path, nodes: Sequence[str]) -> AsyncIterator[tuple[Program, int]]:
    """The front of these nodes (host:port), and its port. Complaint where there is no `deploy/nginx`."""
    if not DEPLOYED.is_dir():
        raise Complaint(f"{DEPLOYED} is not there: this benchmark runs in a checkout")
    port, plain_port, store_port = free_ports(3)
    shutil.copytree(DEPLOYED, folder / "nginx")
    servers = " ".join(f"server {one};" for one in nodes)
    place = {
        "main": "user root;" if os.geteuid() == 0 else "",
        "http": HTTP.format(folder=folder, nobody=NOBODY, servers=servers),
        "listen": f"listen {LOOPBACK}:{port} default_server;",
        "listen-plain": f"listen {LOOPBACK}:{plain_port} default_server;",
        "listen-store": f"listen {LOOPBACK}:{store_port};",
    }
    for name, text in place.items():
        (folder / "nginx" / "place" / f"{name}.conf").write_text(f"{text}\n", encoding="utf-8")
    command: list[str | Path] = [
        program(),
        "-p",
        folder,
        "-c",
        folder / "nginx" / "nginx.conf",
        "-e",
        "stderr",
        "-g",
        "daemon off;",
    ]
    async with running(command, folder / "nginx.log") as started:
        health = f"http://{LOOPBACK}:{store_port}/healthz"
        await until(lambda: answers(health), READY_SECONDS, "starting nginx", [started])
        yield started, port
