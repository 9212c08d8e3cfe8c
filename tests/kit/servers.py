"""The real servers all tests talk to, the same kinds as in production: PostgreSQL, Valkey and S3 from their wheels.

Each comes up over a folder of its own on a free port and is gone when the `with` ends, or with the test process.
"""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from storage.embedded import postgres, s3, valkey


@contextmanager
def server_folder() -> Iterator[Path]:
    """A folder for one server, gone afterwards.

    Not under pytest's own: each pytest that starts makes that one private again, and under root PostgreSQL, which runs
    as another user, could then not reach its data.
    """
    with tempfile.TemporaryDirectory(prefix="lectern-test-") as folder:
        yield Path(folder)


@contextmanager
def postgres_server(folder: Path) -> Iterator[postgres.Running]:
    """PostgreSQL without fsync: tests kill processes, not machines."""
    with postgres.start(folder, durable=False) as running:
        yield running


@contextmanager
def valkey_server(folder: Path) -> Iterator[valkey.Running]:
    """Valkey with its append-only file left to the page cache."""
    with valkey.start(folder, durable=False) as running:
        yield running


@contextmanager
def s3_server(folder: Path) -> Iterator[s3.Running]:
    """SeaweedFS with the bucket made."""
    with s3.start(folder) as running:
        yield running
