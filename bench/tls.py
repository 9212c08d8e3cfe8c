"""TLS between a run's own load and its own servers."""

import ssl
import subprocess
from pathlib import Path
from typing import NamedTuple

from storage.embedded.ports import LOOPBACK


class Certificate(NamedTuple):
    """Files that a server is given."""

    chain: Path
    key: Path


def made(folder: Path) -> Certificate:
    """A self-signed one of the kind that most sites have (P-256), by openssl."""
    made = Certificate(folder / "certificate.pem", folder / "key.pem")
    kind = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"]
    name = ["-subj", "/CN=lectern", "-addext", f"subjectAltName=IP:{LOOPBACK}"]
    files = ["-keyout", str(made.key), "-out", str(made.chain)]
    subprocess.run(["openssl", "req", "-x509", *kind, *name, *files], check=True, capture_output=True)
    return made


def trusting() -> ssl.SSLContext:
    """A client's: whom it speaks to, the run itself started."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context
