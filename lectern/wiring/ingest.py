"""The ingest process."""

from ingest.holding.loop import HoldingFault
from ingest.rtmp.certificate import CertificateFault
from ingest.service import IngestKeys, IngestService
from lectern.clock import now
from lectern.complaint import Complaint
from lectern.keys import derive
from lectern.settings import Settings
from lectern.stopping import either, stop_signals
from lectern.wiring.stores import require_stores
from storage.catalogue.transaction import Catalogue
from storage.objects.store import ObjectStore


async def run_ingest(settings: Settings) -> None:
    """Take encoders in and serve live until SIGTERM, then drain what was captured. Complaint where RTMPS is asked for
    and cannot be served, or the holding picture cannot be shown. Raises what one of its tasks ended by, when all is
    drained.
    """
    require_stores(settings.storage)
    keys = derive(settings.lectern)
    catalogue, store = Catalogue.from_settings(settings.storage, "lectern-ingest"), ObjectStore(settings.storage)
    try:
        service = IngestService(
            settings.ingest,
            IngestKeys(keys.playback, keys.control),
            catalogue,
            store,
            settings.storage.valkey_url,
            wall=now,
        )
    except CertificateFault as fault:
        raise Complaint(f"RTMPS: {fault}") from fault
    except HoldingFault as fault:
        raise Complaint(f"holding_clip: {fault}") from fault
    with stop_signals() as asked:
        await service.start()
        await either(asked, service.tasks.failed)
        await service.drain()
        store.close()  # what waits for it in threads would keep the process from ending
        await service.stop()
    await catalogue.close()
    if service.tasks.fault is not None:
        raise service.tasks.fault
