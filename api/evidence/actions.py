"""Who opens what a cut kept from the audience, and that it is known who did.

Every look has its entry in the audit trail, in the transaction that allows it.
"""

from uuid import UUID

from api.evidence.schemas import CutShape, EvidenceShape, KeptShape, StretchShape
from api.permit import grants_of, reach_of
from api.recordings.actions import readable, scope_of
from api.shapes import PageShape, Person
from domain.permissions import Action, may
from domain.refusals import Refusal, RefusalCode
from storage.catalogue import accounts, audit, evidence, recordings, sessions
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
    if recording.state in evidence.GONE:
        raise Refusal(RefusalCode.already_purged)
    return recording


async def kept(
    tx: Transaction, known: Known, actor: Actor, *, cursor: str | None, limit: int
) -> PageShape[KeptShape]:  # fmt: skip
    """A page of the recordings whose evidence this account may open."""
    page = await evidence.listing(
        tx, reach_of(known, Action.evidence_read), known.account.id, cursor=cursor, limit=limit
    )
    extents = await evidence.extents(tx, [one.id for one in page.items])
    cut = await sessions.by_id(tx, [one.session_id for one in page.items])
    people = await accounts.by_id(tx, {one.instructor_id for one in page.items if one.instructor_id})
    await tx.audit(actor, "evidence_searched", "evidence", "all", recordings=len(page.items))
    return PageShape(
        [
            KeptShape(
                one.id, one.session_id, one.title,
                Person(one.instructor_id, people[one.instructor_id].display_name) if one.instructor_id else None,
                cut[one.session_id].cut_reason,
                extent.first_at, extent.last_at, extent.stretches, extent.duration_ms, extent.bytes,
            )
            for one in page.items
            if (extent := extents.get(one.id)) is not None
        ],
        page.next_cursor,
    )  # fmt: skip


async def listed(tx: Transaction, known: Known, actor: Actor, recording_id: UUID) -> EvidenceShape:
    """What was cut, when and why."""
    recording = await openable(tx, known, recording_id)
    reels = await evidence.of_recording(tx, recording_id)
    cuts = [cut for order in ("cut", "resume") for cut in await _cuts(tx, recording.session_id, order)]
    await tx.audit(actor, "evidence_listed", "recording", recording_id)
    return EvidenceShape(
        recording.title,
        sorted(cuts, key=lambda one: one.at),
        [StretchShape(one.id, one.starts_at, one.duration_ms, one.bytes, one.sha256.hex()) for one in reels],
    )


async def opened(tx: Transaction, known: Known, actor: Actor, recording_id: UUID, reason: str) -> None:
    """It may be played from here on by this sign-in. Refusal("not_found") too where nothing was cut."""
    await openable(tx, known, recording_id)
    reels = await evidence.of_recording(tx, recording_id)
    if not reels:
        raise Refusal(RefusalCode.not_found, kind="evidence", id=recording_id)
    await tx.audit(actor, "evidence_opened", "recording", recording_id, reason=reason, stretches=len(reels))


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
