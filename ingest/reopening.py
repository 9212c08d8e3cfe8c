"""After a start: the sessions under way that this node still owns are shown again before their encoders come back.

Their windows are made from the store, the spool and the last note; nobody need publish for a viewer's link to work. A
reviewed session waits for its encoder: what its gate held when the process died is nobody's to see yet. One that is cut
does not: the holding picture goes on.
"""

import structlog

from domain.broadcast_delay import held_seconds, is_reviewed
from domain.states import SessionState
from ingest import orders
from ingest.lives import Lives
from storage.catalogue import live_owner, recordings, sessions
from storage.catalogue.faults import CatalogueUnavailable
from storage.catalogue.live_owner import Owner
from storage.catalogue.transaction import Catalogue
from storage.objects.faults import ObjectStoreFault

log = structlog.get_logger()


async def reopen(catalogue: Catalogue, lives: Lives) -> None:
    """Opens them, one after the other. One that cannot be opened now is opened by its encoder."""
    try:
        async with catalogue.transaction() as tx:
            await live_owner.answers_at(tx, lives.settings.node, lives.settings.control_url)
            owned = await live_owner.owned_by(tx, lives.settings.node)
        for owner in owned:
            try:
                await _open(catalogue, lives, owner)
            except (ObjectStoreFault, OSError) as error:
                log.warning("session_not_reopened", session=str(owner.session_id), error=str(error))
            except CatalogueUnavailable:
                raise
            except Exception:
                log.exception("session_not_reopened", session=str(owner.session_id))
    except CatalogueUnavailable as error:
        log.warning("sessions_not_reopened", error=str(error))


async def _open(catalogue: Catalogue, lives: Lives, owner: Owner) -> None:
    async with catalogue.transaction() as tx:
        row = await sessions.get(tx, owner.session_id)
        recording = await recordings.of_session(tx, owner.session_id)
        reviewed = is_reviewed(row.reviewer_id, row.delay_seconds)
    if recording is None or (reviewed and row.state != SessionState.cut):
        return
    await lives.open(
        owner.session_id,
        recording.id,
        recording.started_at,
        delay_seconds=held_seconds(row.reviewer_id, row.delay_seconds),
        reviewed=reviewed,
        epoch=owner.epoch,
        cut=row.state == SessionState.cut,
        previous=owner,
    )
    await orders.reconcile(catalogue, lives, [owner.session_id])
    log.info("session_reopened", session=str(owner.session_id), epoch=owner.epoch)
