"""A program that stands beside ours in a benchmark, running."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Peer:
    """Its port, the process whose CPU counts, and where its files lie."""

    port: int
    pid: int
    content: Path
    tls_port: int = 0
    """The same by TLS, where it speaks that."""
