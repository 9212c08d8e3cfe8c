"""The peer: Debian's nginx in a folder of the run, with its rtmp module or serving files, one worker."""

import asyncio
import contextlib
import os
import re
import shutil
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path

import psutil

from bench import tls
from bench.peer import Peer
from bench.processes import running, until
from lectern.complaint import Complaint
from storage.embedded.ports import LOOPBACK, all_free, free_ports

READY_SECONDS = 10.0
FRAGMENT_SECONDS = 2
RTMP_MODULE = Path("/usr/lib/nginx/modules/ngx_rtmp_module.so")
RTMP = """
rtmp {{ server {{
  listen {host}:{port};
  chunk_size 4096;
  access_log off;
  application live {{ live on; hls on; hls_path {content}; hls_fragment {fragment}s; }}
}} }}
"""
FILES = """
http {{
  access_log off; sendfile on; tcp_nopush on; keepalive_requests 1000000;
  types {{ video/mp4 m4s; }}
  client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
  ssl_certificate {certificate.chain}; ssl_certificate_key {certificate.key};
  server {{ listen {host}:{port}; listen {host}:{tls_port} ssl; root {content}; }}
}}
"""


def version() -> str:
    """nginx's own version; Complaint where it is not installed."""
    said = subprocess.run([program(), "-v"], capture_output=True, text=True, check=True).stderr
    return said.strip().rpartition("/")[2]


@contextlib.asynccontextmanager
async def rtmp(folder: Path) -> AsyncIterator[Peer]:
    """An nginx that packages what is published to rtmp://…/live/NAME as HLS of two-second fragments."""
    _require_rtmp()
    async with _nginx(folder, f"load_module {RTMP_MODULE};", RTMP) as found:
        yield found


@contextlib.asynccontextmanager
async def files(folder: Path) -> AsyncIterator[Peer]:
    """An nginx that serves the files in its `content` by sendfile, or by TLS."""
    async with _nginx(folder, "", FILES) as found:
        yield found


@contextlib.asynccontextmanager
async def _nginx(folder: Path, head: str, block: str) -> AsyncIterator[Peer]:
    content = folder / "content"
    content.mkdir(parents=True)
    port, tls_port = free_ports(2)
    user = "user root;" if os.geteuid() == 0 else ""  # or its worker could not write into the run's folder
    body = block.format(
        host=LOOPBACK, port=port, tls_port=tls_port, certificate=tls.made(folder), content=content, folder=folder,
        fragment=FRAGMENT_SECONDS,
    )  # fmt: skip
    settings = folder / "nginx.conf"
    settings.write_text(
        f"{head}\n{user}\nworker_processes 1; daemon off; pid {folder}/pid; error_log stderr warn;\n"
        f"events {{ worker_connections 4096; }}\n{body}"
    )
    command = [program(), "-p", str(folder), "-c", str(settings), "-e", "stderr"]
    async with running(command, folder / "nginx.log") as started:

        async def ready() -> bool:
            await asyncio.sleep(0)
            return not all_free([port]) and worker_of(started.pid) is not None

        await until(ready, READY_SECONDS, "starting nginx", [started])
        worker = worker_of(started.pid)
        assert worker is not None
        yield Peer(port, worker, content, tls_port)


def program() -> str:
    program = shutil.which("nginx", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
    if program is None:
        raise Complaint("nginx is not installed: it is what this benchmark compares with (`scripts/system-packages`)")
    return program


def _require_rtmp() -> None:
    if not RTMP_MODULE.exists():
        raise Complaint("nginx has no rtmp module: install libnginx-mod-rtmp (`scripts/system-packages`)")


def worker_of(master_pid: int) -> int | None:
    """The worker among a master's children; its cache manager does not count."""
    for child in psutil.Process(master_pid).children():
        if re.search("worker process", " ".join(child.cmdline())):
            return child.pid
    return None
