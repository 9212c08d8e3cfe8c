"""A take begins in the rows: in one transaction ownership, the take's row, and with the first main take the session's
going live and its recording.
"""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from domain.admission import AdmissionLimits, require_department_room
from domain.broadcast_delay import held_seconds, is_reviewed
from domain.kinds import Slot
from domain.states import SessionState
from ingest.settings import IngestSettings
from ingest.take import Publish
from storage.catalogue import institute, live_owner, recordings, sessions, takes
from storage.catalogue.credentials import Presented
from storage.catalogue.live_owner import Owner
from storage.catalogue.tables.session import Session
from storage.catalogue.transaction import Transaction


@dataclass(frozen=True, slots=True)
class Begun:
    """What the catalogue says of a take that it let begin."""

    epoch: int
    number: int
    recording_id: UUID | None
    recording_started_at: datetime | None
    delay_seconds: int
    reviewed: bool
    cut: bool
    previous: Owner | None
    """Who owned the session until this claimed it."""


@dataclass(frozen=True, slots=True)
class NewPublish:
    """What is to begin. `epoch` is the one that this node has the session by; None where it is not here."""

    presented: Presented
    publish: Publish
    take_id: UUID
    epoch: int | None


async def begin(
    tx: Transaction, new: NewPublish, settings: IngestSettings, limits: AdmissionLimits, now: datetime
) -> Begun:
    """The take's row. A session that is not here yet is claimed, and takes that its last owner left are ended. Raises
    Refusal, StaleOwner.
    """
    row, publish, epoch = new.presented.row, new.publish, new.epoch
    session = await sessions.lock(tx, row.session_id)
    await _require_department_room(tx, session, row.slot, limits)
    previous = await live_owner.find(tx, row.session_id) if epoch is None else None
    if epoch is None:
        epoch = await live_owner.claim(tx, row.session_id, settings.node, settings.control_url, now)
        await takes.end_older(tx, row.session_id, epoch, now)
    said = takes.NewTake(
        new.take_id, row.session_id, row.slot, publish.protocol, epoch, publish.encoder, publish.address, row.id
    )
    take = await takes.start(tx, said, now)
    recording = await recordings.of_session(tx, row.session_id) if take.recording_id else None
    return Begun(
        epoch,
        take.number,
        take.recording_id,
        recording.started_at if recording else None,
        held_seconds(session.reviewer_id, session.delay_seconds),
        is_reviewed(session.reviewer_id, session.delay_seconds),
        session.state == SessionState.cut,
        previous,
    )


async def _require_department_room(tx: Transaction, session: Session, slot: Slot, limits: AdmissionLimits) -> None:
    """Raises Refusal. Of a department's last place only one encoder can come to know, on whatever node."""
    if session.department_id is None:
        return
    own_limit = await institute.max_publishers(tx, session.department_id)
    if own_limit is None and limits.max_department_publishers is None:
        return
    await tx.lock(f"department_publishers:{session.department_id}")
    beside = await takes.publishing_in_department(tx, session.department_id, beside=(session.id, slot))
    require_department_room(beside, own_limit, limits)
