"""The worker process."""

from lectern.clock import now
from lectern.settings import Settings
from lectern.wiring.stores import require_stores
from storage import queue
from storage.worker import make_worker
from storage.workshop import Workshop, install
from transcode import failures

# How long a job in hand may go on when the worker is told to stop; after that it is given back and runs elsewhere.
DRAIN_SECONDS = 2.0


def run_worker(settings: Settings, name: str | None = None) -> None:
    """Run jobs until SIGTERM, then finish the one in hand or give it back."""
    require_stores(settings.storage)
    rooms = {type(room): room for room in (settings.transcode, settings.retention, settings.teaching)}
    install(Workshop(settings.storage, now, rooms))
    connection = queue.connect(settings.storage.valkey_url)
    make_worker(connection, name=name, on_failure=failures.record, drain_seconds=DRAIN_SECONDS).work(
        logging_level="WARNING"
    )
