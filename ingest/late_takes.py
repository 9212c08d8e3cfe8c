"""Takes that began while the catalogue was away: their rows are written when it is back, before anything that names
them.

Rule: whoever is about to write of a take's media, its format or its end calls `write` first, in the same transaction;
where the row stands it changes nothing. What it needs lies in the take's spool folder, so a crash forgets none.
"""

from datetime import datetime
from uuid import UUID

from domain.kinds import Slot
from ingest.reel_plan import LateTake, TakeAbout
from ingest.take import Publish
from storage.catalogue import takes
from storage.catalogue.transaction import Transaction


def said(publish: Publish, credential_id: UUID, epoch: int, started_at: datetime) -> LateTake:
    """What the take's spool says of it."""
    return LateTake(credential_id, epoch, publish.protocol, publish.encoder, publish.address, started_at)


async def write(tx: Transaction, about: TakeAbout, now: datetime) -> None:
    """The row of the take, if it began late."""
    late = about.late
    if late is None:
        return
    new = takes.NewTake(
        about.take_id,
        about.session_id,
        Slot.main,
        late.protocol,
        late.epoch,
        late.encoder,
        late.address,
        late.credential_id,
    )
    await takes.start_late(tx, new, about.recording_id, late.started_at, now)
