"""Who opens what a cut kept from the audience, and that it is known who did.

Every look has its entry in the audit trail, in the transaction that allows it.
"""

from uuid import UUID

from api.evidence.schemas import CutShape, EvidenceShape, StretchShape
from api.permit import grants_of
from api.recordings.actions import readable, scope_of
from api.shapes import Person
from domain.permissions import Action, may
from domain.refusals import Refusal, RefusalCode
from domain.states import RecordingState
from storage.catalogue import audit, evidence, recordings, sessions
from storage.catalogue.audit import Wanted
from storage.catalogue.sign_ins import Known
from storage.catalogue.tables.recording import Recording
from storage.catalogue.transaction import Actor, Transaction

LONGEST_LIST = 1000


async def openable(tx: Transaction, known: Known, recording_id: UUID) -> Recording:
    """The recording, for whoever may open its evidence. Refusals: not_found, not_permitted, already_purged."""
    recording = await recordings.get(tx, recording_id)
    session = await sessions.get(tx, recording.session_id)
    own = sessions.is_own(session, known.account.id, Action.evidence_read)
    if not may(grants_of(known), Action.evidence_read, scope_of(recording), own):
        await readable(tx, known, recording_id)
        raise Refusal(RefusalCode.not_permitted, action=Action.evidence_read)
    if recording.state in (RecordingState.purging, RecordingState.purged):
        raise Refusal(RefusalCode.already_purged)
    return recording


async def listed(tx: Transaction, known: Known, actor: Actor, recording_id: UUID) -> EvidenceShape:
    """What was cut, when and why."""
    recording = await openable(tx, known, recording_id)
    kept = await evidence.of_recording(tx, recording_id)
    cuts = [cut for order in ("cut", "resume") for cut in await _cuts(tx, recording.session_id, order)]
    await tx.audit(actor, "evidence_listed", "recording", recording_id)
    return EvidenceShape(
        sorted(cuts, key=lambda one: one.at),
        [StretchShape(one.id, one.starts_at, one.duration_ms, one.bytes, one.sha256.hex()) for one in kept],
    )


async def opened(tx: Transaction, known: Known, actor: Actor, recording_id: UUID, reason: str) -> None:
    """It may be played from here on by this sign-in. Refusal("not_found") too where nothing was cut."""
    await openable(tx, known, recording_id)
    kept = await evidence.of_recording(tx, recording_id)
    if not kept:
        raise Refusal(RefusalCode.not_found, kind="evidence", id=recording_id)
    await tx.audit(actor, "evidence_opened", "recording", recording_id, reason=reason, stretches=len(kept))


async def _cuts(tx: Transaction, session_id: UUID, order: str) -> list[CutShape]:
    wanted = Wanted(item_kind="session", item_id=str(session_id), action=f"session_{order}")
    return [
        CutShape(
            one.at,
            "cut" if order == "cut" else "resume",
            Person(one.actor_id, one.actor_name) if one.actor_id else None,
            str(one.details.get("reason", "")),
        )
        for one in await audit.entries(tx, wanted, limit=LONGEST_LIST)
    ]
