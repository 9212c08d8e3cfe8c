"""Debian's nginx with the very configuration of deploy/nginx, in a folder of its own.

Only what deploy/nginx calls its place (addresses, certificate, log) is replaced, value by value: a directive that is
wrong there is wrong here too.
"""

import contextlib
import http.client
import json
import os
import re
import shutil
import socket
import ssl
import subprocess
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from storage.embedded.ports import free_ports

DEPLOYED = Path(__file__).parents[3] / "deploy" / "nginx"
START_SECONDS = 10.0
HOST = "127.0.0.1"


@dataclass(frozen=True)
class Addresses:
    """host:port of what stands behind; the object store's may be nobody's."""

    api: str
    ingest: str
    objects: str


def make_certificate(folder: Path) -> tuple[Path, Path]:
    """A self-signed certificate for 127.0.0.1, by openssl: (certificate, key)."""
    certificate, key = folder / "certificate.pem", folder / "key.pem"
    kind = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"]
    name = ["-subj", "/CN=lectern", "-addext", f"subjectAltName=IP:{HOST}"]
    files = ["-keyout", str(key), "-out", str(certificate)]
    subprocess.run(["openssl", "req", "-x509", *kind, *name, *files], check=True, capture_output=True, timeout=30)
    return certificate, key


class Front:
    """A prepared nginx; `start` runs it, `stop` ends it."""

    def __init__(self, folder: Path, addresses: Addresses, *, place: str = "place") -> None:
        self.port, self.plain_port, store_port = free_ports(3)
        self.folder = folder
        self.url = f"https://{HOST}:{self.port}"
        self.access_log = folder / "access.log"
        self.error_log = folder / "error.log"
        self.certificate, key = make_certificate(folder)
        shutil.copytree(DEPLOYED, folder / "nginx")
        if place != "place":
            shutil.copytree(folder / "nginx" / place, folder / "nginx" / "place", dirs_exist_ok=True)
        self._fit(
            {
                r"/dev/stdout|/var/log/nginx/lectern\.log": str(self.access_log),
                r"/run/secrets/tls_certificate|/etc/lectern/tls/fullchain\.pem": str(self.certificate),
                r"/run/secrets/tls_key|/etc/lectern/tls/privkey\.pem": str(key),
                r"api:8080|127\.0\.0\.1:8080": addresses.api,
                r"ingest:8090|127\.0\.0\.1:8090": addresses.ingest,
                r"seaweedfs:8333|127\.0\.0\.1:8333": addresses.objects,
                r"127\.0\.0\.1:8082": f"{HOST}:{store_port}",
                r"listen (8443|443) ": f"listen {HOST}:{self.port} ",
                r"listen (8081|80) ": f"listen {HOST}:{self.plain_port} ",
                r"listen \[::\].*": "",
                r"^user .*": "",
                r" buffer=64k flush=1s": "",
            }
        )
        self._process: subprocess.Popen[bytes] | None = None

    def _fit(self, values: Mapping[str, str]) -> None:
        for path in (self.folder / "nginx" / "place").iterdir():
            text = path.read_text(encoding="utf-8")
            for pattern, value in values.items():
                text = re.sub(pattern, value, text, flags=re.MULTILINE)
            path.write_text(text, encoding="utf-8")
        if os.getuid() == 0:  # the test's folder is root's own: an unprivileged worker could not enter it
            with (self.folder / "nginx" / "place" / "main.conf").open("a", encoding="utf-8") as main:
                main.write("user root;\n")

    def command(self, *more: str) -> list[str]:
        nginx = shutil.which("nginx", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
        assert nginx, "nginx is not installed: scripts/system-packages"
        prefix, configuration = self.folder, self.folder / "nginx" / "nginx.conf"
        return [nginx, "-p", str(prefix), "-c", str(configuration), "-e", "stderr", *more]

    def check(self) -> str:
        """What `nginx -t` says; raises CalledProcessError where it refuses the configuration."""
        done = subprocess.run(self.command("-t"), capture_output=True, check=True, timeout=30)
        return done.stderr.decode()

    def start(self) -> None:
        with self.error_log.open("ab") as errors:
            self._process = subprocess.Popen(self.command("-g", "daemon off;"), stderr=errors, stdout=errors)
        context = ssl.create_default_context(cafile=str(self.certificate))
        until(lambda: _greets(context, self.port), self.error_log.read_text, START_SECONDS)

    def stop(self) -> None:
        if self._process:
            self._process.terminate()
            self._process.wait(timeout=10)

    def status_of(self, raw_path: str) -> int:
        """The status of a GET whose path is sent exactly as given; an ordinary client would tidy it up first."""
        context = ssl.create_default_context(cafile=str(self.certificate))
        connection = http.client.HTTPSConnection(HOST, self.port, timeout=10, context=context)
        with contextlib.closing(connection):
            connection.request("GET", raw_path)
            return connection.getresponse().status

    def logged(self, count: int, **wanted: str) -> list[dict[str, Any]]:
        """At least `count` lines of the access log with the fields `wanted`; one is written once its answer is out."""

        def lines() -> list[dict[str, Any]]:
            text = self.access_log.read_text(encoding="utf-8")
            entries = [json.loads(line) for line in text.splitlines() if line.endswith("}")]
            return [entry for entry in entries if all(entry[name] == value for name, value in wanted.items())]

        until(lambda: len(lines()) >= count, lambda: f"want {count} of {wanted}:\n{self.access_log.read_text()}", 5.0)
        return lines()


def until(true: Callable[[], bool], what: Callable[[], str], seconds: float) -> None:
    """Poll what another process does; AssertionError with `what` when it has not come true in time."""
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, what()
        time.sleep(0.01)


def _greets(context: ssl.SSLContext, port: int) -> bool:
    try:
        with (
            socket.create_connection((HOST, port), timeout=1) as plain,
            context.wrap_socket(plain, server_hostname=HOST),
        ):
            return True
    except OSError:
        return False
